"""Watches as people set, see, change and remove them; a plugin has at most one for a tenant in an environment."""

import json
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, delete, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from blocks.catalog.artefacts import upsert
from blocks.catalog.database import now_ms, pick, statement, transaction, unbroken
from blocks.catalog.requests import Asked
from blocks.catalog.tables import Discovered, Installation, Watch
from blocks.domain.errors import Terminal
from blocks.domain.status import read_reason
from blocks.domain.watch import Discovered as Seen
from blocks.domain.watch import Done, Spot, Terms, may_watch, same_watch
from blocks.domain.watch import Watch as Watched

# So many releases are shown of one watch, the last seen first.
SHOWN = 50
OF_WATCH: tuple[Any, ...] = tuple(col(getattr(Watch, name)) for name in Watch.model_fields)


@dataclass(frozen=True)
class WantedWatches:
    """Which watches are asked for; None means all."""

    tenants: frozenset[str] | None = None
    environment: str | None = None


@dataclass(frozen=True)
class WatchPage:
    """Some watches in the order of their ids, and the cursor of the next page or None."""

    items: tuple[Watched, ...]
    next: str | None


class Watches:
    """All watches of all tenants."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @unbroken
    async def set_watch(self, spot: Spot, terms: Terms, by: Asked) -> tuple[Watched, bool]:
        """The watch of the spot, and whether it is new; the same once more is the same watch.

        Raises `AlreadyWatched` where one says something else, `NotInstalled` and `NotAllowed` where it could not do what it says.
        """
        now = now_ms()
        row = {"id": uuid4(), **vars(spot), **_columns(terms), "actor": by.actor, "reason": by.reason}
        write = upsert(self._engine, Watch).values(row | {"created_at": now, "updated_at": now, **NEVER_LOOKED})
        made = write.on_conflict_do_nothing(index_elements=["tenant", "environment", "plugin"]).returning(col(Watch.id))
        async with transaction(self._engine) as database:
            created = (await database.execute(made)).first() is not None
            may_watch(spot, terms, serves=await _serves(database, spot))
            there = (await database.execute(pick(*OF_WATCH).where(*_at(Watch, spot)))).one()
            return same_watch(as_watch(there), terms), created

    @unbroken
    async def change_watch(self, watch: UUID, said: Terms, by: Asked) -> Watched:
        """The watch with what was said in the terms, and all else as it was; raises what setting it raises, `Terminal` if there is none."""
        async with transaction(self._engine) as database:
            known = await lock_watch(database, watch)
            if known is None:
                raise Terminal(f"there is no watch {watch}")
            terms = known.terms.changed(said)
            may_watch(known.spot, terms, serves=await _serves(database, known.spot))
            row = _columns(terms) | {"actor": by.actor, "reason": by.reason, "updated_at": now_ms()}
            await database.execute(update(Watch).where(col(Watch.id) == watch).values(row))
            return as_watch((await database.execute(pick(*OF_WATCH).where(col(Watch.id) == watch))).one())

    @unbroken
    async def remove_watch(self, watch: UUID) -> None:
        """Nobody looks any more, and what was found is forgotten; what was asked for stays in the journal. No watch is no error."""
        async with transaction(self._engine) as database:
            await lock_watch(database, watch)
            await database.execute(delete(Discovered).where(col(Discovered.watch) == watch))
            await database.execute(delete(Watch).where(col(Watch.id) == watch))

    @unbroken
    async def watch(self, watch: UUID) -> Watched | None:
        """One watch with the releases that it found, the last seen first, or None."""
        mine = pick(*_OF_DISCOVERED).where(col(Discovered.watch) == watch)
        last_first = mine.order_by(col(Discovered.first_seen).desc(), col(Discovered.release).desc()).limit(SHOWN)
        async with transaction(self._engine) as database:
            row = (await database.execute(pick(*OF_WATCH).where(col(Watch.id) == watch))).one_or_none()
            found = (await database.execute(last_first)).all()
        seen = tuple(Seen(one.release, one.first_seen, Done(one.done), one.why, one.operation) for one in found)
        return replace(as_watch(row), discovered=seen) if row else None

    @unbroken
    async def watches(self, wanted: WantedWatches, limit: int, after: str | None) -> WatchPage:
        """At most `limit` watches in the order of their ids, after the cursor, without what they found."""
        asked = pick(*OF_WATCH).order_by(col(Watch.id)).limit(limit + 1)
        if wanted.tenants is not None:
            asked = asked.where(col(Watch.tenant).in_(wanted.tenants))
        if wanted.environment:
            asked = asked.where(col(Watch.environment) == wanted.environment)
        if after:
            asked = asked.where(col(Watch.id) > UUID(after))
        async with statement(self._engine) as database:
            rows = (await database.execute(asked)).all()
        items = tuple(as_watch(row) for row in rows[:limit])
        return WatchPage(items, str(items[-1].id) if len(rows) > limit else None)


def as_watch(row: Row[Any]) -> Watched:
    """The watch in the row, without what it found."""
    terms = {name: getattr(row, name) for name in Terms.model_fields} | {"source": json.loads(row.source)}
    return Watched(
        id=row.id,
        spot=Spot(row.tenant, row.environment, row.plugin),
        terms=Terms.model_validate(terms),
        problem=read_reason(row.problem),
        **{name: getattr(row, name) for name in ("actor", "reason", "created_at", "updated_at", "looked_at", "found")},
    )


async def lock_watch(database: AsyncConnection, watch: UUID) -> Watched | None:
    """The watch, or None; until the transaction ends nobody else changes or removes it."""
    same = update(Watch).where(col(Watch.id) == watch).values(id=Watch.id)
    row = (await database.execute(same.returning(*OF_WATCH))).one_or_none()
    return as_watch(row) if row else None


async def _serves(database: AsyncConnection, spot: Spot) -> bool:
    serving = pick(Installation.id).where(*_at(Installation, spot), col(Installation.revision) > 0)
    return (await database.execute(serving)).first() is not None


def _at(table: type[Watch] | type[Installation], spot: Spot) -> tuple[Any, ...]:
    return col(table.tenant) == spot.tenant, col(table.environment) == spot.environment, col(table.plugin) == spot.plugin


def _columns(terms: Terms) -> dict[str, Any]:
    source = terms.source.model_dump_json(by_alias=True) if terms.source else "null"
    return {**terms.model_dump(mode="json"), "source": source}


NEVER_LOOKED = {"looked_at": 0, "found": "", "problem": "null"}
_OF_DISCOVERED = (Discovered.release, Discovered.first_seen, Discovered.done, Discovered.why, Discovered.operation)
