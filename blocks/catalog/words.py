"""What people say to an operation; it needs no lease, only the next place in the journal.

To add a word: write what it leads to in blocks/domain/words.py, and a method here.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.orm import aliased
from sqlmodel import col

from blocks.catalog.database import now_ms, pick, statement, transaction, unbroken
from blocks.catalog.held_sets import set_of
from blocks.catalog.idempotency import find_operation, keep_operation
from blocks.catalog.journal import JOURNAL, read_journal, row_after
from blocks.catalog.seals import Seals
from blocks.catalog.tables import Installation, Operation, PluginSet
from blocks.domain.approval import Speaker
from blocks.domain.errors import ChainBroken, Terminal, TooLate
from blocks.domain.journal import PHASE_AFTER, TURNS_BACK, WORKABLE, Entry, Fact, Phase, Reason, fold
from blocks.domain.words import (
    Heard,
    Said,
    answer_approve,
    answer_call_back,
    answer_cancel,
    answer_expire,
    answer_freeze,
    answer_promote,
    answer_refuse,
    answer_retry,
    answer_unfreeze,
    answer_wake,
)

Answer: TypeAlias = Callable[[Said, Heard], Sequence[Fact]]
# Who speaks when nobody answered in time.
KEEPER = Speaker("keeper", frozenset())


@dataclass(frozen=True)
class _Word:
    """One word to one operation: what it leads to, and the key and body that make saying it twice one word."""

    operation: UUID
    answer: Callable[[Heard], Sequence[Fact]]
    key: str | None
    body: str


@dataclass(frozen=True)
class _Place:
    """An operation as it stands under its lock."""

    operation: UUID
    phase: Phase
    token: int
    now: int


class Words:
    """The words to all operations.

    Every method returns the phase in which the operation is left, and raises `TooLate` where the word comes too late, `NotAllowed` where it
    cannot be said, `Terminal` where there is no such operation, and `KeyReused` for a key that came with another body. A word that changes
    the phase takes the operation over: whoever carries it writes nothing more.
    """

    def __init__(self, engine: AsyncEngine, seals: Seals | None = None) -> None:
        self._engine, self._seals = engine, seals

    async def approve(
        self, operation: UUID, speaker: Speaker, plan_hash: str, comment: str = "", *, key: str | None = None
    ) -> Phase:
        """Count a yes to this very plan, and let the operation go on once enough people have said so."""
        said = Said(speaker, comment, plan_hash)
        return await self._say(operation, said, answer_approve, key)

    async def refuse(
        self, operation: UUID, speaker: Speaker, plan_hash: str, comment: str = "", *, key: str | None = None
    ) -> Phase:
        """Say no to this very plan: what was begun is taken back."""
        said = Said(speaker, comment, plan_hash)
        return await self._say(operation, said, answer_refuse, key)

    async def cancel(self, operation: UUID, speaker: Speaker, reason: str, *, key: str | None = None) -> Phase:
        """Take back what was begun, wherever the operation stands."""
        return await self._say(operation, Said(speaker, reason), answer_cancel, key)

    async def call_back(self, operation: UUID, speaker: Speaker, why: Reason) -> Phase:
        """Take back what was begun, because of another plugin of the set."""
        return await self._say(operation, Said(speaker, why.message, hint=why.hint), answer_call_back)

    async def wake(self, operation: UUID, speaker: Speaker) -> Phase:
        """Let go on what waited for the other plugins of a set."""
        return await self._say(operation, Said(speaker), answer_wake)

    async def freeze(self, operation: UUID, speaker: Speaker, reason: str, *, key: str | None = None) -> Phase:
        """Stop the operation where it stands until somebody unfreezes it."""
        return await self._say(operation, Said(speaker, reason), answer_freeze, key)

    async def unfreeze(self, operation: UUID, speaker: Speaker, reason: str, *, key: str | None = None) -> Phase:
        """Let a frozen operation go on where it stood, in the direction in which it went."""
        return await self._say(operation, Said(speaker, reason), answer_unfreeze, key)

    async def retry(
        self, operation: UUID, speaker: Speaker, reason: str, *, accept_remaining: bool = False, key: str | None = None
    ) -> Phase:
        """Let a frozen operation try again; on the way back, what cannot be taken back is left as it is if that is accepted."""
        return await self._say(operation, Said(speaker, reason, accept_remaining=accept_remaining), answer_retry, key)

    async def promote(
        self, operation: UUID, speaker: Speaker, reason: str, *, fully: bool = False, key: str | None = None
    ) -> Phase:
        """Let the stage that is watched be good enough, and with `fully` all but the last that follow it."""
        return await self._say(operation, Said(speaker, reason, fully=fully), answer_promote, key)

    async def expire(self) -> list[UUID]:
        """Refuse every question that nobody answered in time; returns the operations that are taken back now.

        A journal that is broken keeps no other waiting: `ChainBroken` is raised at the end.
        """
        expired, broken = [], []
        for operation in await self._due():
            try:
                await self._say(operation, Said(KEEPER), answer_expire)
                expired.append(operation)
            except TooLate:
                continue  # somebody answered, or another keeper was faster
            except ChainBroken as problem:
                broken.append(problem)
        if broken:
            raise broken[0]
        return expired

    @unbroken
    async def _due(self) -> list[UUID]:
        due = (col(Operation.phase) == Phase.PARKED.value) & (col(Operation.wakes_at) > 0) & (col(Operation.wakes_at) <= now_ms())
        async with statement(self._engine) as database:
            return [UUID(str(row.id)) for row in await database.execute(pick(Operation.id).where(due))]

    async def _say(self, operation: UUID, said: Said, answer: Answer, key: str | None = None) -> Phase:
        body = f"{answer.__name__} {operation} {said.speaker.subject} {said.hash} {said.accept_remaining} {said.fully} {said.why}"
        phase, last = await self._record(_Word(operation, partial(answer, said), key, body))
        if last and self._seals:
            await self._seals.keep(operation, last.seq, last.hash)
        return phase

    @unbroken
    async def _record(self, word: _Word) -> tuple[Phase, Entry | None]:
        """The phase after the word, and the entry that it left last, if any."""
        async with transaction(self._engine) as database:
            tenant = await _lock_installation(database, word.operation)
            if word.key and await find_operation(database, tenant, word.key, word.body):
                return (await _look_at(database, word.operation)).phase, None
            place = await _look_at(database, word.operation)
            entries = await read_journal(database, word.operation)
            superseded, committed = [await ask(database, word.operation) for ask in (_is_superseded, _is_committed)]
            facts = word.answer(Heard(fold(entries), place.now, superseded=superseded, committed=committed))
            last = await _append(database, place, entries, facts) if facts else None
            if word.key:
                await keep_operation(self._engine, database, (tenant, word.key, word.body), word.operation)
        return PHASE_AFTER[last.kind] if last else place.phase, last


async def _lock_installation(database: AsyncConnection, operation: UUID) -> str:
    """The tenant; from here to the commit nobody asks for anything on the installation, and nobody else speaks of it."""
    mine = pick(Operation.installation).where(col(Operation.id) == operation).scalar_subquery()
    touched = update(Installation).where(col(Installation.id) == mine).values(touched_at=now_ms())
    tenant: str | None = (await database.execute(touched.returning(col(Installation.tenant)))).scalar_one_or_none()
    if tenant is None:
        raise Terminal(f"there is no operation {operation}")
    return tenant


async def _look_at(database: AsyncConnection, operation: UUID) -> _Place:
    """Where the operation stands; from here to the commit whoever carries it can write nothing."""
    same = update(Operation).where(col(Operation.id) == operation).values(seq=Operation.seq)
    named: tuple[Any, ...] = (Operation.phase, Operation.token)
    row = (await database.execute(same.returning(*named, now_ms().label("now")))).one()
    return _Place(operation, Phase(row.phase), row.token, row.now)


async def _is_superseded(database: AsyncConnection, operation: UUID) -> bool:
    """Whether another operation that changes things came after this one on its installation, and was not taken back."""
    mine, later = aliased(Operation), aliased(Operation)
    after: Any = (later.installation == mine.installation) & (later.id != mine.id) & (later.created_at >= mine.created_at)
    counts = (col(later.verb) != "plan") & (col(later.phase) != Phase.WITHDRAWN.value) & (col(mine.verb) != "plan")
    found = pick(later.id).join(mine, after).where(col(mine.id) == operation, counts).limit(1)
    return (await database.execute(found)).first() is not None


async def _is_committed(database: AsyncConnection, operation: UUID) -> bool:
    """Whether the operation was made for a set of which all plugins serve."""
    agreed = pick(PluginSet.id).where(col(PluginSet.id).in_(set_of(operation)), col(PluginSet.committed_at) > 0)
    return (await database.execute(agreed)).first() is not None


async def _append(database: AsyncConnection, place: _Place, entries: Sequence[Entry], facts: Sequence[Fact]) -> Entry:
    """The last of the facts as an entry; where they change the phase, whoever carried the operation writes nothing more."""
    phase = PHASE_AFTER[facts[-1].kind]
    taken = phase is not place.phase
    said = _seal(replace(place, token=place.token + taken), entries, facts)
    row: dict[str, Any] = {"seq": said[-1].seq, "head": said[-1].hash, "updated_at": said[-1].at}
    for fact in facts:
        row |= row_after(fact)
    if taken:
        row |= {"token": said[-1].token, "holder": "", "expires": 0, "dispatched_at": 0, "vain": 0}
    if taken and phase in WORKABLE:
        # Why it goes back, or nothing while it goes on.
        row["reason"] = next((one.payload for one in reversed([*entries, *said]) if one.kind in TURNS_BACK), "null")
    await database.execute(insert(JOURNAL).values([asdict(entry) for entry in said]))
    await database.execute(update(Operation).where(col(Operation.id) == place.operation).values(row))
    return said[-1]


def _seal(place: _Place, entries: Sequence[Entry], facts: Sequence[Fact]) -> list[Entry]:
    chain = [*entries]
    for fact in facts:
        seq, prev = (chain[-1].seq, chain[-1].hash) if chain else (0, "")
        entry = Entry(
            operation=place.operation,
            seq=seq + 1,
            step=fact.step,
            kind=fact.kind,
            token=place.token,
            actor=fact.actor,
            at=place.now,
            payload=fact.payload,
            prev=prev,
        )
        chain.append(entry.sealed())
    return chain[len(entries) :]
