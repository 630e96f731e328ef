"""Bringing an operation to its end as the keeper does: whoever dies is followed by another, and people answer what is asked."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from blocks.catalog.starts import Starts
from blocks.domain.approval import APPROVAL, Question, Speaker
from blocks.domain.errors import TooLate
from blocks.domain.journal import Entry, Phase, fold
from tests.chaos.ground import End, Ground, Order, await_end
from tests.chaos.mortal import Fate

BOSS = Speaker("boss", frozenset({"approver"}))
# An operation that so many workers did not bring to its end is stuck.
MOST_WORKERS = 8
LOOK_EVERY = 0.1


@dataclass(frozen=True)
class Carried:
    """How an operation was carried: every worker's end, those that met their fate, the phase it was left in, and its journal."""

    ends: tuple[End, ...]
    deaths: tuple[End, ...]
    phase: Phase
    entries: tuple[Entry, ...]

    def resumed_after(self, death: End) -> float | None:
        """Seconds from a death to the first entry of another process, or None if there was nothing more to write."""
        later = [one.at for one in self.entries if one.at >= death.at - 1 and holder(one) not in ("", str(death.pid))]
        return round((later[0] - death.at) / 1000, 2) if later else None


def holder(entry: Entry) -> str:
    """The process that wrote the entry, or nothing if a person said it."""
    return entry.actor.rpartition(":")[2] if ":" in entry.actor else ""


async def nothing() -> None:
    """What is done after each worker, unless the test has something to look at."""


async def carry_to_end(
    ground: Ground, order: Order, fates: Iterable[Fate] = (), look: Callable[[], Awaitable[None]] = nothing
) -> Carried:
    """Start one worker after the other until the operation has ended; each takes over the fate that the one before did not meet."""
    ends, deaths, waiting = list[End](), list[End](), [*fates]
    while len(ends) < MOST_WORKERS and not (await wait_for_work(ground, order.operation)).is_final:
        assert await ground.slots.take(order.operation) == 0
        end = await await_end(ground.start(order, waiting[0] if waiting else None))
        ends.append(end)
        if waiting and end.code == -(waiting[0].signal or 0):
            deaths.append(end)
            waiting.pop(0)
            await look()
    entries = tuple(await ground.journal.read(order.operation))
    return Carried(tuple(ends), tuple(deaths), fold(entries).phase, entries)


async def wait_for_work(ground: Ground, operation: UUID) -> Phase:
    """The phase, once the operation has ended or another worker may take it; a question is answered at once."""
    starts = Starts(ground.engine)
    while True:
        entries = await ground.journal.read(operation)
        state = fold(entries)
        if state.phase is Phase.PARKED:
            await approve(ground, operation, Question.read(state.questions[APPROVAL]))
        elif state.phase.is_final or operation in await ground.leases.idle(0):
            return state.phase
        else:
            await asyncio.sleep(min(await starts.next_expiry() or LOOK_EVERY, LOOK_EVERY))


async def approve(ground: Ground, operation: UUID, question: Question) -> None:
    """Somebody else than who asked says yes to exactly this."""
    try:
        await ground.words.approve(operation, BOSS, question.hash, "go ahead")
    except TooLate:
        return  # it was cancelled meanwhile
