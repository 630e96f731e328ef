"""Plugins of a set that wait for each other: the points at which they meet, and the one run that carries them all.

How far each has come stands in its own journal, and what to do follows from that alone: whichever runs carry them, in one process or in
several, however often they die, the same is decided.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import asdict
from typing import Any, TypeAlias
from uuid import UUID

from prefect.client.schemas.objects import State as RunState
from prefect.states import Completed, Failed

from blocks.catalog.plugin_sets import PluginSets
from blocks.domain.errors import LeaseLost, Needed, Parked, RecordAway
from blocks.domain.journal import Phase, Reason
from blocks.domain.together import END, ENDED, FORWARDS, READY, WAITS, Go, Rest, look_around, phase_of
from blocks.work import Work
from tasks.kinds import Undo, step

Meet: TypeAlias = Callable[[Work, str], Awaitable[object]]
Carry: TypeAlias = Callable[[UUID], Coroutine[Any, Any, None]]
# Seconds between two looks at how the others stand.
LOOK = 0.2


async def alone(_: Work, __: str) -> None:
    """A plugin that is in no set waits for nobody."""


@step(Undo.REVERSIBLE, keyed=True)
async def meet(work: Work, point: str) -> None:
    """All other plugins of the set have come as far; at the end none of them goes back any more.

    Raises `Parked` where one of them waits for a person: then nothing is held until that person has spoken.
    """
    sets = work.tools.sets
    while True:
        together = await sets.together(work.operation)
        if together.member(work.operation).phase not in FORWARDS:
            raise LeaseLost(f"operation {work.operation} is taken back, or stopped")
        found = look_around(point, work.operation, together)
        if isinstance(found, Rest):
            why = Reason(WAITS, f"{found.plugin} of the same set waits for somebody", "see what it waits for")
            raise Parked(why.message, why.hint, json.dumps({"why": asdict(why)}))
        if isinstance(found, Go) and (point != END or await sets.commit(work.operation)):
            return
        await asyncio.sleep(LOOK)


@meet.undo
async def part(work: Work, point: str) -> None:
    """Nobody of the set stands any more on what this plugin is about to take away: the last one goes first.

    By then its requests are back where they were. Raises `Needed` where a later one is frozen, unless that is accepted.
    """
    while point == READY and not (await work.look()).accepted:
        together = await work.tools.sets.together(work.operation)
        place = together.member(work.operation).place
        later = [one for one in together.members if one.place > place and one.phase not in ENDED]
        if not later:
            return
        if frozen := [one.plugin for one in later if one.phase is Phase.FROZEN]:
            raise Needed(f"{', '.join(frozen)} of the same set is frozen and came after it", "see to that first, then retry")
        await asyncio.sleep(LOOK)


async def carry_together(sets: PluginSets, operation: UUID, carry: Carry) -> RunState[None]:
    """Carry every plugin of the set for which the operation was made, as long as any of them has something to do.

    What one of them leads to for the others is said to them here, and whoever can go on again is taken up again.
    """
    async with asyncio.TaskGroup() as group:
        # This run may have been started beside a worker that fell silent: what that one has in hand is waited for, once.
        running = {one: group.create_task(carry(one)) for one in await _listen(sets, operation, held=True)}
        while running:
            await asyncio.wait(running.values(), timeout=LOOK, return_when=asyncio.FIRST_COMPLETED)
            running = {one: task for one, task in running.items() if not task.done()}
            idle = [one for one in await _listen(sets, operation) if one not in running]
            running |= {one: group.create_task(carry(one)) for one in idle}
    return await _tell(sets, operation)


async def _listen(sets: PluginSets, operation: UUID, *, held: bool = False) -> tuple[UUID, ...]:
    """What there is to carry, once all has been said to each of them that follows from the others; nothing while the record is away."""
    with suppress(RecordAway):
        await sets.say(operation)
        return await sets.to_carry(operation, held=held)
    return ()


async def _tell(sets: PluginSets, operation: UUID) -> RunState[None]:
    """What Prefect's page shows of the set."""
    together = await sets.together(operation)
    phase = phase_of([(one.phase, one.failed) for one in together.members])
    message = ", ".join(f"{one.plugin} {one.phase}" for one in together.members)
    if phase in (Phase.WITHDRAWN, Phase.FROZEN):
        return Failed(name=phase.capitalize(), message=message)
    return Completed(name="Succeeded" if phase is Phase.SUCCEEDED else "Parked", message=message)
