"""Waivers: findings that somebody answers for until a day, so that a gate lets them through and the verdict names them.

A waiver is about one finding of one plugin somewhere. What nobody looked for cannot be waived: not knowing is never a pass.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from blocks.domain.errors import NotAllowed
from blocks.domain.watch import Spot

DAY_MS = 24 * 3600 * 1000
# Longer than this nobody answers for anything without looking again.
LONGEST_MS = 366 * DAY_MS


@dataclass(frozen=True)
class Waiving:
    """What is to be waived: the finding by its identity (`kind:id:subject`), who answers for it, until when (milliseconds since 1970)."""

    finding: str
    owner: str
    expires_at: int


@dataclass(frozen=True)
class Waived:
    """A finding that a verdict let through: who answers for it, why, and until when (milliseconds since 1970)."""

    finding: str
    owner: str
    reason: str
    expires_at: int

    def __str__(self) -> str:
        """As people read it, with the last day on which it counts."""
        until = datetime.fromtimestamp((self.expires_at - 1) / 1000, UTC).date()
        return f"{self.finding} ({self.owner} answers for it until {until}: {self.reason})"


@dataclass(frozen=True)
class Waiver:
    """One finding waived at a spot; `actor` said so for `reason`. Times in milliseconds since 1970, `revoked_at` 0 while it stands."""

    id: UUID
    spot: Spot
    what: Waiving
    actor: str
    reason: str
    created_at: int
    revoked_at: int = 0
    revoked_by: str = ""
    revoked_why: str = ""

    def stands(self, now: int) -> bool:
        """Whether it counts at this time."""
        return not self.revoked_at and now < self.what.expires_at

    @property
    def used(self) -> Waived:
        """As a verdict names it."""
        return Waived(self.what.finding, self.what.owner, self.reason, self.what.expires_at)


def may_waive(what: Waiving, now: int) -> None:
    """Nothing if the waiver would stand, and not for ever; `NotAllowed` otherwise."""
    if what.expires_at <= now:
        raise NotAllowed("a waiver that has run out waives nothing", "name a day to come")
    if what.expires_at > now + LONGEST_MS:
        raise NotAllowed("nobody answers for a finding longer than a year", "name an earlier day, and look again then")


def longest(standing: Iterable[Waived]) -> dict[str, Waived]:
    """By finding: of several waivers the one that stands longest."""
    return {one.finding: one for one in sorted(standing, key=lambda one: one.expires_at)}
