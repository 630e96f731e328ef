"""What people see of the record: what waits for them, what served, what is kept out; on both databases."""

from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.journal import Journal
from blocks.catalog.leases import Leases
from blocks.catalog.operations import Operations
from blocks.catalog.quarantine import Quarantines
from blocks.catalog.requests import Asked, Requests
from blocks.catalog.tables import Revision
from blocks.catalog.views import Views
from blocks.domain.journal import Fact, Kind
from tests.blocks.catalog.records import BOB, Record
from tests.builders import make_request

ANN = Asked("ann")


def make_revision(record: Record, number: int) -> Revision:
    """A revision of the record's installation that runs release `x@number`."""
    return Revision(
        installation=record.installation,
        number=number,
        operation=record.operation,
        release=f"x@{number}",
        integrity="sha512-x",
        image=f"registry/x@{number}",
        plan="sha256:1",
        url="http://x",
        created_at=0,
    )


async def end(engine: AsyncEngine, operation: UUID, *kinds: Kind) -> None:
    """Let the operation go through these."""
    leases, journal = Leases(engine, 60), Journal(engine)
    lease = await leases.acquire(operation, "worker")
    for kind in kinds:
        await journal.append(lease, Fact("operation", kind, "worker"))
    await leases.release(lease)


async def newest(record: Record) -> UUID:
    """The operation that is shown with the installation."""
    seen = await Views(record.engine).installation(record.installation)
    assert seen is not None
    return seen.operation.id


@pytest.mark.parametrize(
    ("tenants", "seen"),
    [
        pytest.param(None, 1, id="of everybody"),
        pytest.param(frozenset({"default"}), 1, id="of this tenant"),
        pytest.param(frozenset({"other"}), 0, id="of another tenant"),
        pytest.param(frozenset(), 0, id="of nobody"),
    ],
)
async def test_what_waits_for_people(record: Record, tenants: frozenset[str] | None, seen: int) -> None:
    """With the question and who agreed, also below a plan that was made since."""
    await record.ask(quorum=2)
    await record.words.approve(record.operation, BOB, "sha256:1", "fine")
    await Requests(record.engine).request_plan(make_request(plugin={"name": "catalog"}), ANN)
    waiting = await Views(record.engine).waiting(tenants)
    assert [one.operation.id for one in waiting] == [record.operation] * seen
    for one in waiting:
        assert one.operation.question is not None
        assert [(vote.subject, vote.comment) for vote in one.operation.votes] == [("bob", "fine")]


async def test_nothing_waits_once_it_is_answered(record: Record) -> None:
    """However it was."""
    await record.ask()
    await record.words.refuse(record.operation, BOB, "sha256:1", "no")
    assert await Views(record.engine).waiting(None) == ()


async def test_a_plan_hides_nothing(record: Record) -> None:
    """And is shown only where there is nothing else."""
    requests = Requests(record.engine)
    await requests.request_plan(make_request(plugin={"name": "catalog"}), ANN)
    assert await newest(record) == record.operation
    alone = await requests.request_plan(make_request(plugin={"name": "new"}), ANN)
    seen = await Views(record.engine).installation(alone.installation)
    assert seen is not None
    assert seen.operation.verb == "plan"


async def test_the_operation_that_matters_is_shown(record: Record) -> None:
    """A frozen one until something else has changed what it left; then what came last."""
    requests = Requests(record.engine)
    await end(record.engine, record.operation, Kind.INTENDED, Kind.FROZEN)
    away = await requests.request_uninstall(record.installation, ANN)
    assert await newest(record) == away.operation
    await end(record.engine, away.operation, Kind.FAILED, Kind.WITHDRAWN)
    assert await newest(record) == record.operation
    again = await requests.request_uninstall(record.installation, ANN)
    await end(record.engine, again.operation, Kind.FINISHED)
    assert await newest(record) == again.operation


async def test_revisions_say_when_they_served_and_whether_they_may_again(record: Record) -> None:
    """The last one first: going back to an old one makes it the last."""
    operations, quarantines = Operations(record.engine), Quarantines(record.engine)
    for number in (1, 2):
        await operations.serve_revision(make_revision(record, number))
        await record.sql(f"UPDATE revision SET served_at = {number} WHERE number = {number}")
    await quarantines.put_in(record.installation, "x@2", ("ann", "slow"))
    await record.sql("UPDATE installation SET revision = 1")
    await record.sql("UPDATE revision SET served_at = 3 WHERE number = 1")
    seen = await Views(record.engine).revisions(record.installation)
    assert [(one.number, one.serving, one.quarantined) for one in seen] == [(1, True, False), (2, False, True)]
    await quarantines.take_out(record.installation, "x@2", ("bob", "mended"))
    seen = await Views(record.engine).revisions(record.installation)
    assert [one.quarantined for one in seen] == [False, False]
    assert (seen[0].release, seen[0].operation) == ("x@1", record.operation)


async def test_quarantine_is_remembered_when_it_is_lifted(record: Record) -> None:
    """Who kept the release out and why, and who let it in again and why."""
    quarantines = Quarantines(record.engine)
    await quarantines.put_in(record.installation, "x@2", ("ann", "slow"))
    await quarantines.take_out(record.installation, "x@2", ("bob", "mended"))
    (kept,) = await Views(record.engine).quarantines(record.installation)
    assert (kept.release, kept.actor, kept.reason, kept.lifted_by, kept.lifted_why) == ("x@2", "ann", "slow", "bob", "mended")
    assert kept.lifted_at >= kept.at > 0


async def test_what_was_asked_for_is_shown_with_its_place(record: Record) -> None:
    """Priority, wish and the place in the queue, which nobody has who may go."""
    views = Views(record.engine)
    waiting = await views.operation(record.operation)
    assert waiting is not None
    assert (waiting.place, waiting.priority, waiting.wish.reason) == (1, 1, "")
    await record.slots.take(record.operation)
    going = await views.operation(record.operation)
    assert going is not None
    assert going.place == 0
