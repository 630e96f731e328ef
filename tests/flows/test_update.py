"""Updating: the next revision takes over or nothing has changed; on both databases, with the world in memory."""

from collections.abc import Callable

import pytest

from blocks.domain.approval import Speaker
from blocks.domain.errors import BuildFailed, RecordAway, Unresolvable
from blocks.domain.journal import Phase
from blocks.domain.status import InstallationView
from blocks.ports.cluster import Reply
from tests.flows.conftest import MOSTLY_ON_SQLITE, PLUGIN, Outside
from tests.flows.standing import replicas, routed_to, wanted
from tests.flows.test_install import SECRET, refuse

pytestmark = MOSTLY_ON_SQLITE

ANN = Speaker("ann", frozenset({"developer"}))
FRONTEND = {"name": PLUGIN, "version": "*", "runtime": {"type": "frontend"}}
EGRESS = [{"cidr": "10.1.0.0/16", "port": 443}]


async def installed(outside: Outside, **changes: object) -> InstallationView:
    """Version 1.2.3 of a plugin without a database serves, and 2.0.0 is published."""
    seen = await outside.install(plugin=FRONTEND, **changes)
    assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason
    outside.release("2.0.0")
    return seen


async def test_the_next_revision_takes_over_and_the_last_one_sleeps(outside: Outside) -> None:
    first = await installed(outside)
    seen = await outside.install(tenant=first.tenant, plugin=FRONTEND, replicas=2)
    assert (seen.operation.verb, seen.operation.phase) == ("update", Phase.SUCCEEDED), seen.operation.reason
    assert seen.revision is not None
    assert (seen.revision.number, seen.revision.release) == (2, f"{PLUGIN}@2.0.0")
    assert replicas(outside.cluster) == {f"{seen.slug}-r1": 0, f"{seen.slug}-r2": 2}
    assert routed_to(outside.cluster) == [f"{seen.slug}-r2"]


async def test_what_only_the_last_revision_needed_is_gone(outside: Outside) -> None:
    first = await installed(outside, egress=EGRESS)
    policy = f"networkpolicies {first.namespace}/{first.slug}-egress"
    assert policy in wanted(outside.cluster)
    await outside.install(tenant=first.tenant, plugin=FRONTEND)
    assert policy not in wanted(outside.cluster)


async def refuse_to_forget(_: object, coming: int = 0) -> tuple[()]:
    """What a broken record says when revisions are to go; a plan may still ask which ones would."""
    if coming:
        return ()
    return await refuse()


BROKEN: dict[str, Callable[[Outside], object]] = {
    "resolve": lambda to: to.releases.fails.update(releases=Unresolvable("not published")),
    "build": lambda to: to.images.failures.append(BuildFailed("exit code 1")),
    "judge": lambda to: setattr(to.scanners["trufflehog"], "findings", (SECRET,)),
    "roll_out": lambda to: setattr(to.cluster, "pods_are", "crash"),
    "verify": lambda to: setattr(to.web, "answers", [Reply(200, {"x-plugin-release": f"{PLUGIN}@1.2.3"}, "")]),
    "serve_revision": lambda to: setattr(to.operations, "serve_revision", refuse),
    "retire_revision": lambda to: setattr(to.operations, "bygone", refuse_to_forget),
}


@pytest.mark.parametrize("broken", BROKEN)
async def test_failure_at_a_step_sets_everything_back(outside: Outside, broken: str) -> None:
    first = await installed(outside, egress=EGRESS)
    before, images = wanted(outside.cluster), await outside.inventory()
    BROKEN[broken](outside)
    seen = await outside.install(tenant=first.tenant, plugin=FRONTEND, replicas=3)
    assert seen.operation.phase is Phase.WITHDRAWN, seen.operation.reason
    assert broken in [step.name for step in seen.operation.steps]
    assert wanted(outside.cluster) == before
    assert await outside.inventory() == images
    assert seen.revision == first.revision


async def test_an_update_of_a_plugin_with_data_stops_where_the_data_cannot_come_back(outside: Outside) -> None:
    """Everything else has been set back by then; a person accepts what remains, and the rest is taken back too."""
    first = await outside.install()
    before = wanted(outside.cluster)
    outside.releases.version = "2.0.0"
    plugin = {"name": PLUGIN, "version": "2.0.0", "runtime": {"type": "backend"}}
    seen = await outside.install(tenant=first.tenant, plugin=plugin)
    assert seen.operation.phase is Phase.FROZEN, seen.operation.reason
    assert seen.operation.reason is not None
    assert "hand_over_data cannot be taken back" in seen.operation.reason.message
    assert replicas(outside.cluster) == {f"{seen.slug}-r1": 1}
    await outside.words.retry(seen.operation.id, ANN, "looked at it", accept_remaining=True)
    seen = await outside.carry_on(seen)
    assert seen.operation.phase is Phase.WITHDRAWN, seen.operation.reason
    assert seen.revision == first.revision
    assert routed_to(outside.cluster) == [f"{seen.slug}-r1"]
    assert set(wanted(outside.cluster)) == set(before)


async def vanish(*_: object) -> None:
    """What a worker meets whose database is away: it concludes nothing and goes."""
    raise RecordAway("the database is away")


async def test_a_cancelled_update_is_taken_back_by_the_next_run(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever carried it has gone quietly; the next run finds that the way is back."""
    first = await installed(outside)
    before = wanted(outside.cluster)
    monkeypatch.setattr(outside.operations, "serve_revision", vanish)
    seen = await outside.install(tenant=first.tenant, plugin=FRONTEND, replicas=2)
    assert seen.operation.phase is Phase.APPLYING
    assert routed_to(outside.cluster) == [f"{seen.slug}-r2"]
    await outside.words.cancel(seen.operation.id, ANN, "not today")
    seen = await outside.carry_on(seen)
    assert seen.operation.phase is Phase.WITHDRAWN, seen.operation.reason
    assert seen.operation.reason is not None
    assert "ann" in seen.operation.reason.message
    assert wanted(outside.cluster) == before


async def test_planning_touches_nothing_and_its_hash_is_the_updates(outside: Outside) -> None:
    """The same inputs lead to the same plan; applying it takes its hash."""
    first = await installed(outside)
    before = wanted(outside.cluster)
    planned = await outside.plan(tenant=first.tenant, plugin=FRONTEND)
    assert planned.operation.phase is Phase.SUCCEEDED, planned.operation.reason
    assert wanted(outside.cluster) == before
