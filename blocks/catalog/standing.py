"""How an installation stands, seen under a lock that nobody asks past."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from blocks.catalog.artefacts import upsert
from blocks.catalog.database import now_ms, pick
from blocks.catalog.quarantine import releases_in
from blocks.catalog.tables import Installation, Operation, Revision
from blocks.domain.asking import HISTORY, Past, Standing, Wish
from blocks.domain.errors import Terminal
from blocks.domain.manifest import InstallRequest
from blocks.domain.naming import namespace, slug
from blocks.domain.watch import Spot

UNFINISHED = ("requested", "applying", "parked", "undoing", "frozen")


@dataclass(frozen=True)
class Place:
    """One installation, locked until the transaction ends."""

    installation: UUID
    tenant: str
    environment: str
    plugin: str


async def lock_installation(engine: AsyncEngine, database: AsyncConnection, request: InstallRequest) -> Place:
    """The installation that the request is about, made if need be; from here to the commit nobody else asks for anything on it."""
    now = now_ms()
    row = {"id": uuid4(), "tenant": request.tenant, "environment": request.environment, "plugin": request.plugin.name}
    names = {"slug": slug(request.plugin.name), "namespace": namespace(request.tenant, request.environment), "revision": 0}
    write = upsert(engine, Installation).values(row | names | {"created_at": now, "touched_at": now})
    locked = write.on_conflict_do_update(index_elements=["tenant", "environment", "plugin"], set_={"touched_at": now})
    found = (await database.execute(locked.returning(col(Installation.id)))).scalar_one()
    return Place(UUID(str(found)), request.tenant, request.environment, request.plugin.name)


async def touch(database: AsyncConnection, installation: UUID) -> Place:
    """The installation, locked, or `Terminal` if there is none."""
    touched = update(Installation).where(col(Installation.id) == installation).values(touched_at=now_ms())
    named: tuple[Any, ...] = (Installation.tenant, Installation.environment, Installation.plugin)
    row = (await database.execute(touched.returning(*named))).one_or_none()
    if row is None:
        raise Terminal(f"there is no installation {installation}")
    return Place(installation, *row)


async def touch_spot(database: AsyncConnection, spot: Spot) -> Place | None:
    """The installation of the spot, locked, or None if there never was one."""
    there = (col(Installation.tenant) == spot.tenant) & (col(Installation.environment) == spot.environment)
    same = there & (col(Installation.plugin) == spot.plugin)
    touched = update(Installation).where(same).values(touched_at=now_ms())
    row = (await database.execute(touched.returning(col(Installation.id)))).one_or_none()
    return Place(UUID(str(row.id)), spot.tenant, spot.environment, spot.plugin) if row else None


async def look_at(database: AsyncConnection, place: Place) -> Standing:
    """Everything on which the answer to a wish depends."""
    last = await _newest(database, place)
    served = await _serving(database, place)
    return Standing(
        active=last.id if last and last.phase in UNFINISHED else None,
        frozen=bool(last and last.phase == "frozen"),
        active_verb=last.verb if last else "",
        active_request=last.request if last else "",
        active_wish=Wish.read(last.wish) if last else Wish(),
        revision=served.revision,
        enabled=served.enabled,
        serving_operation=served.id,
        serving_request=served.request or "",
        last_revision=await _highest(database, place),
        history=await _history(database, place),
        needed_by=await _needed_by(database, place),
    )


# A plan changes nothing and so is not something that an installation can be busy with.
_CHANGES = col(Operation.verb) != "plan"


async def _newest(database: AsyncConnection, place: Place) -> Any:
    chosen = pick(Operation.id, Operation.verb, Operation.phase, Operation.request, Operation.wish)
    # What was withdrawn left everything as it was: an operation that is frozen since before still is what matters.
    mine = chosen.where(col(Operation.installation) == place.installation, _CHANGES, col(Operation.phase) != "withdrawn")
    return (await database.execute(mine.order_by(col(Operation.created_at).desc()).limit(1))).first()


async def _serving(database: AsyncConnection, place: Place) -> Any:
    same = (col(Revision.installation) == col(Installation.id)) & (col(Revision.number) == col(Installation.revision))
    chosen = pick(col(Installation.revision), col(Installation.enabled), Operation.id, Operation.request)
    joined = chosen.outerjoin(Revision, same).outerjoin(Operation, col(Operation.id) == col(Revision.operation))
    return (await database.execute(joined.where(col(Installation.id) == place.installation))).one()


async def _highest(database: AsyncConnection, place: Place) -> int:
    mine = pick(func.max(Operation.revision)).where(col(Operation.installation) == place.installation, _CHANGES)
    return (await database.execute(mine)).scalar_one() or 0


async def _history(database: AsyncConnection, place: Place) -> tuple[Past, ...]:
    bad = await releases_in(database, place.installation)
    chosen = pick(Revision.number, Revision.release).where(col(Revision.installation) == place.installation)
    rows = await database.execute(chosen.order_by(col(Revision.served_at).desc(), col(Revision.number).desc()).limit(HISTORY + 1))
    return tuple(Past(row.number, row.release, row.release in bad) for row in rows)


async def _needed_by(database: AsyncConnection, place: Place) -> tuple[str, ...]:
    same = (col(Revision.installation) == col(Installation.id)) & (col(Revision.number) == col(Installation.revision))
    beside = (col(Installation.tenant) == place.tenant) & (col(Installation.environment) == place.environment)
    others = pick(Installation.plugin, Revision.needs).join(Revision, same).where(beside, col(Revision.needs) != "[]")
    return tuple(sorted(row.plugin for row in await database.execute(others) if place.plugin in json.loads(row.needs)))
