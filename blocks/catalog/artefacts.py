"""What was made once: the same inputs are never resolved, built or scanned twice."""

from uuid import UUID

from sqlalchemy import Insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import SQLModel, col

from blocks.catalog.database import now_ms, pick, statement, unbroken
from blocks.catalog.tables import Artefact, Revision


class Artefacts:
    """The memory of all operations, read and written for one of them."""

    def __init__(self, engine: AsyncEngine, operation: UUID) -> None:
        self._engine, self._operation = engine, operation

    @unbroken
    async def find(self, kind: str, key: str) -> str | None:
        """What was kept under the key, or None."""
        kept = pick(Artefact.value).where(col(Artefact.kind) == kind, col(Artefact.key) == key)
        async with statement(self._engine) as database:
            value: str | None = (await database.execute(kept)).scalar_one_or_none()
        return value

    @unbroken
    async def keep(self, kind: str, key: str, text: str) -> None:
        """Keep the text under the key; what was kept before is replaced."""
        row = {"kind": kind, "key": key, "value": text, "operation": self._operation, "created_at": now_ms()}
        write = upsert(self._engine, Artefact).values(row)
        changed = {name: write.excluded[name] for name in ("value", "operation", "created_at")}
        async with statement(self._engine) as database:
            await database.execute(write.on_conflict_do_update(index_elements=["kind", "key"], set_=changed))

    @unbroken
    async def made_here(self, kind: str, key: str) -> bool:
        """Whether this very operation made what is kept under the key."""
        maker = pick(Artefact.operation).where(col(Artefact.kind) == kind, col(Artefact.key) == key)
        async with statement(self._engine) as database:
            return bool((await database.execute(maker)).scalar_one_or_none() == self._operation)

    @unbroken
    async def used(self, pinned: str) -> bool:
        """Whether a revision of any installation runs or ran the image."""
        users = pick(Revision.number).where(col(Revision.image) == pinned).limit(1)
        async with statement(self._engine) as database:
            return (await database.execute(users)).first() is not None


def upsert(engine: AsyncEngine, table: type[SQLModel]) -> postgresql.Insert:
    """An insert that can say what happens on conflict, in the words of the engine's database."""
    if engine.dialect.name == "postgresql":
        return postgresql.insert(table)
    write: Insert = sqlite.insert(table)
    return write  # type: ignore[return-value]  # both dialects offer the same two methods
