"""The contract of the record: the one in memory answers every question as the real one does, on each database."""

import json
from dataclasses import asdict
from typing import Any, Protocol
from uuid import UUID, uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.journal import Journal
from blocks.catalog.leases import Leases
from blocks.catalog.operations import Operations as LiveOperations
from blocks.catalog.operations import Requested
from blocks.catalog.tables import Revision
from blocks.catalog.views import Views as LiveViews
from blocks.catalog.views import Wanted
from blocks.domain.asking import AlreadyInstalled, Busy, KeyReused, NotInstalled
from blocks.domain.errors import Terminal
from blocks.domain.journal import Fact, Kind, Phase, Reason
from blocks.domain.status import StepState
from deployments.api.ports import Operations, Views
from tests.builders import make_request
from tests.fakes.operations import FakeRecord

WRONG = Reason("unresolvable", "there is no such release", "ask for another")


class Record(Protocol):
    """Operations, views, and a worker who carries an operation to an end."""

    operations: Operations
    views: Views

    async def succeed(self, asked: Requested, verb: str = "install") -> None:
        """One step, and a good end."""

    async def fail(self, asked: Requested) -> None:
        """One step, and a bad end."""


class InMemory:
    """The fake."""

    def __init__(self) -> None:
        self._record = FakeRecord()
        self.operations: Operations = self._record
        self.views: Views = self._record

    async def succeed(self, asked: Requested, verb: str = "install") -> None:
        """One step, and a good end."""
        self._record.tell(asked.operation, "resolve", Kind.INTENDED)
        self._record.tell(asked.operation, "resolve", Kind.DONE, '{"a": 1}')
        self._record.succeed(asked.operation)

    async def fail(self, asked: Requested) -> None:
        """One step, and a bad end."""
        self._record.tell(asked.operation, "resolve", Kind.INTENDED)
        self._record.withdraw(asked.operation, WRONG)


