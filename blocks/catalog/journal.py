"""The append-only record; nothing enters it without the current lease."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import Executable, Select, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import SQLModel, col

from blocks.catalog.database import now_ms, statement, transaction, unbroken
from blocks.catalog.leases import Lease, still_held
from blocks.catalog.tables import JournalEntry, Operation
from blocks.domain.errors import ChainBroken, LeaseLost
from blocks.domain.journal import PHASE_AFTER, Entry, Fact, Kind, first_broken

JOURNAL = SQLModel.metadata.tables[str(JournalEntry.__tablename__)]
# These entries carry a reason as their payload, and the operation's row shows it to people.
WITH_REASON = frozenset({Kind.FAILED, Kind.REFUSED, Kind.FROZEN})


class Journal:
    """The journals of all operations."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

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
        return entry

    @unbroken
    async def read(self, operation: UUID) -> list[Entry]:
        """All entries in order, or raise `ChainBroken` with the first that is not what was written."""
        async with statement(self._engine) as database:
            rows = (await database.execute(_head_and_lines(operation))).mappings().all()
        entries = [_entry(row) for row in rows if row["seq"] is not None]
        if rows and (broken := first_broken(entries, rows[0]["head"])):
            raise ChainBroken(f"journal of operation {operation} is broken at entry {broken}")
        return entries


def _next_place(lease: Lease, fact: Fact) -> Executable:
    moved: dict[str, Any] = {"seq": Operation.seq + 1, "phase": PHASE_AFTER[fact.kind].value}
    if fact.kind in WITH_REASON:
        moved["reason"] = fact.payload
    place = update(Operation).where(still_held(lease)).values(moved)
    return place.returning(col(Operation.seq), col(Operation.head).label("prev"), now_ms().label("at"))


def _head_and_lines(operation: UUID) -> Select[Any]:
    # One statement, so that head and lines come from one snapshot: an auditor may read while a worker writes.
    same = JOURNAL.c.operation == col(Operation.id)
    both: Select[Any] = select(col(Operation.head), *JOURNAL.c).outerjoin(JOURNAL, same)
    return both.where(col(Operation.id) == operation).order_by(JOURNAL.c.seq)


def _entry(row: Mapping[str, Any]) -> Entry:
    fields = {name: value for name, value in row.items() if name != "head"}
    return Entry(**{**fields, "kind": Kind(row["kind"])})
