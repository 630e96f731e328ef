"""How the plugins of a set stand together, and what is said to them because of each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from blocks.catalog.database import lease_ms, now_ms, pick, statement, transaction, unbroken
from blocks.catalog.held_sets import hold_set, set_of
from blocks.catalog.seals import Seals
from blocks.catalog.tables import Installation, JournalEntry, Operation, PluginSet, PluginSetMember
from blocks.catalog.words import Words
from blocks.domain.approval import Speaker
from blocks.domain.errors import Terminal, TooLate
from blocks.domain.journal import TURNS_BACK, WORKABLE, Kind, Phase
from blocks.domain.status import read_reason
from blocks.domain.together import MEET, Member, Together, Word, blame, find_bad, furthest, what_to_say

_MET = f"{MEET}:"


@dataclass(frozen=True)
class SetMember:
    """One plugin of a set, as the record names it; `own` where its operation was made for the set."""

    plugin: str
    installation: UUID
    operation: UUID
    own: bool


@dataclass(frozen=True)
class SetView:
    """One set with its plugins in order; times in milliseconds since 1970, `committed_at` 0 until all of them serve."""

    id: UUID
    tenant: str
    environment: str
    name: str
    actor: str
    reason: str
    created_at: int
    committed_at: int
    members: tuple[SetMember, ...] = ()


class PluginSets:
    """The sets of all tenants."""

    def __init__(self, engine: AsyncEngine, seals: Seals | None = None) -> None:
        self._engine, self._words = engine, Words(engine, seals)

    @unbroken
    async def plugin_set(self, plugin_set: UUID) -> SetView | None:
        """One set, or None."""
        named = [col(getattr(PluginSet, name)) for name in SetView.__dataclass_fields__ if name != "members"]
        chosen = pick(*named).where(col(PluginSet.id) == plugin_set)
        async with statement(self._engine) as database:
            row = (await database.execute(chosen)).mappings().one_or_none()
            if row is None:
                return None
            members = await database.execute(_members(PluginSetMember.own).where(col(PluginSetMember.plugin_set) == plugin_set))
            told = tuple(SetMember(one.plugin, one.installation, one.operation, one.own) for one in members)
        return SetView(**row, members=told)

    @unbroken
    async def together(self, operation: UUID) -> Together:
        """How the set stands for which the operation was made; `Terminal` if it was made for none."""
        async with transaction(self._engine) as database:
            return await _read(database, operation)

    @unbroken
    async def to_carry(self, operation: UUID, *, held: bool = False) -> tuple[UUID, ...]:
        """The operations of the same set that have work to do and nobody who does it; with `held` those too that somebody has in hand."""
        workable = col(Operation.phase).in_([phase.value for phase in WORKABLE])
        free = () if held else (col(Operation.expires) < lease_ms(),)
        async with statement(self._engine) as database:
            rows = (await database.execute(_members(Operation.id).where(_own(operation), workable, *free))).all()
        return tuple(UUID(str(row.operation)) for row in rows)

    @unbroken
    async def commit(self, operation: UUID) -> bool:
        """Whether no plugin of the set goes back any more: so it is from now on if all are on their way forwards at this moment."""
        async with transaction(self._engine) as database:
            await hold_set(database, operation)
            together = await _read(database, operation)
            # From here to the commit no word of anybody reaches any of them.
            phases = [await _lock(database, one.operation) for one in sorted(together.members, key=lambda one: one.operation)]
            agreed = all(phase in (Phase.APPLYING, Phase.SUCCEEDED) for phase in phases)
            if agreed and not together.committed:
                await database.execute(update(PluginSet).where(col(PluginSet.id) == together.id).values(committed_at=now_ms()))
            return agreed or together.committed

    async def say(self, operation: UUID) -> None:
        """Say to each plugin of the set what follows for it from how the others stand."""
        together = await self.together(operation)
        speaker, bad = Speaker(f"set {together.name}", frozenset()), find_bad(together.members)
        for one, word in what_to_say(together).items():
            try:
                if word is Word.CALL_BACK and bad:
                    await self._words.call_back(one, speaker, blame(together.name, bad))
                else:
                    await self._words.wake(one, speaker)
            except TooLate:
                continue  # it has gone on, or somebody else was faster


async def _read(database: AsyncConnection, operation: UUID) -> Together:
    named = (Operation.phase, Operation.reason, Operation.seq, PluginSetMember.place)
    of_set = (PluginSet.id, PluginSet.name, PluginSet.committed_at)
    joined = _members(*named, *of_set).join(PluginSet, col(PluginSet.id) == col(PluginSetMember.plugin_set))
    # The journals come first: what is written meanwhile makes a plugin seem further behind, and never bad without a reason.
    said = await _said(database, operation)
    rows = (await database.execute(joined.where(_own(operation)))).all()
    if not rows:
        raise Terminal(f"operation {operation} was not made for a set")
    members = tuple(_as_member(row, [one for one in said if one.operation == row.operation]) for row in rows)
    return Together(UUID(str(rows[0].id)), rows[0].name, members, committed=rows[0].committed_at > 0)


async def _said(database: AsyncConnection, operation: UUID) -> Sequence[Row[Any]]:
    """What the journals of the set say of points and of ways back, and the last word of each."""
    own = pick(PluginSetMember.operation).where(_own(operation))
    line: Any = col(JournalEntry.operation) == col(Operation.id)
    turned = col(JournalEntry.kind).in_([kind.value for kind in TURNS_BACK])
    told = col(JournalEntry.step).like(f"{_MET}%") | turned | (col(JournalEntry.seq) == col(Operation.seq))
    lines = pick(JournalEntry.operation, JournalEntry.seq, JournalEntry.step, JournalEntry.kind)
    chosen = lines.join(Operation, line).where(col(JournalEntry.operation).in_(own), told)
    return (await database.execute(chosen.order_by(col(JournalEntry.seq)))).all()


def _as_member(row: Row[Any], said: Sequence[Row[Any]]) -> Member:
    phase = Phase(row.phase)
    return Member(
        operation=UUID(str(row.operation)),
        plugin=row.plugin,
        place=row.place,
        phase=phase,
        point=furthest(one.step.removeprefix(_MET) for one in said if one.kind == Kind.INTENDED and one.step.startswith(_MET)),
        waits=phase is Phase.PARKED and bool(said) and said[-1].step.startswith(_MET),
        failed=any(one.kind in TURNS_BACK for one in said),
        reason=read_reason(row.reason),
    )


def _members(*fields: Any) -> Any:
    """The members of sets in their order: which plugin, where, by which operation, and these fields."""
    named: tuple[Any, ...] = (Installation.plugin, Operation.installation, PluginSetMember.operation)
    joined = (
        pick(*named, *fields)
        .select_from(PluginSetMember)
        .join(Operation, col(Operation.id) == col(PluginSetMember.operation))
        .join(Installation, col(Installation.id) == col(Operation.installation))
    )
    return joined.order_by(col(PluginSetMember.place))


def _own(operation: UUID) -> Any:
    """Those that were made for the same set as the operation."""
    return col(PluginSetMember.own) & col(PluginSetMember.plugin_set).in_(set_of(operation))


async def _lock(database: AsyncConnection, operation: UUID) -> Phase:
    same = update(Operation).where(col(Operation.id) == operation).values(seq=Operation.seq)
    return Phase((await database.execute(same.returning(col(Operation.phase)))).scalar_one())
