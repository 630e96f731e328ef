"""Waivers in memory, decided by the same pure functions as in the catalogue."""

import time
from dataclasses import replace
from uuid import UUID, uuid4

from blocks.catalog.requests import Asked
from blocks.catalog.waivers import WaiverPage, WantedWaivers
from blocks.domain.errors import Terminal
from blocks.domain.waivers import Waived, Waiver, Waiving, may_waive
from blocks.domain.watch import Spot
from tests.fakes.memory import Memory


class FakeWaivers(Memory):
    """Where findings are waived; days are those of the real calendar, which people name."""

    def __init__(self) -> None:
        super().__init__()
        self.waived: dict[UUID, Waiver] = {}

    async def waive(self, spot: Spot, what: Waiving, by: Asked) -> Waiver:
        """A new waiver."""
        self.answer()
        may_waive(what, _now())
        made = Waiver(uuid4(), spot, what, by.actor, by.reason, _now())
        self.waived[made.id] = made
        return made

    async def revoke(self, waiver: UUID, by: Asked) -> Waiver:
        """The waiver, which counts no longer."""
        self.answer()
        if waiver not in self.waived:
            raise Terminal(f"there is no waiver {waiver}")
        known = self.waived[waiver]
        if not known.revoked_at:
            self.waived[waiver] = replace(known, revoked_at=_now(), revoked_by=by.actor, revoked_why=by.reason)
        return self.waived[waiver]

    async def waiver(self, waiver: UUID) -> Waiver | None:
        """One waiver, or None."""
        self.answer()
        return self.waived.get(waiver)

    async def waivers(self, wanted: WantedWaivers, limit: int, after: str | None) -> WaiverPage:
        """At most `limit` waivers in the order of their ids, after the cursor."""
        self.answer()
        ordered = sorted(self.waived.values(), key=lambda one: str(one.id))
        rest = [one for one in ordered if _is_wanted(one.spot, wanted) and str(one.id) > (after or "")]
        return WaiverPage(tuple(rest[:limit]), str(rest[limit - 1].id) if len(rest) > limit else None)

    async def standing(self, spot: Spot) -> tuple[Waived, ...]:
        """What counts at the spot now."""
        self.answer()
        return tuple(one.used for one in self.waived.values() if one.spot == spot and one.stands(_now()))


def _is_wanted(spot: Spot, wanted: WantedWaivers) -> bool:
    return (wanted.tenants is None or spot.tenant in wanted.tenants) and wanted.environment in (None, spot.environment)


def _now() -> int:
    return int(time.time() * 1000)
