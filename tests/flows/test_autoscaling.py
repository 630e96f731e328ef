"""What is autoscaled: the cluster says how many pods serve, and an update, its way back and every verb take that as it is.

The world is in memory; its autoscaler is told how many pods are needed, where a real one measures.
"""

from collections.abc import Callable
from typing import Any

import pytest

from blocks.domain.journal import Phase
from blocks.domain.status import InstallationView
from blocks.ports.cluster import Reply
from tests.flows.conftest import ON_SQLITE, PLUGIN, Outside
from tests.flows.standing import replicas, wanted, weights
from tests.flows.test_canary import GOOD, update
from tests.flows.test_canary_size import sizes, unwatched
from tests.flows.test_install import refuse
from tests.flows.test_rollback import answers
from tests.flows.test_undoing_an_uninstall import ANN
from tests.flows.test_update import FRONTEND, installed, refuse_to_forget, vanish

pytestmark = ON_SQLITE

RANGE: dict[str, Any] = {"minReplicas": 2, "maxReplicas": 6}
MANY, FEW = 5, 2


async def need(outside: Outside, seen: InstallationView, pods: int) -> None:
    """So many pods are needed from now on, and those that may be given are."""
    outside.cluster.autoscaler.needed[seen.slug] = pods
    await outside.cluster.settle()


async def busy(outside: Outside, **changes: Any) -> InstallationView:
    """Revision 1 is autoscaled and needs many pods; the next release is published."""
    first = await installed(outside, **{"autoscaling": RANGE} | changes)
    await need(outside, first, MANY)
    return first


def asked(first: InstallationView, **changes: Any) -> dict[str, Any]:
    """What is asked for of the next revision."""
    return {"tenant": first.tenant, "plugin": FRONTEND, "autoscaling": RANGE, "config": {"colour": "red"}} | changes


def followed(outside: Outside) -> list[str]:
    """Whom autoscalers follow."""
    standing = outside.cluster.store.objects.items()
    return [found["spec"]["scaleTargetRef"]["name"] for key, found in standing if key[0] == "horizontalpodautoscalers"]


def moves(outside: Outside) -> list[tuple[str, str]]:
    """Whom the autoscaler followed one after the other, and whether it made them smaller, too."""
    specs = [one.found["spec"] for one in outside.cluster.store.log if one.key[0] == "horizontalpodautoscalers"]
    return [(one["scaleTargetRef"]["name"], one["behavior"]["scaleDown"]["selectPolicy"]) for one in specs]


async def test_a_first_revision_is_followed_once_it_serves(outside: Outside) -> None:
    seen = await outside.install(plugin=FRONTEND, autoscaling=RANGE)
    assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason
    assert [one.name for one in seen.operation.steps][-3:] == ["serve_revision", "scale_revision", "retire_revision"]
    assert replicas(outside.cluster) == {f"{seen.slug}-r1": FEW}
    assert moves(outside) == [(f"{seen.slug}-r1", "Max")]


async def test_nobody_takes_back_how_many_pods_there_are(outside: Outside) -> None:
    """Neither asking for the same once more nor new pods in place of the old; and nothing of it is a change."""
    seen = await outside.install(plugin=FRONTEND, autoscaling=RANGE)
    await need(outside, seen, MANY)
    again = await outside.install(**asked(seen, config={}, options={"priority": 2}))
    assert again.operation.phase is Phase.SUCCEEDED, again.operation.reason
    assert (again.revision, replicas(outside.cluster)) == (seen.revision, {f"{seen.slug}-r1": MANY})
    again = await outside.switch(seen.id, "reload")
    assert again.operation.phase is Phase.SUCCEEDED, again.operation.reason
    assert replicas(outside.cluster) == {f"{seen.slug}-r1": MANY}


async def test_the_next_revision_is_as_large_as_the_one_before_and_is_followed_then(outside: Outside) -> None:
    """Fewer are needed as soon as it begins, and nobody gets smaller before it is over."""
    first = await busy(outside)
    outside.cluster.autoscaler.needed[first.slug] = FEW
    seen = await outside.install(**asked(first))
    assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason
    old, new = f"{seen.slug}-r1", f"{seen.slug}-r2"
    assert moves(outside) == [(old, "Max"), (old, "Disabled"), (new, "Max")]
    assert next(size for met, size in sizes(outside.cluster, seen) if met) == MANY
    await outside.cluster.settle()
    assert replicas(outside.cluster) == {old: 0, new: FEW}
    assert weights(outside.cluster) == {new: 100}


async def test_a_canary_has_its_share_of_what_is_needed(outside: Outside) -> None:
    first = await busy(outside)
    seen = await update(outside, first, GOOD, **unwatched(20, 60, 100), autoscaling=RANGE)
    assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason
    assert sizes(outside.cluster, seen) == [(0, 1), (20, 1), (60, 3), (100, 5)]
    assert followed(outside) == [f"{seen.slug}-r2"]


BROKEN: dict[str, Callable[[Outside], object]] = {
    "roll_out": lambda to: setattr(to.cluster, "pods_are", "crash"),
    "verify": lambda to: setattr(to.web, "answers", [Reply(200, {"x-plugin-release": f"{PLUGIN}@0.0.1"}, "")]),
    "serve_revision": lambda to: setattr(to.operations, "serve_revision", refuse),
    "retire_revision": lambda to: setattr(to.operations, "bygone", refuse_to_forget),
}
# Between the two others, and the same again: left to those who have time.
LATE = ("verify", "serve_revision")
FIXED: dict[str, Any] = {"autoscaling": None, "replicas": 3}


