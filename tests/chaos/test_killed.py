"""Whoever carries an operation is killed with SIGKILL at every step of every verb: another process goes on and brings it to its end.

The record is a real PostgreSQL, the workers are real processes, Prefect is real. Faked in the first two: cluster, registry, builder,
scanners, releases, database server and gateway, each of which passes the contract tests of the real one. In the last nothing is faked.
"""

from pathlib import Path

import pytest

from tests.chaos.play import Played, play_fake, play_races, play_real, real_scripts, some_scripts
from tests.chaos.window import open_window

pytestmark = pytest.mark.world


def wrong(played: Played) -> list[str]:
    """Everything that was wrong, by the act."""
    told = [f"{outcome}: {one}" for outcome in played.outcomes for one in outcome.complaints]
    return [*told, *played.record]


def deaths(played: Played) -> int:
    return sum(len(outcome.resumed_after) for outcome in played.outcomes)


async def test_operation_goes_on_wherever_its_worker_is_killed(tmp_path: Path) -> None:
    scripts = some_scripts()
    async with open_window(tmp_path):
        played = await play_fake(scripts, tmp_path)
    assert wrong(played) == []
    assert deaths(played) == sum(script.points for script in scripts) >= 60


async def test_worker_that_comes_back_too_late_changes_nothing(tmp_path: Path) -> None:
    async with open_window(tmp_path):
        assert wrong(await play_races(tmp_path)) == []


async def test_operation_goes_on_on_the_real_cluster_and_no_request_fails(tmp_path: Path) -> None:
    scripts = real_scripts()
    async with open_window(tmp_path):
        played = await play_real(scripts, tmp_path)
    assert wrong(played) == []
    assert deaths(played) == sum(script.points for script in scripts) >= 12
