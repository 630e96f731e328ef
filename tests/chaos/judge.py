"""What must hold after every operation, however often whoever carried it died."""

import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.domain.journal import Entry
from tests.chaos.carrying import Carried, holder
from tests.chaos.ground import End
from tests.chaos.life import Life
from tests.chaos.points import WHOLE, Point
from tests.chaos.scripts import Act

KILLED = -signal.SIGKILL
HELD = """
    SELECT id, verb, phase FROM operation
    WHERE slot OR phase IN ('requested', 'applying', 'undoing', 'parked') OR holder <> ''
"""


def judge_carrying(act: Act, carried: Carried) -> Iterator[str]:
    """What is wrong with who carried the operation, and where it ended."""
    for point, end in zip_longest(act.points, carried.deaths):
        yield from judge_death(point, end, carried.entries) if end else [f"nobody died {point}"]
    yield from (f"a worker ended with {end.code}" for end in carried.ends if end.code not in (0, KILLED))
    if carried.phase is not act.ends:
        told = [one.payload for one in carried.entries if '"message"' in one.payload]
        yield f"it ended {carried.phase} and not {act.ends}: {told[-1:]}"


def judge_death(point: Point, end: End, entries: tuple[Entry, ...]) -> Iterator[str]:
    """Nobody else went on after the death."""
    mine = [one.seq for one in entries if holder(one) == str(end.pid)]
    later = [one for one in entries if one.seq > max(mine, default=0)]
    if not later and not (point.step == WHOLE and point.is_after):
        yield f"nobody went on after the death {point}"


def judge_changes(changes: Counter[str], undisturbed: Mapping[str, int]) -> Iterator[str]:
    """Every object that was not changed as often as when nobody died."""
    for what in sorted({*changes, *undisturbed}):
        if changes[what] != undisturbed.get(what, 0):
            yield f"{what}: {changes[what]} times, and {undisturbed.get(what, 0)} when nobody dies"


def judge_return(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Every object that is not as it was before what was taken back."""
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            yield f"{name} is not as it was: {before.get(name)} before, {after.get(name)} now"


def judge_traffic(life: Life) -> Iterator[str]:
    """Every moment in which somebody who uses the plugin would have met nobody."""
    yield from (f"no pod behind the route after {gap}" for gap in life.ground.ledger.gaps(life.namespace))


def judge_rest(life: Life) -> Iterator[str]:
    """What is left once the installation is gone."""
    yield from (f"{one} is left" for one in life.ground.ledger.left(life.namespace))
    yield from (f"database {one} is left" for one in life.databases())


async def judge_record(engine: AsyncEngine) -> list[str]:
    """Every operation that has not ended, or holds a slot or a lease."""
    async with engine.connect() as connection:
        rows = await connection.execute(text(HELD))
        return [f"{row.verb} {row.id} is {row.phase} and holds a slot or a lease" for row in rows]
