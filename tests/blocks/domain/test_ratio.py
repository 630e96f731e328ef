"""How many pods stand for a share: as near as the pods that are asked for allow, and never fewer than serve alone."""

from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from blocks.domain.agreed import agree_on
from blocks.domain.plan import compose_plan
from blocks.domain.planned import steps_of
from blocks.domain.ratio import is_plain, percent, share_out, sizes_of, tell_share, weights_of
from blocks.domain.replaced import Replaced
from blocks.domain.shown import tell_traffic
from blocks.domain.strategy import Stage
from blocks.domain.waves import Sizes
from tests.blocks.domain.plans import make_hashed, make_plain

PODS = some.integers(1, 20)
WEIGHTS = some.sets(some.integers(1, 99), max_size=5)
# On a busy machine one example may take longer than Hypothesis likes.
unhurried = settings(deadline=None, max_examples=50)
CANARY: dict[str, Any] = {"strategy": "canary", "strategyConfig": {"stages": "10,50,100", "stageInterval": 0}, "replicas": 4}


def shares(*weights: int) -> list[Stage]:
    return [Stage(weight=one, pause=0) for one in weights]


@pytest.mark.parametrize(
    ("weights", "whole", "sizes"),
    [
        pytest.param(
            (25, 50, 100), Sizes(4, 4), [(1, 3), (2, 2), (4, 2)], id="exactly where it can be had, with no pod too many"
        ),
        pytest.param((10, 100), Sizes(4, 4), [(1, 4), (4, 4)], id="the nearest where it cannot"),
        pytest.param((30, 100), Sizes(4, 4), [(2, 4), (4, 4)], id="with a pod more where that is nearer"),
        pytest.param((1, 99, 100), Sizes(1, 1), [(1, 1), (1, 1), (1, 1)], id="a half where there is one of each"),
        pytest.param((57, 60, 100), Sizes(4, 4), [(4, 3), (4, 3), (4, 3)], id="what is warm is kept"),
        pytest.param((50, 100), Sizes(4, 2), [(1, 1), (4, 1)], id="growing, at least as many as there were"),
        pytest.param((50, 100), Sizes(2, 4), [(1, 1), (2, 1)], id="shrinking, at least as many as are asked for"),
        pytest.param((100,), Sizes(3, 2), [(3, 2)], id="all at once"),
    ],
)
def test_a_share_is(weights: tuple[int, ...], whole: Sizes, sizes: list[tuple[int, int]]) -> None:
    assert [(one.coming, one.going) for one in share_out(shares(*weights), whole)] == sizes


@unhurried
@given(weights=WEIGHTS, wanted=PODS, had=PODS)
def test_capacity_is_never_less_than_that_of_one_side(weights: set[int], wanted: int, had: int) -> None:
    found = share_out(shares(*sorted(weights), 100), Sizes(wanted, had))
    assert all(one.coming + one.going >= min(wanted, had) for one in found)
    assert all(1 <= one.coming <= wanted and 1 <= one.going <= had for one in found)
    assert all(after.coming >= before.coming for before, after in pairwise(found))
    assert found[-1].coming == wanted


@unhurried
@given(weight=some.integers(1, 99), wanted=PODS, had=PODS)
def test_no_other_sizes_are_nearer(weight: int, wanted: int, had: int) -> None:
    (found, _) = share_out(shares(weight, 100), Sizes(wanted, had))
    others = [(new, old) for new in range(1, wanted + 1) for old in range(1, had + 1) if new + old >= min(wanted, had)]
    assert off(found.coming, found.going, weight) == min(off(*one, weight) for one in others)


def off(new: int, old: int, weight: int) -> Fraction:
    return abs(Fraction(100 * new, new + old) - weight)


