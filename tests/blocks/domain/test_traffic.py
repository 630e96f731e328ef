"""Who answers people follows from the Deployments and the route as they stand."""

from typing import Any

import pytest

from blocks.domain.experiment import Experiment
from blocks.domain.match import HeaderMatch
from blocks.domain.objects.routes import http_route, previewed, split
from blocks.domain.objects.variants import variants
from blocks.domain.objects.workload import deployment
from blocks.domain.traffic import Side, see_sides
from tests.blocks.domain.objects.blueprints import make_blueprint

OLD, NEW = http_route(make_blueprint("service", revision=1)), http_route(make_blueprint("service", revision=2))
FORCED = Experiment(share=30, header=HeaderMatch(name="x-try", value="1"))


def standing(revision: int, replicas: int, ready: int) -> dict[str, Any]:
    """The revision's Deployment, of which so many pods are ready."""
    made = deployment(make_blueprint("service", revision=revision))
    return made | {"spec": made["spec"] | {"replicas": replicas}, "status": {"readyReplicas": ready} if ready else {}}


BOTH = [standing(2, 2, 1), standing(1, 4, 4)]


@pytest.mark.parametrize(
    ("deployments", "routes", "sides"),
    [
        pytest.param([], [], (), id="nobody where nothing is"),
        pytest.param(BOTH, [split(NEW, OLD, 25)], (Side(1, 75, 4, 4), Side(2, 25, 1, 2)), id="both by their weights"),
        pytest.param(BOTH, [previewed(NEW, OLD)], (Side(1, 100, 4, 4), Side(2, 0, 1, 2)), id="a preview is no share"),
        pytest.param(BOTH, [variants(NEW, OLD, FORCED)], (Side(1, 70, 4, 4), Side(2, 30, 1, 2)), id="newcomers of a test"),
        pytest.param(BOTH, [], (Side(1, None, 4, 4), Side(2, None, 1, 2)), id="pods where no route says so"),
        pytest.param([standing(1, 0, 0), standing(2, 1, 1)], [NEW], (Side(2, 100, 1, 1),), id="not who sleeps"),
        pytest.param([standing(1, 0, 2)], [NEW], (Side(1, 0, 2, 0),), id="but who is not yet asleep"),
        pytest.param([standing(2, 0, 0)], [NEW], (Side(2, 100, 0, 0),), id="and who is sent people without having pods"),
    ],
)
def test_those_answer_people(deployments: list[Any], routes: list[Any], sides: tuple[Side, ...]) -> None:
    assert see_sides(deployments, routes) == sides
