"""The runs that are started for operations: which comes next, which are on their way, and which lead nowhere."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, case, false, func, update
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col

from blocks.catalog.database import lease_ms, pick, statement, transaction, unbroken
from blocks.catalog.held_sets import hold_set, set_of
from blocks.catalog.tables import Operation, PluginSetMember
from blocks.domain.errors import Terminal
from blocks.domain.journal import WORKABLE, Phase
from blocks.domain.manifest import InstallRequest

# So many runs that ended before they began are followed by another at once; what goes on failing is tried at its pace.
SOON = 3
# What is on its way forwards: a run that is cancelled on its way back says nothing new.
FORWARDS = (Phase.REQUESTED.value, Phase.APPLYING.value)


@dataclass(frozen=True)
class Start:
    """The next run that is to carry an operation; `number` counts its runs from 1, `due` says that none is expected already.

    `together`: the operation was made for a set, and the run carries all of that.
    """

    operation: UUID
    installation: UUID
    verb: str
    request: InstallRequest
    number: int
    due: bool
    together: bool = False


class Starts:
    """The runs of all operations; several processes may start them at once."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @unbroken
    async def upcoming(self, operation: UUID, patience: float = 0) -> Start:
        """The run to start next, the same one until it is noted; `Terminal` if there is no such operation.

        One that was started less than `patience` seconds ago and has not come yet is still expected.
        """
        started = col(Operation.dispatched_at) > lease_ms() - int(patience * 1000)
        due = (~(started & (col(Operation.expires) < col(Operation.dispatched_at)))).label("due")
        chosen = pick(
            Operation.installation, Operation.verb, Operation.request, Operation.attempt, due, _of_set().label("together")
        )
        async with statement(self._engine) as database:
            row = (await database.execute(chosen.where(col(Operation.id) == operation))).one_or_none()
        if row is None:
            raise Terminal(f"there is no operation {operation}")
        request = InstallRequest.model_validate_json(row.request)
        number, due_now, together = row.attempt + 1, bool(row.due), bool(row.together)
        return Start(operation, UUID(str(row.installation)), row.verb, request, number, due_now, together)

    @unbroken
    async def note(self, start: Start, flow_run: str) -> None:
        """Count the run; of two processes that started it (Prefect gave both the same one) the second changes nothing.

        One that carries a set is waited for by all of it that has work to do.
        """
        same = (col(Operation.id) == start.operation) & (col(Operation.attempt) == start.number - 1)
        held = col(Operation.expires) >= lease_ms()
        # A run that is started beside a silent worker is expected once the lease has run out; if the worker lives, it was no vain start,
        # and people are still led to that one's run.
        counted = {
            "attempt": col(Operation.attempt) + 1,
            "vain": case((held, col(Operation.vain)), else_=col(Operation.vain) + 1),
            "dispatched_at": case((held, col(Operation.expires) + 1), else_=lease_ms()),
            "flow_run": case((held, col(Operation.flow_run)), else_=flow_run),
            "trouble": "",
        }
        async with transaction(self._engine) as database:
            if start.together:
                await hold_set(database, start.operation)
            noted = await database.execute(update(Operation).where(same).values(counted))
            if start.together and noted.rowcount:
                await database.execute(update(Operation).where(_beside(start.operation), _workable()).values(counted))

    @unbroken
    async def on_their_way(self) -> dict[str, UUID]:
        """The operations that go forwards, by the flow run that was last started for each."""
        chosen = pick(Operation.flow_run, Operation.id).where(col(Operation.phase).in_(FORWARDS), col(Operation.flow_run) != "")
        async with statement(self._engine) as database:
            return {row.flow_run: UUID(str(row.id)) for row in await database.execute(chosen)}

    @unbroken
    async def awaited(self) -> dict[str, UUID]:
        """The operations for which a run was started that has not taken the lease yet, by that run."""
        chosen = pick(Operation.flow_run, Operation.id).where(_workable(), col(Operation.vain) > 0, col(Operation.flow_run) != "")
        async with statement(self._engine) as database:
            return {row.flow_run: UUID(str(row.id)) for row in await database.execute(chosen)}

    @unbroken
    async def say(self, operation: UUID, flow_run: str, trouble: str, *, over: bool) -> None:
        """Keep why the run does not begin; if it is `over` and one of the first few, the next is due at once."""
        same = (col(Operation.id) == operation) & (col(Operation.flow_run) == flow_run) & (col(Operation.vain) > 0)
        at_once = (col(Operation.vain) <= SOON) if over else false()
        known = {"trouble": trouble, "dispatched_at": case((at_once, 0), else_=col(Operation.dispatched_at))}
        async with statement(self._engine) as database:
            await database.execute(update(Operation).where(same, col(Operation.trouble) != trouble).values(known))

    @unbroken
    async def in_vain(self, most: int) -> frozenset[UUID]:
        """Operations for which so many runs in a row were started and none took the lease."""
        chosen = pick(Operation.id).where(_workable(), col(Operation.vain) >= most)
        async with statement(self._engine) as database:
            return frozenset(UUID(str(row.id)) for row in await database.execute(chosen))

    @unbroken
    async def overdue(self, ttl: float, left: float) -> list[UUID]:
        """Operations whose worker is silent: of its lease of `ttl` seconds no more than `left` is left.

        Those for which a run was started since the lease was last renewed are not among them.
        """
        renewed_at = col(Operation.expires) - int(ttl * 1000)
        late = (col(Operation.expires) >= lease_ms()) & (col(Operation.expires) - lease_ms() <= int(left * 1000))
        chosen = pick(Operation.id).where(_workable(), late, col(Operation.dispatched_at) < renewed_at)
        async with statement(self._engine) as database:
            return [UUID(str(row.id)) for row in await database.execute(chosen)]

    @unbroken
    async def next_expiry(self) -> float | None:
        """Seconds until the first of the held leases runs out, or None if none is held; the database's clock says."""
        held = _workable() & (col(Operation.expires) >= lease_ms())
        async with statement(self._engine) as database:
            left = (await database.execute(pick(func.min(col(Operation.expires)) - lease_ms()).where(held))).scalar_one()
        return None if left is None else float(left) / 1000


def _of_set() -> ColumnElement[bool]:
    mine = pick(PluginSetMember.operation).where(col(PluginSetMember.operation) == col(Operation.id), col(PluginSetMember.own))
    return mine.exists()


def _beside(operation: UUID) -> ColumnElement[bool]:
    """The others that were made for the same set."""
    own = pick(PluginSetMember.operation).where(col(PluginSetMember.plugin_set).in_(set_of(operation)), col(PluginSetMember.own))
    return col(Operation.id).in_(own) & (col(Operation.id) != operation)


def _workable() -> ColumnElement[bool]:
    return col(Operation.phase).in_([phase.value for phase in WORKABLE])
