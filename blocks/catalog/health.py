"""What serves, asked one after the other how it is: whose turn it is, and what came of it.

Several keepers may ask: whoever takes an installation's turn has it until `due_at`, and what is noted after that is dropped.
"""

from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.orm import aliased
from sqlmodel import col

from blocks.catalog.artefacts import upsert
from blocks.catalog.database import now_ms, pick, statement, transaction, unbroken
from blocks.catalog.tables import Health, Installation, Operation, Revision
from blocks.domain.health import VERBS, Check, Condition, HealthTerms, Remedy, Status, read_remedy
from blocks.domain.journal import Phase
from blocks.domain.manifest import InstallRequest

# Milliseconds that a turn lasts beside the two questions that it has time for, on a machine that is busy.
SLACK_MS = 5000
OF_HEALTH: tuple[Any, ...] = tuple(
    col(getattr(Health, name))
    for name in ("status", "since", "failures", "successes", "tried", "note", "said", "checked_at", "due_at")
)


@dataclass(frozen=True)
class Turn:
    """An installation whose turn it is from `began` to `until`, in milliseconds since 1970 by the database's clock.

    `plan` is the key of the document of what serves, `operation` the newest of the installation and `remedy` what that was tried as.
    """

    installation: UUID
    operation: UUID
    remedy: Remedy
    plan: str
    terms: HealthTerms
    began: int
    until: int


class Checkups:
    """The turns of all installations, and how each was found."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @unbroken
    async def take_turns(self, most: int) -> list[Turn]:
        """At most so many of which it is the turn, those first that waited longest; nobody else asks them meanwhile.

        Only what serves, is enabled, and has nothing on its way or frozen.
        """
        async with statement(self._engine) as database:
            rows = (await database.execute(_due().limit(most))).all()
        return [turn for row in rows if (turn := await self._take(row))]

    @unbroken
    async def note(self, turn: Turn, check: Check) -> Condition | None:
        """The condition with the check counted in, or None where the turn was over: then it counts for nothing.

        The check's own time says how long it took. After an operation everything is counted anew.
        """
        async with transaction(self._engine) as database:
            row = await _lock(database, turn)
            if row is None:
                return None
            before = as_condition(row)
            if row.operation != turn.operation:
                before = before.anew(turn.remedy, f"{turn.remedy} by operation {turn.operation}" if turn.remedy in VERBS else "")
            found = before.after(check, turn.terms)
            seen = {"operation": turn.operation, "due_at": turn.began + turn.terms.interval * 1000}
            counted = {check.found.value: col(getattr(Health, check.found.value)) + 1}
            took = {"millis": col(Health.millis) + max(0, check.at - turn.began)}
            same = update(Health).where(col(Health.installation) == turn.installation)
            await database.execute(same.values(asdict(found) | seen | counted | took))
        return found

    @unbroken
    async def note_refusal(self, turn: Turn, remedy: Remedy, why: str) -> None:
        """The remedy counts as tried, though it could not be asked for; what was asked for is seen in the next turn."""
        row = {"tried": remedy.value, "note": why, "failures": 0}
        mine = (col(Health.installation) == turn.installation) & (col(Health.operation) == turn.operation)
        async with statement(self._engine) as database:
            await database.execute(update(Health).where(mine).values(row))

    async def _take(self, row: Row[Any]) -> Turn | None:
        """The turn, or None where another keeper was faster."""
        terms = InstallRequest.model_validate_json(row.request).health_terms
        lasts = 2 * terms.timeout * 1000 + SLACK_MS
        until = now_ms() + lasts
        write = upsert(self._engine, Health).values({**asdict(Condition()), "installation": row.id, "due_at": until, **NO_CHECKS})
        mine = write.on_conflict_do_update(
            index_elements=["installation"], set_={"due_at": until}, where=col(Health.due_at) <= now_ms()
        )
        async with statement(self._engine) as database:
            taken = (await database.execute(mine.returning(col(Health.due_at)))).scalar_one_or_none()
        if taken is None:
            return None
        remedy = read_remedy(row.actor, row.verb)
        return Turn(row.id, row.newest, remedy, row.plan, terms, taken - lasts, taken)


def as_condition(row: Row[Any]) -> Condition:
    """The condition in the row."""
    read = {name: getattr(row, name) for name in ("since", "failures", "successes", "note", "said", "checked_at")}
    return Condition(status=Status(row.status), tried=Remedy(row.tried), **read)


async def _lock(database: AsyncConnection, turn: Turn) -> Row[Any] | None:
    """The row of the turn, which nobody else writes until the transaction ends, or None if the turn was over."""
    mine = (col(Health.installation) == turn.installation) & (col(Health.due_at) == turn.until)
    same = update(Health).where(mine, col(Health.due_at) > now_ms()).values(installation=Health.installation)
    row: Row[Any] | None = (await database.execute(same.returning(*OF_HEALTH, col(Health.operation)))).one_or_none()
    return row


def _due() -> Select[Any]:
    """What serves with nothing on its way, the request that it was put up with, and its newest operation."""
    serving: Any = (col(Revision.installation) == col(Installation.id)) & (col(Revision.number) == col(Installation.revision))
    newest: Any = aliased(Operation)
    last: Any = aliased(Operation)
    named = (newest.id.label("newest"), newest.actor, newest.verb)
    chosen = pick(Installation.id, Revision.plan, Operation.request, *named).select_from(Installation).join(Revision, serving)
    # What was withdrawn left everything as it was: what was frozen before still is.
    joined = (
        chosen.join(Operation, col(Operation.id) == col(Revision.operation))
        .join(newest, newest.id == _newest(withdrawn=True))
        .join(last, last.id == _newest(withdrawn=False))
        .outerjoin(Health, col(Health.installation) == col(Installation.id))
    )
    due_at = func.coalesce(col(Health.due_at), 0)
    rests = joined.where(last.phase == Phase.SUCCEEDED.value, col(Installation.enabled).is_(True))
    return rests.where(due_at <= now_ms()).order_by(due_at)


def _newest(*, withdrawn: bool) -> Any:
    """The newest operation of the installation that changes something, those that were withdrawn among them or not."""
    mine: Any = aliased(Operation)
    here = pick(mine.id).where(mine.installation == col(Installation.id), mine.verb != "plan")
    counted = here if withdrawn else here.where(mine.phase != Phase.WITHDRAWN.value)
    return counted.order_by(mine.created_at.desc(), mine.id).limit(1).correlate(Installation).scalar_subquery()


NO_CHECKS = {"healthy": 0, "unhealthy": 0, "unknown": 0, "millis": 0}
