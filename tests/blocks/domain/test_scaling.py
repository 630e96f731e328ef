"""How large a revision is while it has a part of the requests."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from blocks.domain.scaling import has_enough, replicas_for
from blocks.domain.strategy import Stage

MIRROR = Stage(weight=0, pause=0, mirror=True)
BETA: dict[str, Any] = {"header": {"name": "x-beta", "value": "1"}}


def share(weight: int, **others: Any) -> Stage:
    return Stage.model_validate({"weight": weight, "pause": 0} | others)


@pytest.mark.parametrize(
    ("stages", "asked", "replicas"),
    [
        pytest.param([], 4, 4, id="all where there are no stages"),
        pytest.param([share(1)], 4, 1, id="one for the smallest share"),
        pytest.param([share(25)], 4, 1, id="a whole part"),
        pytest.param([share(26)], 4, 2, id="what is begun is a whole one"),
        pytest.param([share(7)], 100, 7, id="as many as percents of a hundred"),
        pytest.param([share(29)], 100, 29, id="without an error of rounding"),
        pytest.param([share(100)], 4, 4, id="all for all"),
        pytest.param([share(0, **BETA)], 4, 1, id="one for those who ask for it"),
        pytest.param([share(50, **BETA)], 4, 2, id="the share where it is more"),
        pytest.param([MIRROR], 4, 4, id="all for copies of all"),
        pytest.param([MIRROR, share(10)], 4, 4, id="what is warm is kept"),
    ],
)
def test_a_stage_needs(stages: list[Stage], asked: int, replicas: int) -> None:
    assert replicas_for(stages, asked) == replicas


@given(weights=some.sets(some.integers(1, 99), max_size=5), asked=some.integers(1, 20))
def test_capacity_is_never_below_what_is_routed_and_the_end_is_what_was_asked_for(weights: set[int], asked: int) -> None:
    stages = [share(one) for one in (*sorted(weights), 100)]
    sizes = [replicas_for(stages[: number + 1], asked) for number in range(len(stages))]
    assert all(size * 100 >= asked * stage.weight for size, stage in zip(sizes, stages, strict=True))
    assert sizes == sorted(sizes)
    assert sizes[-1] == asked


DEPLOYMENT: dict[str, Any] = {"kind": "Deployment", "spec": {"replicas": 2}}


@pytest.mark.parametrize(
    ("live", "desired", "enough"),
    [
        pytest.param(None, DEPLOYMENT, False, id="not where there is nothing"),
        pytest.param({"spec": {"replicas": 1}}, DEPLOYMENT, False, id="not with fewer"),
        pytest.param({"spec": {}}, DEPLOYMENT, False, id="one where none is named"),
        pytest.param(DEPLOYMENT, DEPLOYMENT, True, id="as many"),
        pytest.param({"spec": {"replicas": 3}}, DEPLOYMENT, True, id="more"),
        pytest.param({"kind": "Service", "spec": {}}, {"kind": "Service", "spec": {}}, True, id="what has no replicas"),
    ],
)
def test_there_is_enough(live: dict[str, Any] | None, desired: dict[str, Any], *, enough: bool) -> None:
    assert has_enough(live, desired) is enough
