"""In which order objects come up and go."""

from blocks.domain.objects.phases import OWNED, PROVISIONED, ROLLED_OUT, SCALED, Phase, every, phases
from tests.blocks.domain.objects.blueprints import make_blueprint

BLUEPRINT = make_blueprint("backend", egress=[{"cidr": "192.0.2.0/24", "port": 443}])
AUTOSCALED = make_blueprint("backend", autoscaling={"maxReplicas": 3})


def test_the_namespace_is_first_and_the_route_last() -> None:
    kinds = [one["kind"] for one in every(phases(BLUEPRINT))]
    assert (kinds[0], kinds[-1]) == ("Namespace", "HTTPRoute")


def test_what_pods_need_is_there_before_them() -> None:
    kinds = [one["kind"] for one in every(phases(BLUEPRINT))]
    needed = ("ServiceAccount", "RoleBinding", "ResourceQuota", "LimitRange", "NetworkPolicy", "ConfigMap")
    assert all(kinds.index(kind) < kinds.index("Deployment") for kind in needed)


def test_every_phase_is_put_up_by_one_step() -> None:
    assert [*PROVISIONED, *ROLLED_OUT, *SCALED] == [*Phase]


def test_what_nobody_scales_is_planned_as_before_anybody_could() -> None:
    """Or every plan of what serves would have another hash."""
    assert Phase.SCALING not in phases(BLUEPRINT)
    assert every(phases(BLUEPRINT), SCALED) == []
    assert [one["kind"] for one in every(phases(AUTOSCALED), SCALED)] == ["HorizontalPodAutoscaler"]


def test_everything_that_a_plugin_owns_is_taken_away_route_first() -> None:
    objects = [*every(phases(BLUEPRINT)), *every(phases(AUTOSCALED))]
    owned = {one["kind"] for one in objects if "plugin-pipeline.io/installation" in one["metadata"]["labels"]}
    assert owned <= set(OWNED)
    assert OWNED[0] == "HTTPRoute"
