"""One recorded operation with everything that reads and writes it; made short for tests of the record."""

import json
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col

from blocks.catalog.audit import Audit
from blocks.catalog.database import lease_ms
from blocks.catalog.journal import Journal
from blocks.catalog.leases import Lease, Leases
from blocks.catalog.requests import Asked, Requests
from blocks.catalog.seals import FolderSeals
from blocks.catalog.slots import Slots
from blocks.catalog.tables import Operation
from blocks.catalog.words import Words
from blocks.domain.approval import APPROVAL, Question, Speaker
from blocks.domain.journal import Entry, Fact, Kind
from tests.builders import make_request

ANN = Speaker("ann", frozenset({"developer"}))
BOB = Speaker("bob", frozenset({"approver"}))
HOUR = 3600 * 1000
STAGE = "watch_stage:1"


@dataclass(frozen=True)
class Record:
    """One operation, and who may write and read it."""

    engine: AsyncEngine
    seals: FolderSeals
    journal: Journal
    leases: Leases
    words: Words
    slots: Slots
    audit: Audit
    operation: UUID
    installation: UUID

    async def begin(self, *kinds: Kind) -> Lease:
        """A lease under which the build was begun, and whatever else."""
        lease = await self.leases.acquire(self.operation, "worker")
        for kind in (Kind.INTENDED, *kinds):
            await self.journal.append(lease, Fact("build", kind, "worker"))
        return lease

    async def ask(self, stands_ms: int = HOUR, quorum: int = 1) -> Lease:
        """A lease under which people were asked whether they agree."""
        lease = await self.begin(Kind.DONE)
        await self.journal.append(lease, Fact(APPROVAL, Kind.INTENDED, "worker", "[]"))
        question = Question("sha256:1", "ann", quorum, ("approver",), await self.journal.now() + stands_ms)
        await self.journal.append(lease, Fact(APPROVAL, Kind.PARKED, "worker", question.write()))
        return lease

    async def watch(self, *, undecided: str = "") -> Lease:
        """A lease under which a stage is watched, or was until only a person could say how to go on, and why."""
        lease = await self.begin(Kind.DONE)
        await self.journal.append(lease, Fact(STAGE, Kind.INTENDED, "worker", "[1]"))
        if undecided:
            why = {"why": {"code": "undecided", "message": undecided, "hint": "promote it"}}
            await self.journal.append(lease, Fact(STAGE, Kind.PARKED, "worker", json.dumps(why)))
        return lease

    async def dispatch(self) -> None:
        """A run was started just now."""
        async with self.engine.begin() as database:
            await database.execute(update(Operation).where(col(Operation.id) == self.operation).values(dispatched_at=lease_ms()))

    async def kinds(self) -> list[Kind]:
        """What the entries say, one after the other."""
        return [entry.kind for entry in await self.entries()]

    async def entries(self) -> list[Entry]:
        """The whole journal."""
        return await self.journal.read(self.operation)

    async def row(self, *names: str) -> tuple[object, ...]:
        """These columns of the operation's row."""
        return tuple((await self.sql(f"SELECT {', '.join(names)} FROM operation WHERE id = :id"))[0])

    async def sql(self, statement: str) -> list[tuple[object, ...]]:
        """What the statement returns, run by somebody who may do anything in the database."""
        same = self.operation.hex if self.engine.dialect.name == "sqlite" else self.operation
        async with self.engine.begin() as database:
            done = await database.execute(text(statement), {"id": same} if ":id" in statement else {})
            return [tuple(row) for row in done] if done.returns_rows else []


async def make_record(engine: AsyncEngine, folder: Path, plugin: str = "catalog") -> Record:
    """An operation that was asked for and has not begun."""
    seals = FolderSeals(folder / "seals", folder / "seals.key")
    asked = await Requests(engine).request_install(make_request(plugin={"name": plugin}), Asked("ann"))
    return Record(
        engine=engine,
        seals=seals,
        journal=Journal(engine, seals),
        leases=Leases(engine, ttl=60),
        words=Words(engine, seals),
        slots=Slots(engine),
        audit=Audit(engine, seals),
        operation=asked.operation,
        installation=asked.installation,
    )
