"""Which pool runs what, as it is configured."""

import pytest

from blocks.domain.errors import Refused
from blocks.domain.pools import Place, Pools

MIXED = "embedded, prod=kubernetes, big-*/dev=kubernetes, discover-plugins=embedded, plan-plugin=kubernetes"
CHOICES = {
    "everything in one": ("embedded", "install-plugin", Place("prod"), "embedded", "install-plugin"),
    "an environment's own": (MIXED, "install-plugin", Place("prod", "big-one"), "kubernetes", "install-plugin-kubernetes"),
    "a tenant's own": (MIXED, "install-plugin", Place("dev", "big-one"), "kubernetes", "install-plugin-kubernetes"),
    "a tenant's in another environment": (MIXED, "install-plugin", Place("staging", "big-one"), "embedded", "install-plugin"),
    "another environment's": (MIXED, "install-plugin", Place("dev", "bigger"), "embedded", "install-plugin"),
    "no environment": (MIXED, "install-plugin", Place(), "embedded", "install-plugin"),
    "a flow's own": (MIXED, "discover-plugins", Place("prod"), "embedded", "discover-plugins"),
    "a flow's other": (MIXED, "plan-plugin", Place("dev"), "kubernetes", "plan-plugin"),
}


@pytest.mark.parametrize(("text", "flow", "place", "pool", "deployment"), CHOICES.values(), ids=CHOICES)
def test_a_flow_runs_in(text: str, flow: str, place: Place, pool: str, deployment: str) -> None:
    pools = Pools.read(text)
    assert pools.of(flow, place) == pool
    assert pools.deployment(flow, place) == deployment


RUNNING = {
    "one pool": ("embedded", "install-plugin", ("embedded",)),
    "one more for an environment": (MIXED, "install-plugin", ("embedded", "kubernetes")),
    "its own only": (MIXED, "plan-plugin", ("kubernetes",)),
}


@pytest.mark.parametrize(("text", "flow", "pools"), RUNNING.values(), ids=RUNNING)
def test_a_flow_is_wanted_in(text: str, flow: str, pools: tuple[str, ...]) -> None:
    assert Pools.read(text).running(flow) == pools


def test_wherever_a_flow_is_sent_it_is_declared() -> None:
    pools = Pools.read(MIXED)
    for flow in ("install-plugin", "discover-plugins", "plan-plugin"):
        declared = {pools.named(flow, pool) for pool in pools.running(flow)}
        assert {pools.deployment(flow, Place(environment, "big-one")) for environment in ("dev", "prod", "")} <= declared


@pytest.mark.parametrize(
    "text", ["", "prod=kubernetes", "embedded,prod", "embedded,=kubernetes", "embedded,a=b,a=c", "embedded,"]
)
def test_what_says_nothing_clear_is_refused(text: str) -> None:
    with pytest.raises(Refused, match=r"work pool|twice"):
        Pools.read(text)