@pytest.mark.parametrize(
    ("broken", "before", "after"),
    [
        *(pytest.param(one, {}, {}, id=f"at {one}", marks=pytest.mark.long if one in LATE else ()) for one in BROKEN),
        pytest.param("retire_revision", {}, FIXED, id="where the next one was not to be followed"),
        pytest.param("retire_revision", FIXED, {}, id="where the one before was not followed"),
    ],
)
async def test_what_fails_leaves_everything_as_it_was(
    outside: Outside, broken: str, before: dict[str, Any], after: dict[str, Any]
) -> None:
    first = await busy(outside, **before)
    stood = wanted(outside.cluster)
    BROKEN[broken](outside)
    seen = await outside.install(**asked(first, **after))
    assert seen.operation.phase is Phase.WITHDRAWN, seen.operation.reason
    assert broken in [step.name for step in seen.operation.steps]
    await outside.cluster.settle()
    assert wanted(outside.cluster) == stood


async def test_the_way_back_takes_the_autoscaler_along(outside: Outside) -> None:
    first = await busy(outside)
    await outside.install(**asked(first))
    await need(outside, first, MANY + 1)
    answers(outside, "1.2.3")
    back = await outside.roll_back(first.id)
    assert back.operation.phase is Phase.SUCCEEDED, back.operation.reason
    assert replicas(outside.cluster) == {f"{first.slug}-r1": MANY + 1, f"{first.slug}-r2": 0}
    assert followed(outside) == [f"{first.slug}-r1"]


async def test_what_is_no_longer_asked_for_follows_nobody_and_comes_back_with_who_had_it(outside: Outside) -> None:
    first = await busy(outside)
    seen = await outside.install(**asked(first, **FIXED))
    assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason
    assert (followed(outside), replicas(outside.cluster)) == ([], {f"{seen.slug}-r1": 0, f"{seen.slug}-r2": 3})
    outside.cluster.autoscaler.needed.clear()
    answers(outside, "1.2.3")
    back = await outside.roll_back(first.id)
    assert back.operation.phase is Phase.SUCCEEDED, back.operation.reason
    assert (followed(outside), replicas(outside.cluster)) == (
        [f"{seen.slug}-r1"],
        {f"{seen.slug}-r1": 3, f"{seen.slug}-r2": 0},
    )


async def test_what_is_off_is_not_switched_on_by_being_needed(outside: Outside) -> None:
    first = await busy(outside)
    before = wanted(outside.cluster)
    off = await outside.switch(first.id, "disable")
    assert off.operation.phase is Phase.SUCCEEDED, off.operation.reason
    await outside.cluster.settle()
    assert replicas(outside.cluster) == {f"{first.slug}-r1": 0}
    on = await outside.switch(first.id, "enable")
    assert on.operation.phase is Phase.SUCCEEDED, on.operation.reason
    await outside.cluster.settle()
    assert wanted(outside.cluster) == before


async def test_nothing_of_it_is_left_and_what_was_taken_away_is_put_up_again(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = outside.cluster.names()
    first = await busy(outside)
    before = wanted(outside.cluster)
    with monkeypatch.context() as patched:
        patched.setattr(outside.operations, "serve_again", vanish)
        going = await outside.uninstall(first.id)
    assert outside.cluster.names() == empty
    await outside.words.cancel(going.operation.id, ANN, "we need it after all")
    back = await outside.carry_on(going)
    assert back.operation.phase is Phase.WITHDRAWN, back.operation.reason
    await outside.cluster.settle()
    assert (set(wanted(outside.cluster)), followed(outside)) == (set(before), [f"{first.slug}-r1"])
    assert replicas(outside.cluster) == {f"{first.slug}-r1": MANY}


NINE = {"minReplicas": 1, "maxReplicas": 9}


@pytest.mark.parametrize(
    ("serves", "changes", "said"),
    [
        pytest.param(RANGE, {"autoscaling": {"maxReplicas": 20}}, "does not fit", id="more than the namespace may ever have"),
        pytest.param(NINE, {"autoscaling": NINE}, "does not fit", id="more than both may grow to meanwhile"),
        pytest.param(RANGE, FIXED | {"strategyConfig": {"maxSurge": 1}}, "cannot come and go a few at a time", id="waves"),
    ],
)
async def test_the_plan_says_no(outside: Outside, serves: dict[str, int], changes: dict[str, Any], said: str) -> None:
    first = await installed(outside, autoscaling=serves)
    before = wanted(outside.cluster)
    seen = await outside.install(**asked(first, **changes))
    assert seen.operation.reason is not None
    assert said in seen.operation.reason.message
    assert wanted(outside.cluster) == before


async def test_what_a_person_chose_instead_is_not_overwritten(outside: Outside) -> None:
    first = await busy(outside)
    outside.cluster.autoscaler.needed[first.slug] = MANY + 1
    outside.cluster.store.scale(("deployments", first.namespace, f"{first.slug}-r1"), MANY + 1, "kubectl")
    seen = await outside.install(**asked(first))
    assert seen.operation.reason is not None
    assert "others have changed" in seen.operation.reason.message
