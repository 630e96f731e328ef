"""Whether the record is what was written: every journal against its chain, its row and its seals; and the record as a file to keep."""

import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col

from blocks.catalog.database import now_ms, pick, statement, unbroken
from blocks.catalog.journal import JOURNAL
from blocks.catalog.seals import Seals
from blocks.catalog.tables import Operation
from blocks.domain.audit import Broken, Row, examine
from blocks.domain.journal import Entry


class Audit:
    """An auditor of the whole record; it may read while others write."""

    def __init__(self, engine: AsyncEngine, seals: Seals) -> None:
        self._engine, self._seals = engine, seals

    async def verify(self) -> list[Broken]:
        """For each operation that was tampered with, the first entry that is not what was written; nothing if all is well."""
        # The sealed ones are listed first: what begins in between has a row by the time it is looked for.
        sealed = await self._seals.known()
        there = await self._operations()
        gone = sorted(set(sealed) - set(there), key=str)
        found = [Broken(operation, 1, "removed, with the whole operation") for operation in gone]
        for operation in there:
            found += await self._verify(operation)
        return found

    async def remarks(self) -> list[str]:
        """What is no alarm but worth saying: seals cut short by a death while writing, and entries not sealed yet."""
        said = []
        for operation in await self._operations():
            book, (row, _) = await self._seals.read(operation), await self._read(operation)
            if book.torn:
                said.append(f"{operation}: {book.torn} seal(s) were cut short while they were written")
            if row.seq > (book.last.seq if book.last else 0):
                said.append(f"{operation}: not sealed after entry {book.last.seq if book.last else 0}")
        return said

    async def catch_up(self, within: float | None = None) -> int:
        """Seal what a writer committed and did not live to seal; returns how many journals.

        Looked at are those touched in the last `within` seconds, or all. A journal that is not whole is left as it is, and so is one that
        lost all its seals: that is for people to look at.
        """
        caught = 0
        for operation in await self._operations(within):
            book, (row, entries) = await self._seals.read(operation), await self._read(operation)
            sealed = book.last.seq if book.last else 0
            died_now = row.seq > sealed and (sealed or row.seq == 1)
            if died_now and not book.forged and examine(row, entries, book.seals) is None:
                await self._seals.keep(operation, row.seq, row.head)
                caught += 1
        return caught

    async def export(self) -> AsyncIterator[str]:
        """Every entry of every operation as a line of JSON, the operations in the order in which they were asked for."""
        for operation in await self._operations():
            _, entries = await self._read(operation)
            for entry in entries:
                yield json.dumps(asdict(entry) | {"operation": str(operation)}) + "\n"

    async def _verify(self, operation: UUID) -> list[Broken]:
        # Seals are read before the journal: an entry is there before its seal, so what is sealed must be found.
        book = await self._seals.read(operation)
        row, entries = await self._read(operation)
        found = examine(row, entries, book.seals)
        if found is None and book.forged:
            found = Broken(operation, 0, f"{book.forged} seal(s) were not signed by us")
        return [found] if found else []

    @unbroken
    async def _operations(self, within: float | None = None) -> list[UUID]:
        asked = pick(Operation.id).order_by(col(Operation.created_at), col(Operation.id))
        if within is not None:
            asked = asked.where(col(Operation.updated_at) >= now_ms() - int(within * 1000))
        async with statement(self._engine) as database:
            return [UUID(str(row.id)) for row in await database.execute(asked)]

    @unbroken
    async def _read(self, operation: UUID) -> tuple[Row, list[Entry]]:
        """The operation's row and journal as they are, whole or not, seen at one moment."""
        stands: tuple[Any, ...] = (Operation.head, col(Operation.seq).label("length"), Operation.phase)
        both = pick(*stands, *JOURNAL.c).outerjoin(JOURNAL, JOURNAL.c.operation == col(Operation.id))
        mine = both.where(col(Operation.id) == operation).order_by(JOURNAL.c.seq)
        async with statement(self._engine) as database:
            rows = (await database.execute(mine)).mappings().all()
        row = Row(operation, rows[0]["length"], rows[0]["head"], rows[0]["phase"]) if rows else Row(operation, 0, "", "requested")
        return row, [_as_it_is(one) for one in rows if one["seq"] is not None]


def _as_it_is(row: RowMapping) -> Entry:
    """The entry in the row, whatever somebody may have written there: a kind that does not exist stays what it is."""
    return Entry(**{str(name): row[name] for name in JOURNAL.c.keys()})  # noqa: SIM118 (a column collection, not a mapping)
