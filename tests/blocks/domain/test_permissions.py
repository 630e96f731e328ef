"""What a plugin may do is told and bounded."""

from typing import Any

import pytest

from blocks.domain.errors import Refused
from blocks.domain.objects import tenancy
from blocks.domain.objects.blueprint import Object
from blocks.domain.permissions import compare_permissions, stay_below_ceiling
from tests.blocks.domain.objects.blueprints import make_blueprint


def role(*rules: dict[str, Any], kind: str = "Role") -> Object:
    return {"kind": kind, "metadata": {"name": "hello", "namespace": "here"}, "rules": [*rules]}


def rule(verbs: list[str], resources: list[str], names: list[str] | None = None, group: str = "") -> dict[str, Any]:
    return {"apiGroups": [group], "resources": resources, "verbs": verbs} | ({"resourceNames": names} if names else {})


def binding(subject: dict[str, str], *, to: str = "hello", kind: str = "Role") -> Object:
    metadata = {"name": "hello", "namespace": "here"}
    return {"kind": "RoleBinding", "metadata": metadata, "roleRef": {"kind": kind, "name": to}, "subjects": [subject]}


OWN = rule(["get"], ["configmaps"], ["hello-r2"])
ITSELF = {"kind": "ServiceAccount", "name": "hello", "namespace": "here"}


def test_an_update_moves_the_permission_to_the_new_configuration() -> None:
    before, after = ([tenancy.role(make_blueprint("service", revision=number))] for number in (1, 2))
    delta = compare_permissions(before, after)
    assert delta.gained == ("Role hello may get configmaps hello-r2",)
    assert delta.lost == ("Role hello may get configmaps hello-r1",)


def test_everything_is_told_and_what_is_no_permission_is_not() -> None:
    wide = role(rule(["list"], ["pods"], group="apps"), {"nonResourceURLs": ["/metrics"], "verbs": ["get"]}, kind="ClusterRole")
    delta = compare_permissions([], [wide, binding(ITSELF), {"kind": "Service", "metadata": {"name": "hello"}}])
    assert delta.gained == (
        "ClusterRole hello may get all /metrics",
        "ClusterRole hello may list all apps/pods",
        "ServiceAccount hello has Role hello",
    )
    assert compare_permissions([wide], [wide]).gained == compare_permissions([wide], [wide]).lost == ()


@pytest.mark.parametrize("runtime", ["backend", "frontend", "service"])
def test_what_every_plugin_gets_is_below_the_ceiling(runtime: str) -> None:
    blueprint = make_blueprint(runtime, revision=12)
    granted = [tenancy.role(blueprint), tenancy.role_binding(blueprint), tenancy.service_account(blueprint)]
    assert compare_permissions([], granted).gained
    stay_below_ceiling(granted, blueprint.slug)


@pytest.mark.parametrize(
    ("granted", "said"),
    [
        pytest.param(role(rule(["get"], ["configmaps"])), "get all configmaps", id="everybody's configuration"),
        pytest.param(role(rule(["get"], ["configmaps"], ["other-r1"])), "get configmaps other-r1", id="somebody else's"),
        pytest.param(
            role(rule(["get"], ["configmaps"], ["hello-r1x"])), "get configmaps hello-r1x", id="what only looks like its own"
        ),
        pytest.param(role(rule(["update"], ["configmaps"], ["hello-r1"])), "update configmaps hello-r1", id="writing"),
        pytest.param(role(rule(["get"], ["secrets"], ["hello-r1"])), "get secrets hello-r1", id="secrets"),
        pytest.param(role(rule(["*"], ["*"], group="*")), r"\* all \*/\*", id="everything"),
        pytest.param(role(OWN, kind="ClusterRole"), "ClusterRole hello reaches beyond", id="a role of the whole cluster"),
        pytest.param(binding(ITSELF, to="admin", kind="ClusterRole"), "gives ClusterRole admin", id="a binding to more"),
        pytest.param(binding(ITSELF | {"name": "other"}), "to ServiceAccount here/other", id="a binding of another account"),
        pytest.param(
            binding(ITSELF | {"namespace": "there"}), "to ServiceAccount there/hello", id="an account of another namespace"
        ),
        pytest.param(binding({"kind": "Group", "name": "all"}), "gives it to Group /all", id="a group"),
    ],
)
def test_what_is_more_is_refused_by_name(granted: Object, said: str) -> None:
    with pytest.raises(Refused, match=f"more than a tenant may have: .*{said}"):
        stay_below_ceiling([role(OWN), granted], "hello")
