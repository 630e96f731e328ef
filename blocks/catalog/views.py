"""Questions people ask of the record; nothing here writes."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col

from blocks.catalog.database import pick, statement, unbroken
from blocks.catalog.journal import Journal
from blocks.catalog.slots import Slots
from blocks.catalog.tables import Health, Installation, JournalEntry, Operation, Quarantine
from blocks.catalog.view_rows import (
    Wanted,
    as_installation,
    as_operation,
    conditions,
    newest,
    one_operation,
    past_revisions,
    see_health,
    with_operation,
)
from blocks.domain.health import Status
from blocks.domain.journal import Phase
from blocks.domain.status import (
    InstallationView,
    OperationView,
    PastRevision,
    QuarantineView,
    read_reason,
    see_question,
    see_steps,
)

__all__ = ["Counts", "Page", "Views", "Wanted"]


@dataclass(frozen=True)
class Page:
    """Some installations in the order of their ids, and the cursor of the next page or None."""

    items: tuple[InstallationView, ...]
    next: str | None


@dataclass(frozen=True)
class Counts:
    """How many there are, for metrics.

    Installations by (tenant, phase of the newest operation), those that serve by tenant, operations by (verb, phase), journal entries
    by (step, kind), what went wrong by (verb, reason code), and the seconds that ended operations took, by verb. How it is with what
    serves by (tenant, environment, plugin), and the checks of that by what they found, which took so many seconds in all.
    """

    installations: dict[tuple[str, str], int]
    serving: dict[str, int]
    operations: dict[tuple[str, str], int]
    entries: dict[tuple[str, str], int]
    reasons: dict[tuple[str, str], int]
    durations: dict[str, tuple[float, ...]]
    health: dict[tuple[str, str, str], Status]
    checks: dict[str, int]
    check_seconds: float


class Views:
    """The record, read for people."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine, self._journal, self._slots = engine, Journal(engine), Slots(engine)

    async def installation(self, installation: UUID) -> InstallationView | None:
        """One installation with its newest operation, steps and all, or None."""
        rows = await self._read(newest().where(col(Installation.id) == installation))
        return as_installation(rows[0], await self._whole(rows[0])) if rows else None

    async def installations(self, wanted: Wanted, limit: int, after: str | None) -> Page:
        """At most `limit` installations in the order of their ids, after the cursor; what only the journals know is left out."""
        asked = newest().where(*conditions(wanted, after)).order_by(col(Installation.id)).limit(limit + 1)
        rows = await self._read(asked)
        items = tuple(as_installation(row, as_operation(row)) for row in rows[:limit])
        return Page(items, str(items[-1].id) if len(rows) > limit else None)

    async def operation(self, operation: UUID) -> OperationView | None:
        """One operation with its steps, its place in the queue and what people are asked, or None."""
        rows = await self._read(one_operation(operation))
        return await self._whole(rows[0]) if rows else None

    async def waiting(self, tenants: frozenset[str] | None) -> tuple[InstallationView, ...]:
        """Every installation of the tenants (None: of all) of which a plan waits for people, the oldest first, with that operation."""
        mine = col(Operation.installation) == col(Installation.id)
        asked = with_operation(mine).where(col(Operation.phase) == Phase.PARKED.value).order_by(col(Operation.created_at))
        if tenants is not None:
            asked = asked.where(col(Installation.tenant).in_(tenants))
        seen = [as_installation(row, await self._whole(row)) for row in await self._read(asked)]
        return tuple(one for one in seen if one.operation.question)

    async def revisions(self, installation: UUID) -> tuple[PastRevision, ...]:
        """Every revision that serves or served, the last one first."""
        return tuple(PastRevision(**row._mapping) for row in await self._read(past_revisions(installation)))  # noqa: SLF001 (SQLAlchemy's public name)

    async def quarantines(self, installation: UUID) -> tuple[QuarantineView, ...]:
        """Every release that is or was in quarantine for the installation, the last one first."""
        said = (Quarantine.release, Quarantine.reason, Quarantine.actor, Quarantine.at)
        lifted = (Quarantine.lifted_at, Quarantine.lifted_by, Quarantine.lifted_why)
        here = pick(*said, *lifted).where(col(Quarantine.installation) == installation).order_by(col(Quarantine.at).desc())
        return tuple(QuarantineView(**row._mapping) for row in await self._read(here))  # noqa: SLF001 (the same)

    async def counts(self) -> Counts:
        """How many installations, operations and journal entries there are, and how long the ended operations took."""
        installed = await self._read(newest())
        ran = await self._read(pick(*_RAN))
        said = pick(JournalEntry.step, JournalEntry.kind, func.count().label("times"))
        (checked,) = await self._read(pick(*_CHECKED))
        durations: dict[str, list[float]] = defaultdict(list)
        for row in ran:
            if Phase(row.phase).is_final:
                durations[row.verb].append((row.updated_at - row.created_at) / 1000)
        return Counts(
            installations=dict(Counter((row.tenant, row.phase) for row in installed)),
            serving=dict(Counter(row.tenant for row in installed if row.number)),
            operations=dict(Counter((row.verb, row.phase) for row in ran)),
            reasons=dict(Counter((row.verb, reason.code) for row in ran if (reason := read_reason(row.reason)))),
            entries={(row.step, row.kind): row.times for row in await self._read(said.group_by("step", "kind"))},
            durations={verb: tuple(seconds) for verb, seconds in durations.items()},
            health={(one.tenant, one.environment, one.plugin): found.status for one in installed if (found := see_health(one))},
            checks={status.value: int(getattr(checked, status.value) or 0) for status in Status},
            check_seconds=float(checked.millis or 0) / 1000,
        )

    async def _whole(self, row: Row[Any]) -> OperationView:
        entries = await self._journal.read(row.operation_id)
        question, votes = see_question(entries)
        place = await self._slots.place(row.operation_id)
        return replace(as_operation(row), steps=see_steps(entries), place=place, question=question, votes=votes)

    @unbroken
    async def _read(self, asked: Select[Any]) -> Sequence[Row[Any]]:
        async with statement(self._engine) as database:
            rows: Sequence[Row[Any]] = (await database.execute(asked)).all()
        return rows


_CHECKED: tuple[Any, ...] = tuple(
    func.sum(col(getattr(Health, name))).label(name) for name in ("healthy", "unhealthy", "unknown", "millis")
)
_RAN = (Operation.verb, Operation.phase, Operation.reason, Operation.created_at, Operation.updated_at)
