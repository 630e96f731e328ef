"""What a request may say of how a revision is measured; what it does not say is not in it."""

from typing import Any

import pytest
from pydantic import ValidationError

from blocks.domain.analysis import ANSWERS, PODS, Analysis

QUERY = 'sum(x{ns="{{namespace}}",code="{{code}}"})'
ERRORS: dict[str, Any] = {"name": "errors", "query": QUERY, "max": 0.1, "args": {"code": "500"}, "failureLimit": 2}


def test_what_nobody_asked_for_is_not_told() -> None:
    """The plans of what serves already keep their hashes."""
    told = Analysis().model_dump(mode="json", by_alias=True)
    assert not {"comparedToStable", "metrics", "pods"} & told.keys()


def test_what_was_asked_for_is_read_as_it_was_told() -> None:
    asked = Analysis.model_validate({"metrics": [ERRORS], "comparedToStable": {"latency": 1.2}, "pods": {"restarts": 1}})
    assert Analysis.model_validate(asked.model_dump(mode="json", by_alias=True)) == asked


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        pytest.param({"metrics": [ERRORS | {"args": {}}]}, r"the query names \{\{code\}\}, and only these are", id="a place"),
        pytest.param({"metrics": [ERRORS | {"args": {"code": "5", "host": "x"}}]}, "host is filled in by", id="a taken place"),
        pytest.param({"metrics": [ERRORS | {"max": None}]}, "say in min or max what errors", id="a number without a bound"),
        pytest.param({"metrics": [ERRORS | {"min": 1}]}, "nothing is at least 1 and at most 0.1", id="bounds in the wrong order"),
        pytest.param({"metrics": [ERRORS, ERRORS]}, "two things would be called errors", id="a name twice"),
        pytest.param({"metrics": [ERRORS | {"name": PODS}]}, "two things would be called pods", id="a name of ours"),
        pytest.param({"metrics": [ERRORS | {"name": ANSWERS}]}, "two things would be called answers", id="another of ours"),
        pytest.param({"metrics": [ERRORS | {"max": float("nan")}]}, "finite", id="a bound that is no number"),
        pytest.param({"metrics": [{**ERRORS, "name": str(one)} for one in "abcdefghijk"]}, "at most 10", id="too many"),
        pytest.param({"comparedToStable": {}}, "say by how much the successRate", id="a comparison of nothing"),
        pytest.param({"comparedToStable": {"latency": 0.5}}, "greater than or equal to 1", id="one that must be faster"),
        pytest.param({"pods": {"restarts": -1}}, "greater than or equal to 0", id="fewer than no restarts"),
    ],
)
def test_refused_is(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Analysis.model_validate(asked)


def test_each_thing_that_is_measured_has_its_own_limit() -> None:
    asked = Analysis.model_validate({"failureLimit": 1, "metrics": [ERRORS], "pods": {"failureLimit": 3}})
    assert [asked.forgiven(name) for name in (ANSWERS, "errors", PODS)] == [1, 2, 3]
    assert Analysis(failure_limit=1).forgiven(PODS) == 1


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        pytest.param({}, "0.99 of the answers are good", id="the usual"),
        pytest.param({"latencyMs": 500}, "0.99 of the answers are good and 500 ms are enough for 0.99 of them", id="latency"),
        pytest.param(
            {"comparedToStable": {"successRate": 0.02}},
            "the answers are at most 0.02 less often good than those of the revision before",
            id="a comparison",
        ),
        pytest.param(
            {"comparedToStable": {"latency": 1.2}},
            "0.99 of the answers are good and at the quantile 0.99 they take at most 1.2 times as long as those of the revision before",
            id="of latency alone",
        ),
        pytest.param(
            {"metrics": [ERRORS, ERRORS | {"name": "seen", "dryRun": True}], "pods": {}},
            "0.99 of the answers are good, errors and its pods too",
            id="all that counts",
        ),
    ],
)
def test_people_read(asked: dict[str, Any], sentence: str) -> None:
    assert Analysis.model_validate(asked).sentence == sentence


@pytest.mark.parametrize(
    ("asked", "latency"),
    [
        pytest.param({}, False, id="not usually"),
        pytest.param({"latencyMs": 1}, True, id="with a bound"),
        pytest.param({"comparedToStable": {"latency": 1.2}}, True, id="beside the other one's"),
        pytest.param({"comparedToStable": {"successRate": 0}}, False, id="not beside the other one's successes"),
    ],
)
def test_latency_is_asked_for(asked: dict[str, Any], latency: bool) -> None:  # noqa: FBT001
    assert Analysis.model_validate(asked).asks_latency is latency
