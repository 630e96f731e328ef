"""Two records with one face: the one in memory, and the catalogue on a database, each with a worker who carries operations."""

import json
from dataclasses import asdict
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.audit import Audit as LiveAudit
from blocks.catalog.health import Checkups
from blocks.catalog.journal import Journal
from blocks.catalog.leases import Leases
from blocks.catalog.neighbours import Neighbours as LiveNeighbours
from blocks.catalog.operations import Operations, needs_of
from blocks.catalog.quarantine import Quarantines
from blocks.catalog.requests import Asked, Requested
from blocks.catalog.requests import Requests as LiveRequests
from blocks.catalog.seals import FolderSeals
from blocks.catalog.tables import Revision
from blocks.catalog.timeline import Timelines as LiveTimelines
from blocks.catalog.views import Views as LiveViews
from blocks.catalog.waivers import Waivers as LiveWaivers
from blocks.catalog.watches import Watches as LiveWatches
from blocks.catalog.words import Words as LiveWords
from blocks.domain.approval import Question
from blocks.domain.health import judge_answer
from blocks.domain.journal import Fact, Kind, Reason
from blocks.domain.status import InstallationView
from deployments.api.ports import Audit, Neighbours, Orders, Requests, Timelines, Views, Waivers, Watches, Words
from tests.builders import make_request
from tests.deployments.builders import FAR, HASH
from tests.fakes.operations import FakeRecord

WRONG = Reason("unresolvable", "there is no such release", "ask for another")
UNDECIDED = Reason("undecided", "no requests were answered", "promote the stage, or cancel the operation")
STAGE = "watch_stage:1"
ANN = Asked("ann")


class Record(Protocol):
    """What the API asks, and a worker who carries an operation to where it waits or ends."""

    requests: Requests
    words: Words
    views: Views
    timelines: Timelines
    watches: Watches
    waivers: Waivers
    audit: Audit
    orders: Orders
    neighbours: Neighbours

    async def tell(self, operation: UUID, *facts: Fact) -> None:
        """These facts, by a worker who then lets go."""

    async def succeed(self, asked: Requested) -> None:
        """One step, and a good end."""

    async def check(self, asked: Requested, status: int) -> None:
        """A keeper asks what serves how it is, and this is the answer."""


async def install(record: Record, by: Asked = ANN, **changes: Any) -> Requested:
    """A wish to install."""
    return await record.requests.request_install(make_request(**changes), by)


async def serve(record: Record, **changes: Any) -> Requested:
    """Something that serves."""
    asked = await install(record, **changes)
    await record.succeed(asked)
    return asked


async def see(record: Record, asked: Requested) -> InstallationView:
    """The installation."""
    seen = await record.views.installation(asked.installation)
    assert seen is not None
    return seen


async def fail(record: Record, asked: Requested) -> None:
    """One step, and a bad end."""
    failed = Fact("operation", Kind.FAILED, "worker", json.dumps(asdict(WRONG)))
    await record.tell(asked.operation, intended("resolve"), failed, Fact("operation", Kind.WITHDRAWN, "worker"))


async def freeze(record: Record, asked: Requested) -> None:
    """One step, and a stop from which only people lead on."""
    frozen = Fact("operation", Kind.FROZEN, "worker", json.dumps(asdict(WRONG)))
    await record.tell(asked.operation, intended("resolve"), frozen)


async def ask(record: Record, asked: Requested, requester: str = "ann", quorum: int = 1) -> None:
    """A question about a plan, and nobody who carries the operation until it is answered."""
    question = Question(HASH, requester, quorum, ("admin", "approver"), FAR).write()
    await record.tell(asked.operation, intended("approval"), Fact("approval", Kind.PARKED, "worker", question))


async def watch(record: Record, asked: Requested) -> None:
    """A stage that is watched."""
    await record.tell(asked.operation, intended(STAGE))


async def leave_undecided(record: Record, asked: Requested) -> None:
    """A stage of which only a person can say how to go on."""
    question = json.dumps({"why": asdict(UNDECIDED)})
    await record.tell(asked.operation, intended(STAGE), Fact(STAGE, Kind.PARKED, "worker", question))


