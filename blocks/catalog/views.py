"""Questions people ask of the record; nothing here writes."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import aliased
from sqlmodel import col

from blocks.catalog.database import pick, statement, unbroken
from blocks.catalog.journal import Journal
from blocks.catalog.tables import Installation, JournalEntry, Operation, Revision
from blocks.domain.journal import Phase
from blocks.domain.status import InstallationView, OperationView, RevisionView, read_reason, see_steps


@dataclass(frozen=True)
class Page:
    """Some installations in the order of their ids, and the cursor of the next page or None."""

    items: tuple[InstallationView, ...]
    next: str | None


@dataclass(frozen=True)
class Wanted:
    """Which installations are asked for; None means all."""

    tenants: frozenset[str] | None = None
    environment: str | None = None
    phase: Phase | None = None


@dataclass(frozen=True)
class Counts:
    """How many there are, for metrics.

    Installations by (tenant, phase of the newest operation), those that serve by tenant, operations by (verb, phase), journal entries
    by (step, kind), what went wrong by (verb, reason code), and the seconds that ended operations took, by verb.
    """

    installations: dict[tuple[str, str], int]
    serving: dict[str, int]
    operations: dict[tuple[str, str], int]
    entries: dict[tuple[str, str], int]
    reasons: dict[tuple[str, str], int]
    durations: dict[str, tuple[float, ...]]


class Views:
    """The record, read for people."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine, self._journal = engine, Journal(engine)

    async def installation(self, installation: UUID) -> InstallationView | None:
        """One installation with the steps of its newest operation, or None."""
        rows = await self._read(_newest().where(col(Installation.id) == installation))
        if not rows:
            return None
        return _view(rows[0], _operation(rows[0], see_steps(await self._journal.read(rows[0].operation_id))))

    async def installations(self, wanted: Wanted, limit: int, after: str | None) -> Page:
        """At most `limit` installations in the order of their ids, after the cursor; steps are left out."""
        asked = _newest().where(*_conditions(wanted, after)).order_by(col(Installation.id)).limit(limit + 1)
        rows = await self._read(asked)
        items = tuple(_view(row, _operation(row)) for row in rows[:limit])
        return Page(items, str(items[-1].id) if len(rows) > limit else None)

    async def operation(self, operation: UUID) -> OperationView | None:
        """One operation with its steps, or None."""
        found = pick(*_OF_OPERATION, *_NAMED).where(col(Operation.id) == operation)
        rows = await self._read(found)
        return _operation(rows[0], see_steps(await self._journal.read(operation))) if rows else None

    async def counts(self) -> Counts:
        """How many installations, operations and journal entries there are, and how long the ended operations took."""
        newest = await self._read(_newest())
        ran = await self._read(pick(*_RAN))
        said = pick(JournalEntry.step, JournalEntry.kind, func.count().label("times"))
        durations: dict[str, list[float]] = defaultdict(list)
        for row in ran:
            if Phase(row.phase).is_final:
                durations[row.verb].append((row.updated_at - row.created_at) / 1000)
        return Counts(
            installations=dict(Counter((row.tenant, row.phase) for row in newest)),
            serving=dict(Counter(row.tenant for row in newest if row.number)),
            operations=dict(Counter((row.verb, row.phase) for row in ran)),
            reasons=dict(Counter((row.verb, reason.code) for row in ran if (reason := read_reason(row.reason)))),
            entries={(row.step, row.kind): row.times for row in await self._read(said.group_by("step", "kind"))},
            durations={verb: tuple(seconds) for verb, seconds in durations.items()},
        )

    @unbroken
    async def _read(self, asked: Select[Any]) -> Sequence[Row[Any]]:
        async with statement(self._engine) as database:
            rows: Sequence[Row[Any]] = (await database.execute(asked)).all()
        return rows


_OF_INSTALLATION = (
    Installation.id,
    Installation.tenant,
    Installation.environment,
    Installation.plugin,
    Installation.slug,
    Installation.namespace,
    Installation.created_at,
)
_RAN = (Operation.verb, Operation.phase, Operation.reason, Operation.created_at, Operation.updated_at)
_OF_REVISION = (Revision.number, Revision.release, Revision.integrity, Revision.image, Revision.url)
_OF_OPERATION = (
    Operation.verb,
    Operation.phase,
    Operation.actor,
    Operation.attempt,
    Operation.flow_run,
    Operation.reason,
    Operation.updated_at,
)
_NAMED: tuple[Any, ...] = (
    col(Operation.installation).label("installation_id"),
    col(Operation.id).label("operation_id"),
    col(Operation.created_at).label("asked_at"),
)


def _newest() -> Select[Any]:
    later: Any = aliased(Operation)
    mine = later.installation == col(Installation.id)
    latest = pick(later.id).where(mine).order_by(later.created_at.desc(), later.id).limit(1).correlate(Installation)
    serving = (col(Revision.installation) == col(Installation.id)) & (col(Revision.number) == col(Installation.revision))
    chosen = pick(*_OF_INSTALLATION, *_OF_REVISION, *_OF_OPERATION, *_NAMED)
    return (
        chosen.select_from(Installation)
        .join(Operation, col(Operation.id) == latest.scalar_subquery())
        .outerjoin(Revision, serving)
    )


def _conditions(wanted: Wanted, after: str | None) -> list[ColumnElement[bool]]:
    asked = [
        col(Installation.tenant).in_(wanted.tenants) if wanted.tenants is not None else None,
        col(Installation.environment) == wanted.environment if wanted.environment else None,
        col(Operation.phase) == wanted.phase.value if wanted.phase else None,
        col(Installation.id) > UUID(after) if after else None,
    ]
    return [condition for condition in asked if condition is not None]


def _operation(row: Row[Any], steps: tuple[Any, ...] = ()) -> OperationView:
    return OperationView(
        id=row.operation_id,
        installation=row.installation_id,
        verb=row.verb,
        phase=Phase(row.phase),
        actor=row.actor,
        attempt=row.attempt,
        flow_run=row.flow_run,
        reason=read_reason(row.reason),
        created_at=row.asked_at,
        updated_at=row.updated_at,
        steps=steps,
    )


def _view(row: Row[Any], operation: OperationView) -> InstallationView:
    return InstallationView(
        row.id, row.tenant, row.environment, row.plugin, row.slug, row.namespace, row.created_at, operation, _revision(row)
    )


def _revision(row: Row[Any]) -> RevisionView | None:
    if row.number is None:
        return None
    return RevisionView(row.number, row.release, row.integrity, row.image, row.url)
