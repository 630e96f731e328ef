"""A rolling update with limits: pods come and go in waves, and the requests follow them. The world is in memory."""

from collections.abc import Callable
from typing import Any

import pytest

import blocks.work
from blocks.domain.journal import Phase
from blocks.domain.status import InstallationView, see_planned
from tests.flows.conftest import ON_SQLITE, Outside
from tests.flows.standing import replicas, wanted, weights
from tests.flows.test_canary_size import ALL, FOUR, mortal, story
from tests.flows.test_update import FRONTEND, installed, refuse_to_forget

pytestmark = ON_SQLITE

ONE_AT_A_TIME: dict[str, Any] = {"maxSurge": 1, "maxUnavailable": "25%"}
MOST, LEAST = 5, 3


async def rolled(outside: Outside, first: InstallationView, **changes: Any) -> InstallationView:
    """The installation after an update in waves."""
    asked = {"tenant": first.tenant, "plugin": FRONTEND, "replicas": FOUR, "strategyConfig": ONE_AT_A_TIME}
    return await outside.install(**asked | changes)


async def test_pods_take_the_place_of_others_and_requests_follow(outside: Outside) -> None:
    first = await installed(outside, replicas=FOUR)
    seen = await rolled(outside, first)
    assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason
    assert replicas(outside.cluster) == {f"{seen.slug}-r1": 0, f"{seen.slug}-r2": FOUR}
    assert weights(outside.cluster) == {f"{seen.slug}-r2": ALL}
    shares = [met for met, _, _ in story(outside.cluster, seen)]
    assert shares == sorted(shares)
    assert {0, ALL} < {*shares}
    assert beyond(outside, seen) == []
    assert see_planned(seen.operation.steps)["shift_traffic"].endswith("surge 1, unavailable 1")


async def test_the_way_back_by_hand_has_the_limits_of_the_revision_that_it_leads_to(outside: Outside) -> None:
    first = await installed(outside, replicas=FOUR, strategyConfig=ONE_AT_A_TIME)
    await rolled(outside, first, config={"colour": "red"})
    outside.release("1.2.3")
    seen = await outside.roll_back(first.id)
    assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason
    assert replicas(outside.cluster) == {f"{seen.slug}-r1": FOUR, f"{seen.slug}-r2": 0}
    assert weights(outside.cluster) == {f"{seen.slug}-r1": ALL}
    assert beyond(outside, seen) == []
    assert see_planned(seen.operation.steps)["shift_traffic"].endswith("surge 1, unavailable 1")


def crash(outside: Outside) -> None:
    outside.cluster.pods_are = "crash"


def forget(outside: Outside) -> None:
    outside.operations.bygone = refuse_to_forget  # type: ignore[method-assign,assignment]


BAD = [
    pytest.param(crash, "shift_traffic", id="pods that crash are never met"),
    pytest.param(forget, "retire_revision", id="what fails at the end goes as it came"),
]


@pytest.mark.parametrize(("turn_bad", "last"), BAD)
async def test_what_is_bad_leaves_in_waves_too(outside: Outside, turn_bad: Callable[[Outside], None], last: str) -> None:
    first = await installed(outside, replicas=FOUR)
    before = wanted(outside.cluster)
    turn_bad(outside)
    seen = await rolled(outside, first)
    assert (seen.operation.phase, seen.operation.steps[-1].name) == (Phase.WITHDRAWN, last)
    assert beyond(outside, seen) == []
    assert wanted(outside.cluster) == before


async def test_who_dies_between_two_waves_changes_nothing(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await installed(outside, replicas=FOUR)
    with monkeypatch.context() as patched:
        patched.setattr(blocks.work, "open_toolchain", mortal(outside, ALL))
        seen = await rolled(outside, first)
    assert seen.operation.phase is Phase.APPLYING
    assert 0 < replicas(outside.cluster)[f"{seen.slug}-r1"] < FOUR
    seen = await outside.carry_on(seen)
    assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason
    assert replicas(outside.cluster) == {f"{seen.slug}-r1": 0, f"{seen.slug}-r2": FOUR}
    assert beyond(outside, seen) == []


def beyond(outside: Outside, seen: InstallationView) -> list[tuple[int, tuple[int, int]]]:
    """The moments with too many pods, too few ready ones, or requests for a revision without any."""
    return [
        (met, (old, new))
        for met, size, (old, new) in story(outside.cluster, seen)
        if old + new < LEAST or old + size > MOST or (met and not new) or (met < ALL and not old)
    ]