def intended(step: str) -> Fact:
    """The beginning of a step."""
    return Fact(step, Kind.INTENDED, "worker")


class InMemory:
    """The fake."""

    def __init__(self) -> None:
        self.record = FakeRecord()
        self.requests: Requests = self.record
        self.words: Words = self.record
        self.views: Views = self.record
        self.timelines: Timelines = self.record
        self.watches: Watches = self.record
        self.waivers: Waivers = self.record
        self.audit: Audit = self.record
        self.orders: Orders = self.record
        self.neighbours: Neighbours = self.record

    async def tell(self, operation: UUID, *facts: Fact) -> None:
        """These facts, by a worker."""
        for fact in facts:
            self.record.tell(operation, fact.step, fact.kind, fact.payload)

    async def succeed(self, asked: Requested) -> None:
        """One step, and a good end."""
        await self.tell(asked.operation, intended("resolve"), Fact("resolve", Kind.DONE, "worker", '{"a": 1}'))
        self.record.succeed(asked.operation)

    async def check(self, asked: Requested, status: int) -> None:
        """A keeper asks."""
        self.record.check(asked.installation, judge_answer(self.record.tick(), "/ready", status), 0.5)


class Live:
    """The catalogue."""

    def __init__(self, engine: AsyncEngine, seals: FolderSeals) -> None:
        self._engine, self._seals = engine, seals
        self._operations = Operations(engine)
        self.requests: Requests = LiveRequests(engine)
        self.words: Words = LiveWords(engine, self._seals)
        self.views: Views = LiveViews(engine)
        self.timelines: Timelines = LiveTimelines(engine)
        self.watches: Watches = LiveWatches(engine)
        self.waivers: Waivers = LiveWaivers(engine)
        self.audit: Audit = LiveAudit(engine, self._seals)
        self.orders: Orders = self._operations
        self.neighbours: Neighbours = LiveNeighbours(engine)

    async def tell(self, operation: UUID, *facts: Fact) -> None:
        """These facts, by a worker who then lets go."""
        lease = await Leases(self._engine, 60).acquire(operation, "worker")
        for fact in facts:
            await Journal(self._engine, self._seals).append(lease, fact)

    async def succeed(self, asked: Requested) -> None:
        """One step, and a good end with what that leaves behind."""
        order = await self._operations.order(asked.operation)
        done, finished = Fact("resolve", Kind.DONE, "worker", '{"a": 1}'), Fact("operation", Kind.FINISHED, "worker")
        await self.tell(asked.operation, intended("resolve"), done, finished)
        match order.verb:
            case "install" | "update":
                release = f"{order.request.plugin.name}@{order.request.plugin.version}"
                made = _made(asked, order.revision, release)
                await self._operations.serve_revision(made.model_copy(update={"needs": needs_of(order.request)}))
            case "rollback":
                serving = await self._operations.serving(asked.installation)
                kept = await self._operations.revision(asked.installation, order.revision)
                assert serving is not None
                assert kept is not None
                said = (order.actor, order.wish.reason)
                await Quarantines(self._engine).put_in(asked.installation, serving.release, said)
                again = Requested(asked.installation, kept.operation, created=True)
                await self._operations.serve_revision(_made(again, order.revision, kept.release))
            case "uninstall":
                await self._operations.serve_again(asked.installation, 0)
            case "enable" | "disable":
                await self._operations.switch(asked.installation, enabled=order.verb == "enable")

    async def check(self, asked: Requested, status: int) -> None:
        """A keeper asks, when it is the turn of the one installation."""
        checkups = Checkups(self._engine)
        (turn,) = await checkups.take_turns(5)
        assert turn.installation == asked.installation
        await checkups.note(turn, judge_answer(turn.began + 500, "/ready", status))


def _made(asked: Requested, number: int, release: str) -> Revision:
    return Revision(
        installation=asked.installation,
        number=number,
        operation=asked.operation,
        release=release,
        integrity="sha512-x",
        image=f"i@sha256:{number}",
        plan="p",
        url="http://x",
        created_at=0,
    )
