"""Waivers as people set, see and revoke them, and as a verdict asks for them; none is ever forgotten."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col

from blocks.catalog.database import now_ms, pick, statement, transaction, unbroken
from blocks.catalog.requests import Asked
from blocks.catalog.tables import Waiver as Kept
from blocks.domain.errors import Terminal
from blocks.domain.waivers import Waived, Waiver, Waiving, may_waive
from blocks.domain.watch import Spot

_COLUMNS: tuple[Any, ...] = tuple(col(getattr(Kept, name)) for name in Kept.model_fields)


@dataclass(frozen=True)
class WantedWaivers:
    """Which waivers are asked for; None means all."""

    tenants: frozenset[str] | None = None
    environment: str | None = None


@dataclass(frozen=True)
class WaiverPage:
    """Some waivers in the order of their ids, and the cursor of the next page or None."""

    items: tuple[Waiver, ...]
    next: str | None


class Waivers:
    """All waivers of all tenants."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @unbroken
    async def waive(self, spot: Spot, what: Waiving, by: Asked) -> Waiver:
        """A new waiver, or `NotAllowed` for one that would not stand, or would for ever."""
        row = {"id": uuid4(), **vars(spot), **vars(what), "actor": by.actor, "reason": by.reason, **NEVER_REVOKED}
        async with transaction(self._engine) as database:
            now = int((await database.execute(select(now_ms()))).scalar_one())
            may_waive(what, now)
            made = insert(Kept).values(row | {"created_at": now}).returning(*_COLUMNS)
            return _as_waiver((await database.execute(made)).one())

    @unbroken
    async def revoke(self, waiver: UUID, by: Asked) -> Waiver:
        """The waiver, which counts no longer, or `Terminal` if there is none; what was revoked already stays as it was said."""
        stands = (col(Kept.id) == waiver) & (col(Kept.revoked_at) == 0)
        said = {"revoked_at": now_ms(), "revoked_by": by.actor, "revoked_why": by.reason}
        async with transaction(self._engine) as database:
            await database.execute(update(Kept).where(stands).values(said))
            row = (await database.execute(pick(*_COLUMNS).where(col(Kept.id) == waiver))).one_or_none()
        if row is None:
            raise Terminal(f"there is no waiver {waiver}")
        return _as_waiver(row)

    @unbroken
    async def waiver(self, waiver: UUID) -> Waiver | None:
        """One waiver, whether it stands or not, or None."""
        async with statement(self._engine) as database:
            row = (await database.execute(pick(*_COLUMNS).where(col(Kept.id) == waiver))).one_or_none()
        return _as_waiver(row) if row else None

    @unbroken
    async def waivers(self, wanted: WantedWaivers, limit: int, after: str | None) -> WaiverPage:
        """At most `limit` waivers in the order of their ids, after the cursor."""
        asked = pick(*_COLUMNS).order_by(col(Kept.id)).limit(limit + 1)
        if wanted.tenants is not None:
            asked = asked.where(col(Kept.tenant).in_(wanted.tenants))
        if wanted.environment:
            asked = asked.where(col(Kept.environment) == wanted.environment)
        if after:
            asked = asked.where(col(Kept.id) > UUID(after))
        async with statement(self._engine) as database:
            rows = (await database.execute(asked)).all()
        items = tuple(_as_waiver(row) for row in rows[:limit])
        return WaiverPage(items, str(items[-1].id) if len(rows) > limit else None)

    @unbroken
    async def standing(self, spot: Spot) -> tuple[Waived, ...]:
        """What counts at the spot now."""
        here = (col(Kept.tenant) == spot.tenant) & (col(Kept.environment) == spot.environment) & (col(Kept.plugin) == spot.plugin)
        stands = pick(*_COLUMNS).where(here, col(Kept.revoked_at) == 0, col(Kept.expires_at) > now_ms()).order_by(col(Kept.id))
        async with statement(self._engine) as database:
            rows = (await database.execute(stands)).all()
        return tuple(_as_waiver(row).used for row in rows)


def _as_waiver(row: Row[Any]) -> Waiver:
    return Waiver(
        spot=Spot(row.tenant, row.environment, row.plugin),
        what=Waiving(row.finding, row.owner, row.expires_at),
        **{name: getattr(row, name) for name in ("id", "actor", "reason", "created_at", *NEVER_REVOKED)},
    )


NEVER_REVOKED = {"revoked_at": 0, "revoked_by": "", "revoked_why": ""}
