"""Two who carry one operation: one is stopped, or was cancelled and does not know it, while another brings the operation to its end."""

import asyncio
import copy
import os
import signal
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from typing import Any

import psutil

from blocks.domain.approval import Speaker
from blocks.domain.journal import Phase
from blocks.domain.objects.labels import OPERATION
from tests.chaos.carrying import LOOK_EVERY, MOST_WORKERS, carry_to_end, wait_for_work
from tests.chaos.ground import End, Ground, Order, await_end
from tests.chaos.judge import judge_return
from tests.chaos.life import Life, Outcome
from tests.chaos.mortal import Fate
from tests.chaos.points import Point
from tests.chaos.scripts import Act

ANN = Speaker("ann", frozenset({"developer"}))


@dataclass(frozen=True)
class Sight:
    """Everything that a worker could change, as it stands."""

    journal: tuple[str, ...]
    objects: dict[str, Any]
    others: tuple[Any, ...]


async def prepare(life: Life, verb: str) -> None:
    """Let there be what the verb is about."""
    needed = {"install": (), "update": ("install",), "uninstall": ("install",)}
    for earlier in needed.get(verb, ("install", "update")):
        await life.play(Act(earlier))


async def stop_beyond_lease(life: Life, point: Point) -> Outcome:
    """Stop a worker at the point with SIGSTOP until another has ended the operation, then let it go on: it must change nothing."""
    await prepare(life, point.verb)
    order, ground = await life.ask(point.verb), life.ground
    operation = order.operation
    process = await stop_one(ground, order, point)
    if process is None:
        return Outcome(Act(point.verb, (point,)), "stopped", (f"nobody stopped {point}",))
    carried = await carry_to_end(ground, order)
    before = await see(life, operation)
    os.kill(process.pid or 0, signal.SIGCONT)
    end = await await_end(process)
    after = await see(life, operation)
    wrong = [] if carried.phase is Phase.SUCCEEDED else [f"it ended {carried.phase}"]
    wrong += [] if end.code == 0 else [f"the late one ended with {end.code}"]
    wrong += judge_late(before, after)
    return Outcome(Act(point.verb, (point,)), "stopped", tuple(wrong))


async def cancel_while_carried(life: Life, point: Point) -> Outcome:
    """Cancel when a worker is at the point; it goes on beside the one that takes back, and nothing of it stays."""
    await prepare(life, point.verb)
    before = world_of(life)
    order, ground = await life.ask(point.verb), life.ground
    operation = order.operation
    visits = [visit async for visit in come_to(ground, order, point)]
    wrong = [] if visits[-1].came else [f"nobody came {point}: {len(visits)} tried"]
    await ground.words.cancel(operation, ANN, "not today")
    visits[-1].said.set_result(None)
    carried = await carry_to_end(ground, order)
    end = await visits[-1].ended
    wrong += [] if carried.phase is Phase.WITHDRAWN else [f"it ended {carried.phase}"]
    wrong += [] if end.code == 0 else [f"the cancelled one ended with {end.code}"]
    made_anew = point.verb == "uninstall"
    wrong += (
        judge_return(without_birth(before), without_birth(world_of(life))) if made_anew else judge_return(before, world_of(life))
    )
    wrong += [f"no pod behind the route after {gap}" for gap in ground.ledger.gaps(life.namespace)]
    return Outcome(Act(point.verb, (point,)), "cancelled", tuple(wrong))


@dataclass(frozen=True)
class Visit:
    """A worker on its way: whether it came to the point, what lets it go on from there, and its end."""

    came: bool
    said: asyncio.Future[None]
    ended: asyncio.Task[End]


async def come_to(ground: Ground, order: Order, point: Point) -> AsyncIterator[Visit]:
    """Workers, one after the other, until one stands at the point.

    One that loses its lease on a busy machine stands aside, as it must, and another is sent, as the keeper does.
    """
    for _ in range(MOST_WORKERS):
        await wait_for_work(ground, order.operation)
        process = ground.start(order, Fate(point, None))
        heard, said = ground.word.expect(process.pid or 0)
        ended = asyncio.create_task(await_end(process))
        either: list[asyncio.Future[Any]] = [heard, ended]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        yield Visit(heard.done(), said, ended)
        if heard.done():
            return


async def stop_one(ground: Ground, order: Order, point: Point) -> BaseProcess | None:
    """A worker that stopped at the point, or None; one that lost its short lease before it came so far is followed by another."""
    for _ in range(MOST_WORKERS):
        await wait_for_work(ground, order.operation)
        process = ground.start(order, Fate(point, signal.SIGSTOP))
        if await is_stopped(process.pid or 0):
            return process
        await await_end(process)
    return None


async def is_stopped(pid: int) -> bool:
    """Whether the process came to a stop, and did not end."""
    while psutil.pid_exists(pid):
        try:
            if psutil.Process(pid).status() == psutil.STATUS_STOPPED:
                return True
        except psutil.NoSuchProcess:
            return False
        await asyncio.sleep(LOOK_EVERY)
    return False


async def see(life: Life, operation: Any) -> Sight:
    """How everything stands."""
    hashes = tuple(entry.hash for entry in await life.ground.journal.read(operation))
    return Sight(hashes, life.ground.ledger.bodies(life.namespace), (life.images(), life.databases(), life.ground.ledger.mark()))


def world_of(life: Life) -> dict[str, Any]:
    """Everything outside the record, by name."""
    images = {f"image {one}": True for one in life.images()}
    databases = {f"database {one}": True for one in life.databases()}
    return {**life.ground.ledger.bodies(life.namespace), **images, **databases}


def without_birth(world: Mapping[str, Any]) -> dict[str, Any]:
    """The world without what tells an object from the one that was there before it: what was removed is made anew by who takes back."""
    plain = copy.deepcopy(dict(world))
    for one in plain.values():
        if isinstance(one, dict):
            one["metadata"].pop("uid", None)
            one["metadata"].get("labels", {}).pop(OPERATION, None)
    return plain


def judge_late(before: Sight, after: Sight) -> Iterator[str]:
    """What the one who came too late changed."""
    if before.journal != after.journal:
        yield "the late one wrote into the journal"
    if before.others[:2] != after.others[:2]:
        yield f"the late one changed images or databases: {before.others} {after.others}"
    yield from judge_return(before.objects, after.objects)
