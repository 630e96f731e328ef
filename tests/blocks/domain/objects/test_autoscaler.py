"""What follows the revision that serves, and how it is held while that is replaced."""

from typing import Any

from blocks.domain.objects.autoscaler import autoscalers, held
from blocks.domain.objects.labels import INSTALLATION
from blocks.domain.replaced import renumbered
from tests.blocks.domain.objects.blueprints import make_blueprint


def asked(revision: int = 1, **said: Any) -> Any:
    """The one autoscaler of a revision of which so much was said."""
    (found,) = autoscalers(make_blueprint("service", revision=revision, autoscaling={"maxReplicas": 6, **said}))
    return found


def test_nobody_follows_what_nobody_asked_to_be_followed() -> None:
    assert autoscalers(make_blueprint()) == []


def test_it_is_the_installations_and_follows_one_revision() -> None:
    found = asked(minReplicas=2, cpu=60)
    assert (found["apiVersion"], found["metadata"]["name"]) == ("autoscaling/v2", "hello")
    assert INSTALLATION in found["metadata"]["labels"]
    assert found["spec"]["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "hello-r1"}
    assert (found["spec"]["minReplicas"], found["spec"]["maxReplicas"]) == (2, 6)
    busy = {"name": "cpu", "container": "plugin", "target": {"type": "Utilization", "averageUtilization": 60}}
    assert found["spec"]["metrics"] == [{"type": "ContainerResource", "containerResource": busy}]


def test_of_two_revisions_only_the_number_differs() -> None:
    assert renumbered(asked(1), "hello", (1, 2)) == asked(2)


def test_it_goes_down_as_slowly_as_it_is_told_to() -> None:
    assert asked()["spec"]["behavior"] == {"scaleDown": {"selectPolicy": "Max"}}
    slow = {"scaleDown": {"selectPolicy": "Max", "stabilizationWindowSeconds": 0}}
    assert asked(scaleDownStabilizationSeconds=0)["spec"]["behavior"] == slow


def test_while_it_is_held_it_goes_up_and_not_down() -> None:
    found = asked(scaleDownStabilizationSeconds=30)
    behavior = {"scaleDown": {"selectPolicy": "Disabled", "stabilizationWindowSeconds": 30}}
    assert held(found) == found | {"spec": found["spec"] | {"behavior": behavior}}
