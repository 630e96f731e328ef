"""Everything that is played in `make test` and, whole, in `make chaos`; each on an empty record of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from tests.chaos.ground import Ground, open_fake_ground
from tests.chaos.judge import judge_record
from tests.chaos.life import Life, Outcome
from tests.chaos.points import STAGED, Moment, Point, spread
from tests.chaos.races import cancel_while_carried, stop_beyond_lease
from tests.chaos.real import open_real_ground
from tests.chaos.run import live_all
from tests.chaos.run_real import live_all_really
from tests.chaos.scripts import (
    Script,
    all_points,
    all_points_back,
    scripts_back,
    scripts_forth,
    scripts_staged,
    scripts_twice,
    staged_points,
)
from tests.chaos.window import fresh_record

Race: TypeAlias = Callable[[Life, Point], Awaitable[Outcome]]
# Where a worker is stopped for longer than its lease, and where its operation is cancelled while it works.
STOPPED = (
    Point("install", "build", Moment.AFTER_INTENT),
    Point("install", "roll_out", Moment.IN_BETWEEN),
    Point("update", "shift_traffic", Moment.AFTER_INTENT),
    Point("update", "retire_revision", Moment.BEFORE_RESULT),
    Point("rollback", "roll_out", Moment.AFTER_INTENT),
    Point("uninstall", "remove_plugin", Moment.IN_BETWEEN),
)
CANCELLED = (
    Point("install", "resolve", Moment.BEFORE_INTENT),
    Point("install", "build", Moment.BEFORE_RESULT),
    Point("install", "provision_namespace", Moment.IN_BETWEEN),
    Point("install", "roll_out", Moment.AFTER_INTENT),
    Point("update", "shift_traffic", Moment.AFTER_INTENT),
    Point("update", "retire_revision", Moment.AFTER_INTENT),
    Point("rollback", "roll_out", Moment.AFTER_INTENT),
    Point("uninstall", "remove_plugin", Moment.IN_BETWEEN),
)
# So many lives of plugins that lie, and so many steps of each verb that are died at on the real cluster.
LIARS, REAL = 4, 4
# Deaths in one operation in `make test`, on the fake cluster and on the real one: each costs a worker, not an operation of its own.
DEATHS, REAL_DEATHS = 3, 2


@dataclass(frozen=True)
class Played:
    """What came of every act, and what was wrong with the record at the end."""

    outcomes: Sequence[Outcome]
    record: Sequence[str]


def some_scripts() -> list[Script]:
    """What `make test` plays: every step of every verb, the moments in turn, and every third step on the way back, several in a row.

    The steps that only a strategy has are taken back in `make chaos`.
    """
    forth = {verb: spread([*points]) for verb, points in all_points().items()}
    back = {verb: spread([*points])[::3] for verb, points in all_points_back().items()}
    staged = {name: {verb: _forth(spread([*points])) for verb, points in staged_points(name).items()} for name in STAGED}
    return [
        *scripts_forth(forth, DEATHS),
        *scripts_back(back, LIARS // 2, DEATHS),
        *(one for name in STAGED for one in scripts_staged(name, staged[name], DEATHS)),
    ]


def _forth(points: Sequence[Point]) -> list[Point]:
    return [point for point in points if not point.back]


def all_scripts() -> list[Script]:
    """What `make chaos` plays: every moment of every step on the way forth and back, and some of them twice."""
    twice = {verb: spread([*points]) for verb, points in all_points().items()}
    staged = [script for name in STAGED for script in scripts_staged(name, staged_points(name))]
    return [*scripts_forth(all_points()), *scripts_back(all_points_back(), 2 * LIARS), *scripts_twice(twice)[::3], *staged]


def real_scripts() -> list[Script]:
    """What is played on the real cluster: two lives, deaths at other steps and other moments in each; a service has no database."""
    known = {
        verb: [point for point in spread([*points]) if point.step != "hand_over_data"] for verb, points in all_points().items()
    }
    return scripts_forth({verb: points[1 :: len(points) // REAL][:REAL] for verb, points in known.items()}, REAL_DEATHS)


async def play_fake(scripts: Sequence[Script], folder: Path) -> Played:
    """What came of the scripts in the fake world."""
    async with fresh_record() as url, open_fake_ground(url, folder) as ground:
        return Played(await live_all(ground, scripts), await see_record(ground))


async def play_races(folder: Path) -> Played:
    """What came of those who were stopped, and of those who were cancelled."""
    async with fresh_record() as url, open_fake_ground(url, folder) as ground:
        races: list[tuple[Race, Point]] = [(stop_beyond_lease, point) for point in STOPPED]
        races += [(cancel_while_carried, point) for point in CANCELLED]

        async def in_turn(race: Race, point: Point) -> Outcome:
            async with ground.room:
                return await race(Life(ground, runtime=_runtime(point)), point)

        outcomes = await asyncio.gather(*(in_turn(*one) for one in races))
        return Played(outcomes, await see_record(ground))


async def play_real(scripts: Sequence[Script], folder: Path) -> Played:
    """What came of the scripts on the real cluster."""
    async with fresh_record() as url, open_real_ground(url, folder) as ground:
        return Played(await live_all_really(ground, scripts), await see_record(ground))


async def see_record(ground: Ground) -> list[str]:
    """What is wrong with the record once everything has ended: a journal that is not whole, a slot or a lease that is still held."""
    broken = [f"journal of {one.operation} is broken at {one.seq}: {one.what}" for one in await ground.audit.verify()]
    return [*broken, *await judge_record(ground.engine)]


def _runtime(point: Point) -> str:
    """An update of a plugin with a database cannot be taken back."""
    return "backend" if point.verb == "install" else "frontend"