class Live:
    """The catalogue."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine, self._operations = engine, LiveOperations(engine)
        self.operations: Operations = self._operations
        self.views: Views = LiveViews(engine)

    async def succeed(self, asked: Requested, verb: str = "install") -> None:
        """One step, and a good end."""
        order = await self._operations.order(asked.operation)
        done, finished = Fact("resolve", Kind.DONE, "worker", '{"a": 1}'), Fact("operation", Kind.FINISHED, "worker")
        await self._tell(asked, Fact("resolve", Kind.INTENDED, "worker"), done, finished)
        if verb == "install":
            made: dict[str, Any] = {
                "release": "x@2.0.8",
                "integrity": "sha512-x",
                "image": "i@sha256:1",
                "plan": "p",
                "url": "http://x",
                "created_at": 0,
            }
            await self._operations.serve_revision(
                Revision(installation=asked.installation, number=order.revision, operation=asked.operation, **made)
            )
        else:
            await self._operations.serve_nothing(asked.installation)

    async def fail(self, asked: Requested) -> None:
        """One step, and a bad end."""
        failed = Fact("operation", Kind.FAILED, "worker", json.dumps(asdict(WRONG)))
        await self._tell(asked, Fact("resolve", Kind.INTENDED, "worker"), failed, Fact("operation", Kind.WITHDRAWN, "worker"))

    async def _tell(self, asked: Requested, *facts: Fact) -> None:
        lease = await Leases(self._engine, 60).acquire(asked.operation, "worker")
        for fact in facts:
            await Journal(self._engine).append(lease, fact)


class Contract:
    """What both must do."""

    async def test_a_new_wish_is_seen_as_requested(self, record: Record) -> None:
        asked = await record.operations.request_install(make_request(), "ann", None)
        seen = await record.views.installation(asked.installation)
        assert seen is not None
        assert (asked.created, seen.revision, seen.operation.id) == (True, None, asked.operation)
        assert (seen.operation.verb, seen.operation.phase, seen.operation.actor) == ("install", Phase.REQUESTED, "ann")
        assert (seen.slug, seen.namespace) == ("backstage-plugin-catalog", "default-dev")
        assert seen.operation.installation == seen.id

    async def test_the_same_wish_is_the_same_operation(self, record: Record) -> None:
        first = await record.operations.request_install(make_request(), "ann", None)
        second = await record.operations.request_install(make_request(), "bob", None)
        assert second == Requested(first.installation, first.operation, created=False)
        await record.succeed(first)
        assert await record.operations.request_install(make_request(), "ann", None) == second

    async def test_another_wish_has_to_wait_or_is_refused(self, record: Record) -> None:
        first = await record.operations.request_install(make_request(), "ann", None)
        with pytest.raises(Busy):
            await record.operations.request_install(make_request(replicas=2), "ann", None)
        with pytest.raises(Busy):
            await record.operations.request_uninstall(first.installation, "ann", drop_data=False)
        await record.succeed(first)
        with pytest.raises(AlreadyInstalled):
            await record.operations.request_install(make_request(replicas=2), "ann", None)

    async def test_a_key_stands_for_one_body_in_one_tenant(self, record: Record) -> None:
        first = await record.operations.request_install(make_request(), "ann", "k")
        await record.fail(first)
        assert (await record.operations.request_install(make_request(), "ann", "k")).operation == first.operation
        with pytest.raises(KeyReused):
            await record.operations.request_install(make_request(replicas=2), "ann", "k")
        other = await record.operations.request_install(make_request(tenant="other"), "ann", "k")
        assert other.created

    async def test_a_success_serves(self, record: Record) -> None:
        asked = await record.operations.request_install(make_request(), "ann", None)
        await record.succeed(asked)
        seen = await record.views.installation(asked.installation)
        assert seen is not None
        assert seen.revision is not None
        assert (seen.operation.phase, seen.revision.number) == (Phase.SUCCEEDED, 1)
        (step,) = seen.operation.steps
        assert (step.name, step.state, step.result) == ("resolve", StepState.DONE, '{"a": 1}')
        assert step.seconds is not None

    async def test_a_failure_says_why_and_leaves_room_for_the_next(self, record: Record) -> None:
        asked = await record.operations.request_install(make_request(), "ann", None)
        await record.fail(asked)
        seen = await record.views.installation(asked.installation)
        assert seen is not None
        assert (seen.operation.phase, seen.operation.reason, seen.revision) == (Phase.WITHDRAWN, WRONG, None)
        assert [step.state for step in seen.operation.steps] == [StepState.FAILED]
        again = await record.operations.request_install(make_request(), "ann", None)
        assert (again.created, again.installation) == (True, asked.installation)
        old = await record.views.operation(asked.operation)
        assert old is not None
        assert (old.phase, old.installation, len(old.steps)) == (Phase.WITHDRAWN, asked.installation, 1)

    async def test_what_serves_can_be_taken_away_once(self, record: Record) -> None:
        asked = await record.operations.request_install(make_request(), "ann", None)
        await record.succeed(asked)
        away = await record.operations.request_uninstall(asked.installation, "ann", drop_data=True)
        again = await record.operations.request_uninstall(asked.installation, "ann", drop_data=True)
        assert (away.created, again.created, again.operation) == (True, False, away.operation)
        await record.succeed(away, "uninstall")
        seen = await record.views.installation(asked.installation)
        assert seen is not None
        assert (seen.operation.verb, seen.revision) == ("uninstall-with-data", None)
        with pytest.raises(NotInstalled):
            await record.operations.request_uninstall(asked.installation, "ann", drop_data=False)

    async def test_what_is_not_there_is_not_there(self, record: Record) -> None:
        assert await record.views.installation(uuid4()) is None
        assert await record.views.operation(uuid4()) is None
        with pytest.raises(Terminal):
            await record.operations.request_uninstall(uuid4(), "ann", drop_data=False)

    async def test_pages_hold_everything_once(self, record: Record) -> None:
        made = {
            (await record.operations.request_install(make_request(tenant=f"t{n}"), "ann", None)).installation for n in range(5)
        }
        seen: list[UUID] = []
        after: str | None = None
        for _ in range(3):
            page = await record.views.installations(Wanted(), 2, after)
            seen, after = seen + [one.id for one in page.items], page.next
        assert (after, len(seen), set(seen)) == (None, 5, made)

    @pytest.mark.parametrize(
        ("wanted", "count"),
        [
            pytest.param(Wanted(), 3, id="all"),
            pytest.param(Wanted(frozenset()), 0, id="of no tenant"),
            pytest.param(Wanted(frozenset({"acme"})), 2, id="of one tenant"),
            pytest.param(Wanted(frozenset({"acme", "other"}), "dev"), 2, id="of two tenants in one environment"),
            pytest.param(Wanted(phase=Phase.SUCCEEDED), 1, id="in one phase"),
        ],
    )
    async def test_lists(self, record: Record, wanted: Wanted, count: int) -> None:
        await record.operations.request_install(make_request(tenant="acme"), "ann", None)
        await record.operations.request_install(make_request(tenant="acme", environment="prod"), "ann", None)
        await record.succeed(await record.operations.request_install(make_request(tenant="other"), "ann", None))
        assert len((await record.views.installations(wanted, 50, None)).items) == count

    async def test_counts(self, record: Record) -> None:
        await record.succeed(await record.operations.request_install(make_request(tenant="acme"), "ann", None))
        await record.fail(await record.operations.request_install(make_request(tenant="other"), "ann", None))
        counts = await record.views.counts()
        assert counts.installations == {("acme", "succeeded"): 1, ("other", "withdrawn"): 1}
        assert counts.operations == {("install", "succeeded"): 1, ("install", "withdrawn"): 1}
        assert (counts.serving, counts.reasons) == ({"acme": 1}, {("install", "unresolvable"): 1})
        assert (counts.entries["resolve", "intended"], counts.entries["resolve", "done"]) == (2, 1)
        assert len(counts.durations["install"]) == 2


class TestInMemory(Contract):
    """The fake keeps the contract."""

    @pytest.fixture
    def record(self) -> Record:
        """An empty record in memory."""
        return InMemory()


class TestLive(Contract):
    """So does the catalogue."""

    @pytest.fixture
    def record(self, engine: AsyncEngine) -> Record:
        """An empty record in a database."""
        return Live(engine)
