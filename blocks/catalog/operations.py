"""Operations as whoever carries them knows them: handed out, counted, and closed with what they made."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from blocks.catalog.artefacts import upsert
from blocks.catalog.database import now_ms, pick, statement, transaction, unbroken
from blocks.catalog.held_sets import set_of
from blocks.catalog.standing import UNFINISHED
from blocks.catalog.tables import Installation, Operation, PluginSetMember, Revision
from blocks.domain.asking import HISTORY, Wish
from blocks.domain.errors import Terminal
from blocks.domain.manifest import InstallRequest


@dataclass(frozen=True)
class Order:
    """What a worker is to carry: the verb, on what, the request it came with, what was wished, and by whom."""

    operation: UUID
    installation: UUID
    verb: str
    revision: int
    request: InstallRequest
    wish: Wish
    actor: str


@dataclass(frozen=True)
class Served:
    """One revision: its number, the operation that made it, the release as `name@version`, the pinned image, and its plan's document."""

    number: int
    operation: UUID
    release: str
    image: str
    document: str


class Operations:
    """All operations of all installations."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @unbroken
    async def order(self, operation: UUID) -> Order:
        """What a worker is to carry, or `Terminal` if there is no such operation."""
        chosen = pick(
            Operation.installation, Operation.verb, Operation.revision, Operation.request, Operation.wish, Operation.actor
        )
        async with statement(self._engine) as database:
            row = (await database.execute(chosen.where(col(Operation.id) == operation))).one_or_none()
        if row is None:
            raise Terminal(f"there is no operation {operation}")
        request = InstallRequest.model_validate_json(row.request)
        return Order(operation, row.installation, row.verb, row.revision, request, Wish.read(row.wish), row.actor)

    async def serving(self, installation: UUID) -> Served | None:
        """The revision that serves now, or None."""
        return await self._served(installation, col(Revision.number) == col(Installation.revision))

    async def revision(self, installation: UUID, number: int) -> Served | None:
        """One revision of the installation, or None if it never served."""
        return await self._served(installation, col(Revision.number) == number)

    @unbroken
    async def _served(self, installation: UUID, which: Any) -> Served | None:
        chosen = pick(Revision.number, Revision.operation, Revision.release, Revision.image, Revision.plan)
        joined = chosen.join(Installation, col(Installation.id) == col(Revision.installation))
        async with statement(self._engine) as database:
            row = (await database.execute(joined.where(col(Installation.id) == installation, which))).one_or_none()
        return Served(*row) if row else None

    @unbroken
    async def bygone(self, installation: UUID, coming: int = 0) -> tuple[Served, ...]:
        """Every revision that nobody can go back to any more, because newer ones fill the history, so many `coming` ones counted in."""
        chosen = pick(Revision.number, Revision.operation, Revision.release, Revision.image, Revision.plan)
        newest_first = chosen.where(col(Revision.installation) == installation).order_by(
            col(Revision.served_at).desc(), col(Revision.number).desc()
        )
        async with statement(self._engine) as database:
            return tuple(Served(*row) for row in await database.execute(newest_first.offset(HISTORY + 1 - coming)))

    @unbroken
    async def last_install(self, installation: UUID) -> UUID:
        """The newest operation that was to install or update; `Terminal` if there was none."""
        mine = (col(Operation.installation) == installation) & col(Operation.verb).in_(("install", "update"))
        newest = pick(Operation.id).where(mine).order_by(col(Operation.revision).desc()).limit(1)
        async with statement(self._engine) as database:
            found = (await database.execute(newest)).scalar_one_or_none()
        if found is None:
            raise Terminal(f"installation {installation} was never to be installed")
        return UUID(str(found))

    @unbroken
    async def serve_revision(self, made: Revision) -> None:
        """Record the revision, if it is new, and that it serves now; a repeated call changes nothing but the time."""
        row = made.model_dump() | {"created_at": now_ms(), "served_at": now_ms()}
        write = upsert(self._engine, Revision).values(row)
        again = write.on_conflict_do_update(index_elements=["installation", "number"], set_={"served_at": now_ms()})
        serving = update(Installation).where(col(Installation.id) == made.installation)
        async with transaction(self._engine) as database:
            await database.execute(again)
            await database.execute(serving.values(revision=made.number, enabled=True))

    @unbroken
    async def unserve_revision(self, made: tuple[UUID, int], operation: UUID, previous: int) -> None:
        """Record that the previous revision serves again (0: none); the row of (installation, number) goes if the operation made it."""
        installation, number = made
        row = (col(Revision.installation) == installation) & (col(Revision.number) == number)
        serving = update(Installation).where(col(Installation.id) == installation).values(revision=previous)
        async with transaction(self._engine) as database:
            await database.execute(serving)
            await database.execute(delete(Revision).where(row, col(Revision.operation) == operation))

    @unbroken
    async def serve_again(self, installation: UUID, number: int) -> None:
        """Record that the revision serves, as it did before; 0 is none."""
        changed = update(Installation).where(col(Installation.id) == installation).values(revision=number)
        async with statement(self._engine) as database:
            await database.execute(changed)

    @unbroken
    async def switch(self, installation: UUID, *, enabled: bool) -> None:
        """Record whether what serves is switched on."""
        changed = update(Installation).where(col(Installation.id) == installation).values(enabled=enabled)
        async with statement(self._engine) as database:
            await database.execute(changed)

    @unbroken
    async def missing(self, order: Order) -> tuple[str, ...]:
        """The plugins that the order's request depends on and that neither serve for its tenant there nor come with it in a set."""
        request = order.request
        async with statement(self._engine) as database:
            known = await serving_beside(database, request.tenant, request.environment)
            known |= await _asked_with(database, order.operation)
        return tuple(one for one in request.depends_on if one not in known)

    @unbroken
    async def others_in(self, namespace: str, installation: UUID) -> int:
        """How many other installations serve or are on their way in the namespace."""
        active = pick(Operation.installation).where(col(Operation.phase).in_(UNFINISHED), col(Operation.verb) != "plan")
        there = (col(Installation.namespace) == namespace) & (col(Installation.id) != installation)
        living = (col(Installation.revision) > 0) | col(Installation.id).in_(active)
        async with statement(self._engine) as database:
            return int((await database.execute(pick(func.count()).where(there & living))).scalar_one())


async def serving_beside(database: AsyncConnection, tenant: str, environment: str) -> frozenset[str]:
    """The plugins that serve for the tenant in the environment and are enabled."""
    there = (col(Installation.tenant) == tenant) & (col(Installation.environment) == environment)
    serving = pick(Installation.plugin).where(there, col(Installation.revision) > 0, col(Installation.enabled))
    return frozenset(row.plugin for row in await database.execute(serving))


async def _asked_with(database: AsyncConnection, operation: UUID) -> frozenset[str]:
    """The plugins of the set for which the operation was made, if it was made for one; they are in order there."""
    asked = pick(Installation.plugin).join(Operation, col(Operation.installation) == col(Installation.id))
    joined = asked.join(PluginSetMember, col(PluginSetMember.operation) == col(Operation.id))
    return frozenset(
        row.plugin for row in await database.execute(joined.where(col(PluginSetMember.plugin_set).in_(set_of(operation))))
    )


def needs_of(request: InstallRequest) -> str:
    """What the request depends on, as the text of the revision's row."""
    return json.dumps(list(request.depends_on))
