"""The append-only record; nothing enters it without the current lease, but for the words of people (words.py)."""

import json
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import Executable, RowMapping, Select, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import SQLModel, col

from blocks.catalog.database import now_ms, statement, transaction, unbroken
from blocks.catalog.leases import Lease, still_held
from blocks.catalog.seals import Seals
from blocks.catalog.tables import JournalEntry, Operation
from blocks.domain.errors import ChainBroken, LeaseLost
from blocks.domain.journal import PHASE_AFTER, WORKABLE, Entry, Fact, Kind, first_broken
from blocks.domain.status import told_reason

JOURNAL = SQLModel.metadata.tables[str(JournalEntry.__tablename__)]


class Journal:
    """The journals of all operations; with seals, every head is also kept outside the database."""

    def __init__(self, engine: AsyncEngine, seals: Seals | None = None) -> None:
        self._engine, self._seals = engine, seals

    @unbroken
    async def append(self, lease: Lease, fact: Fact) -> Entry:
        """Seal the fact behind the last entry and move the phase, or raise `LeaseLost` and change nothing.

        The first statement is fence, lock, counter and clock in one: it matches no row under an outdated token, and nobody else gets
        past it before the commit. It must stay the first: SQLite cannot turn a read into a write under load.
        """
        async with transaction(self._engine) as database:
            place = (await database.execute(_next_place(lease, fact))).mappings().one_or_none()
            if place is None:
                raise LeaseLost(f"operation {lease.operation} is held by another worker")
            entry = Entry(lease.operation, token=lease.token, **vars(fact), **place).sealed()
            await database.execute(insert(JOURNAL).values(asdict(entry)))
            await database.execute(update(Operation).where(still_held(lease)).values(head=entry.hash, updated_at=entry.at))
        # After the commit, because a seal for what was never written would be a false alarm; `catch_up` mends a death in between.
        if self._seals:
            await self._seals.keep(entry.operation, entry.seq, entry.hash)
        return entry

    @unbroken
    async def now(self) -> int:
        """Milliseconds since 1970 by the database's clock, the only one that counts."""
        async with statement(self._engine) as database:
            return int((await database.execute(select(now_ms()))).scalar_one())

    @unbroken
    async def read(self, operation: UUID) -> list[Entry]:
        """All entries in order, or raise `ChainBroken` with the first that is not what was written."""
        async with statement(self._engine) as database:
            return await read_journal(database, operation)


async def read_journal(database: AsyncConnection, operation: UUID) -> list[Entry]:
    """All entries in order as the connection sees them, or raise `ChainBroken`."""
    rows = (await database.execute(_head_and_lines(operation))).mappings().all()
    entries = [as_entry(row) for row in rows if row["seq"] is not None]
    if rows and (broken := first_broken(entries, rows[0]["head"])):
        raise ChainBroken(f"journal of operation {operation} is broken at entry {broken}")
    return entries


def row_after(fact: Fact) -> dict[str, Any]:
    """What the operation's row says once the fact is its last entry; who parks or ends holds neither slot nor lease any more."""
    phase = PHASE_AFTER[fact.kind]
    moved: dict[str, Any] = {"phase": phase.value}
    if phase not in WORKABLE:
        moved |= {"slot": False, "holder": "", "expires": 0}
    if why := told_reason(fact):
        moved["reason"] = why
    if fact.kind is not Kind.VOTED:
        moved["wakes_at"] = _wakes_at(fact)
    return moved


def as_entry(row: RowMapping) -> Entry:
    """The entry in a row of the journal, or raise `ChainBroken` for a kind that nobody here ever wrote."""
    fields = {name: row[name] for name in JOURNAL.c.keys()}  # noqa: SIM118 (a column collection, not a mapping)
    try:
        return Entry(**{**fields, "kind": Kind(row["kind"])})
    except ValueError as problem:
        raise ChainBroken(f"journal of operation {row['operation']} is broken at entry {row['seq']}") from problem


def _next_place(lease: Lease, fact: Fact) -> Executable:
    place = update(Operation).where(still_held(lease)).values(row_after(fact) | {"seq": Operation.seq + 1})
    return place.returning(col(Operation.seq), col(Operation.head).label("prev"), now_ms().label("at"))


def _wakes_at(fact: Fact) -> int:
    told = json.loads(fact.payload) if fact.kind is Kind.PARKED else None
    return int(told.get("expires_at", 0)) if isinstance(told, dict) else 0


def _head_and_lines(operation: UUID) -> Select[Any]:
    # One statement, so that head and lines come from one snapshot: an auditor may read while a worker writes.
    same = JOURNAL.c.operation == col(Operation.id)
    both: Select[Any] = select(col(Operation.head), *JOURNAL.c).outerjoin(JOURNAL, same)
    return both.where(col(Operation.id) == operation).order_by(JOURNAL.c.seq)
