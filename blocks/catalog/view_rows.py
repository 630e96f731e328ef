"""What the views ask the database, and how its rows become what people see."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, false, func
from sqlalchemy.orm import aliased
from sqlmodel import col

from blocks.catalog.database import now_ms, pick
from blocks.catalog.health import OF_HEALTH, as_condition
from blocks.catalog.tables import Health, Installation, Operation, Quarantine, Revision
from blocks.domain.asking import Wish
from blocks.domain.health import Condition
from blocks.domain.journal import Phase
from blocks.domain.status import InstallationView, OperationView, RevisionView, read_reason


@dataclass(frozen=True)
class Wanted:
    """Which installations are asked for; None means all."""

    tenants: frozenset[str] | None = None
    environment: str | None = None
    phase: Phase | None = None


_OF_INSTALLATION = (
    Installation.id,
    Installation.tenant,
    Installation.environment,
    Installation.plugin,
    Installation.slug,
    Installation.namespace,
    Installation.created_at,
    Installation.enabled,
)
_OF_REVISION = (Revision.number, Revision.release, Revision.integrity, Revision.image, Revision.url)
_OF_OPERATION = (
    Operation.verb,
    Operation.phase,
    Operation.actor,
    Operation.attempt,
    Operation.flow_run,
    Operation.trouble,
    Operation.vain,
    Operation.reason,
    Operation.updated_at,
    Operation.wish,
    Operation.priority,
)
_NAMED: tuple[Any, ...] = (
    col(Operation.installation).label("installation_id"),
    col(Operation.id).label("operation_id"),
    col(Operation.created_at).label("asked_at"),
)


def newest() -> Select[Any]:
    """Each installation with what serves and the operation that matters: one that has not ended, or else the newest.

    What was withdrawn left everything as it was, so it hides nothing that is frozen; a plan changes nothing, so it hides nothing at all.
    """
    mine: Any = aliased(Operation)
    matters = (mine.verb == "plan", ~_is_open(mine), mine.created_at.desc(), mine.id)
    ordered = pick(mine.id).where(mine.installation == col(Installation.id)).order_by(*matters).limit(1)
    return with_operation(col(Operation.id) == ordered.correlate(Installation).scalar_subquery())


def _is_open(mine: Any) -> ColumnElement[bool]:
    """Whether the operation has not ended and no other that changed something came after it."""
    later: Any = aliased(Operation)
    after = (later.installation == mine.installation) & (later.created_at > mine.created_at)
    changed = after & (later.verb != "plan") & (later.phase != Phase.WITHDRAWN.value)
    ended = mine.phase.in_([Phase.SUCCEEDED.value, Phase.WITHDRAWN.value])
    still: ColumnElement[bool] = ~ended & ~pick(later.id).where(changed).correlate(mine).exists()
    return still


def with_operation(which: ColumnElement[bool]) -> Select[Any]:
    """Installations with what serves, each beside those of its operations that are meant."""
    serving = (col(Revision.installation) == col(Installation.id)) & (col(Revision.number) == col(Installation.revision))
    chosen = pick(*_OF_INSTALLATION, *_OF_REVISION, *_OF_OPERATION, *_NAMED, *OF_HEALTH, now_ms().label("now"))
    found = chosen.select_from(Installation).join(Operation, which).outerjoin(Revision, serving)
    return found.outerjoin(Health, col(Health.installation) == col(Installation.id))


def one_operation(operation: UUID) -> Select[Any]:
    """The operation's row."""
    return pick(*_OF_OPERATION, *_NAMED).where(col(Operation.id) == operation)


def past_revisions(installation: UUID) -> Select[Any]:
    """Every revision that ever served, the last one first, and whether it serves and is in quarantine."""
    kept = (col(Quarantine.installation) == col(Revision.installation)) & (col(Quarantine.release) == col(Revision.release))
    serving = (col(Installation.revision) == col(Revision.number)).label("serving")
    blocked = func.coalesce(col(Quarantine.lifted_at) == 0, false()).label("quarantined")
    chosen = pick(*_OF_REVISION, Revision.operation, Revision.served_at, serving, blocked)
    joined = chosen.join(Installation, col(Installation.id) == col(Revision.installation)).outerjoin(Quarantine, kept)
    mine = joined.where(col(Revision.installation) == installation)
    return mine.order_by(col(Revision.served_at).desc(), col(Revision.number).desc())


def conditions(wanted: Wanted, after: str | None) -> list[ColumnElement[bool]]:
    """What an installation and its newest operation must be to be shown."""
    asked = [
        col(Installation.tenant).in_(wanted.tenants) if wanted.tenants is not None else None,
        col(Installation.environment) == wanted.environment if wanted.environment else None,
        col(Operation.phase) == wanted.phase.value if wanted.phase else None,
        col(Installation.id) > UUID(after) if after else None,
    ]
    return [condition for condition in asked if condition is not None]


def as_operation(row: Row[Any]) -> OperationView:
    """The operation in the row, without what only its journal knows."""
    return OperationView(
        id=row.operation_id,
        installation=row.installation_id,
        verb=row.verb,
        phase=Phase(row.phase),
        actor=row.actor,
        attempt=row.attempt,
        flow_run=row.flow_run,
        trouble=row.trouble if row.vain else "",
        reason=read_reason(row.reason),
        created_at=row.asked_at,
        updated_at=row.updated_at,
        wish=Wish.read(row.wish),
        priority=row.priority,
    )


def as_installation(row: Row[Any], operation: OperationView) -> InstallationView:
    """The installation in the row, with the operation."""
    return InstallationView(
        id=row.id,
        tenant=row.tenant,
        environment=row.environment,
        plugin=row.plugin,
        slug=row.slug,
        namespace=row.namespace,
        created_at=row.created_at,
        operation=operation,
        revision=_revision(row),
        enabled=row.enabled,
        health=see_health(row),
    )


def see_health(row: Row[Any]) -> Condition | None:
    """How it is with what serves as far as it is known now, or None where nothing serves."""
    if row.number is None or not row.enabled:
        return None
    return Condition() if row.due_at is None else as_condition(row).known(row.now, row.due_at)


def _revision(row: Row[Any]) -> RevisionView | None:
    if row.number is None:
        return None
    return RevisionView(row.number, row.release, row.integrity, row.image, row.url)
