"""The points cover every step of every flow, so that a new step is killed at by itself."""

import pytest

from tests.chaos.play import all_scripts, real_scripts, some_scripts
from tests.chaos.points import NEVER, ROUND, STEPS, TAKEN, points_of
from tests.chaos.scripts import VERBS, Script


def deaths(scripts: list[Script]) -> set[tuple[str, str]]:
    return {(point.verb, point.step) for script in scripts for act in script.acts for point in act.points}


def count(scripts: list[Script]) -> int:
    return sum(script.points for script in scripts)


@pytest.mark.parametrize("verb", VERBS)
def test_every_step_of_the_verb_is_died_at(verb: str) -> None:
    named = {(verb, step.name) for step in STEPS[verb]} - NEVER
    assert named <= deaths(some_scripts())
    assert named <= deaths(all_scripts())


@pytest.mark.parametrize("verb", VERBS)
def test_every_moment_of_every_step_is_a_point(verb: str) -> None:
    for step in STEPS[verb]:
        points = [point for strategy in TAKEN for point in points_of(verb, strategy)]
        moments = {point.moment for point in points if point.step == step.name}
        assert moments >= {*ROUND} or (verb, step.name) in NEVER


def test_there_are_enough_points() -> None:
    assert count(some_scripts()) >= 60
    assert count(real_scripts()) >= 12
    assert count(all_scripts()) >= 200


def test_the_moments_are_spread() -> None:
    met = {point.moment for script in some_scripts() for act in script.acts for point in act.points}
    assert met >= {*ROUND}