@pytest.mark.parametrize(
    ("weight", "sizes", "said"),
    [
        pytest.param(
            10,
            Sizes(1, 4),
            "let 20 % of the requests meet the revision by 1 pod of it beside 4 of the one before: "
            "10 % are asked for, 1 of 5 pods are 20 %",
            id="what is asked for and what it comes to",
        ),
        pytest.param(
            50, Sizes(2, 2), "let 50 % of the requests meet the revision by 2 pods of it beside 2 of the one before", id="exactly"
        ),
        pytest.param(100, Sizes(4, 2), "send all requests to the revision's 4 pods, in one write", id="all"),
    ],
)
def test_it_is_told(weight: int, sizes: Sizes, said: str) -> None:
    assert tell_share(weight, sizes) == said


def update(replicas: object, **asked: Any) -> dict[str, Any]:
    """A plan of an update whose revision before has so many replicas in the cluster, or is not there."""
    live = {"Deployment/hello-r1": {"spec": {"replicas": replicas}} if replicas else None}
    return agree_on(make_plain(revision=2, **CANARY | asked), Replaced(1, "hello@1.2.3"), "update", ()) | {"live": live}


@pytest.mark.parametrize(
    ("replicas", "sizes"),
    [
        pytest.param(4, [(1, 4), (2, 2), (4, 2)], id="as many as serve"),
        pytest.param(2, [(1, 2), (1, 1), (4, 1)], id="fewer serve"),
        pytest.param(None, [(1, 4), (2, 2), (4, 2)], id="somebody took away what served"),
    ],
)
def test_the_plan_knows_them(replicas: object, sizes: list[tuple[int, int]]) -> None:
    assert [(one.coming, one.going) for one in sizes_of(update(replicas))] == sizes


def test_what_people_read_is_what_it_comes_to() -> None:
    plan = update(4)
    assert weights_of(plan) == (20, 50, 100)
    assert [one["weights"].get("hello-r2") for one in tell_traffic(plan)] == [None, 0, 20, 50, 100]
    said = {one.name: one.what for one in steps_of(plan)}
    assert said["route_stage:2"] == tell_share(50, Sizes(2, 2))
    assert said["verify"] == "ask the plugin's Service which release it is"


ERRORS: dict[str, Any] = {"name": "errors", "query": "x", "max": 1}


@pytest.mark.parametrize(
    ("analysis", "said"),
    [
        pytest.param({"pods": {}, "metrics": [ERRORS]}, "errors and its pods", id="all"),
        pytest.param({"pods": {}, "metrics": [ERRORS | {"dryRun": True}]}, "its pods", id="what decides"),
    ],
)
def test_what_nobody_counts_is_not_said_to_be_watched(analysis: dict[str, Any], said: str) -> None:
    plan = update(4, strategyConfig=CANARY["strategyConfig"] | {"analysis": analysis})
    assert {one.name: one.what for one in steps_of(plan)}[
        "watch_stage:1"
    ] == f"keep it so for 0 s, as long as nothing is wrong with {said}"


def test_the_plan_says_where_each_revision_answers_and_how_large_it_is() -> None:
    plan = compose_plan(update(4), {"steps": [], "summary": "", "changes": []}, "sha256:it")
    assert (plan.plain, plan.host, plan.own_host) == (True, "hello.default-dev.svc:8080", "hello-r2.default-dev.svc:8080")
    assert [plan.size_at(stage, plan.replicas) for stage in (1, 2, 3)] == [1, 2, 4]


def test_a_first_revision_and_one_behind_a_gateway_have_none() -> None:
    first = agree_on(make_plain(**CANARY), Replaced(), "install", ())
    assert (is_plain(first), sizes_of(first), weights_of(first)) == (True, (), (100,))
    behind = make_hashed(**CANARY)
    assert (is_plain(behind), sizes_of(behind)) == (False, ())


def test_percents_are_whole() -> None:
    assert [percent(Sizes(1, 2)), percent(Sizes(2, 1)), percent(Sizes(1, 1))] == [33, 67, 50]
