"""Between how many replicas the cluster chooses, and what cannot be asked for beside that."""

from typing import Any

import pytest
from pydantic import ValidationError

from blocks.domain.autoscaling import Autoscaling, Range, range_of
from tests.blocks.domain.plans import make_revision
from tests.builders import make_request

ASKED: dict[str, Any] = {"minReplicas": 2, "maxReplicas": 6}
TWO_TO_SIX = Range(2, 6)


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        pytest.param(0, 2, id="never fewer than the least"),
        pytest.param(2, 2, id="the least"),
        pytest.param(4, 4, id="what is between"),
        pytest.param(6, 6, id="the most"),
        pytest.param(9, 6, id="never more than the most"),
    ],
)
def test_a_number_is_taken_into_the_range(wanted: int, given: int) -> None:
    assert TWO_TO_SIX.within(wanted) == given


def test_a_plan_knows_the_range_that_was_asked_for() -> None:
    assert range_of(make_revision(autoscaling=ASKED)) == TWO_TO_SIX
    assert range_of(make_revision()) is None


def test_what_is_left_out_is_said() -> None:
    assert make_request(autoscaling={"maxReplicas": 3}).autoscaling == Autoscaling(min_replicas=1, max_replicas=3, cpu=80)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        pytest.param(
            {"autoscaling": {"minReplicas": 3, "maxReplicas": 2}},
            "minReplicas 3 is above maxReplicas 2",
            id="the wrong way round",
        ),
        pytest.param(
            {"autoscaling": ASKED, "replicas": 7}, "autoscaling has at most 6", id="to begin with more than there may be"
        ),
        pytest.param({"autoscaling": ASKED, "strategyConfig": {"maxSurge": 1}}, "leave one of them out", id="pods in waves"),
        pytest.param(
            {"autoscaling": ASKED | {"cpu": 501}, "plugin": {"resources": {"cpu": {"request": "100m", "limit": "500m"}}}},
            "501 % of 100m cores",
            id="busier than a pod can be",
        ),
    ],
)
def test_it_is_refused_with_a_reason(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        make_request(**asked)


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({"autoscaling": ASKED, "replicas": 6}, id="all of them to begin with"),
        pytest.param({"autoscaling": ASKED, "strategy": "canary"}, id="stages"),
        pytest.param({"autoscaling": {"minReplicas": 2, "maxReplicas": 2}}, id="always as many"),
        pytest.param(
            {"autoscaling": ASKED | {"cpu": 500}, "plugin": {"resources": {"cpu": {"limit": "500m"}}}},
            id="as busy as a pod can be",
        ),
    ],
)
def test_it_is_taken(asked: dict[str, Any]) -> None:
    assert make_request(**asked).autoscaling


def test_a_request_that_asks_for_none_says_nothing_of_it() -> None:
    """Or every plan of what serves would have another hash."""
    assert "autoscaling" not in make_request().model_dump(mode="json", by_alias=True)
