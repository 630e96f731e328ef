"""A metric of the request's own: the query that is asked, and what its number says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocks.domain.analysis import Metric
from blocks.domain.errors import Unreachable
from blocks.domain.metrics import Question, ask_for, asked_of, judge_metric, missed_metric, names_in
from blocks.domain.rollout import Verdict

QUERY = 'sum(rate(x{ns="{{namespace}}",rev="{{revision}}",code="{{code}}"}[{{window}}]))'
MOST = Metric(name="errors", query=QUERY, max=0.1, args={"code": "500"})
LEAST, BOTH = Metric(name="depth", query="x", min=2), Metric(name="depth", query="x", min=2, max=5)
BESIDE = Metric(name="beside", query='x{rev="{{revision}}"} / x{rev="{{stable}}"}', max=1.5)
SEEN = Metric(name="errors", query="x", max=0.1, dry_run=True)
NAMES = names_in({"namespace": "default-dev", "slug": "hello", "host": "hello.test", "url": "u"}, 2, 1)
ASKED = Question(30, 29, "x")


def test_every_place_is_filled_and_the_window_is_the_time_since_the_stage_began() -> None:
    asked = ask_for(MOST, NAMES, since=1000.25, instant=1030.25)
    assert asked.query == 'sum(rate(x{ns="default-dev",rev="hello-r2",code="500"}[29s]))'
    assert (asked.instant, asked.at) == (1030.25, 1029.25)


def test_the_revision_before_has_a_name_if_there_is_one() -> None:
    assert ask_for(BESIDE, NAMES, 0, 10).query == 'x{rev="hello-r2"} / x{rev="hello-r1"}'
    assert asked_of((MOST, BESIDE), first=False) == (MOST, BESIDE)
    assert asked_of((MOST, BESIDE), first=True) == (MOST,)
    assert names_in({"namespace": "n", "slug": "hello", "host": "h"}, 1, 0)["stable"] == ""


@pytest.mark.parametrize(
    ("metric", "number", "verdict", "sentence"),
    [
        pytest.param(MOST, 0.1, "good", "errors 0.1, at most 0.1 wanted", id="just enough"),
        pytest.param(MOST, 0.3, "bad", "errors 0.3, at most 0.1 wanted", id="too much"),
        pytest.param(
            MOST, 0.1000000001, "bad", "errors 0.1000000001, at most 0.1 wanted", id="hardly too much reads as too much"
        ),
        pytest.param(LEAST, 1, "bad", "depth 1, at least 2 wanted", id="too little"),
        pytest.param(LEAST, 2, "good", "depth 2, at least 2 wanted", id="as much as wanted"),
        pytest.param(BOTH, 6, "bad", "depth 6, at most 5 wanted", id="above the upper of two"),
        pytest.param(BOTH, 3, "good", "depth 3, at least 2 and at most 5 wanted", id="between two"),
        pytest.param(MOST, None, "no-data", "errors has no number", id="no series is no data"),
        pytest.param(MOST, float("nan"), "no-data", "errors has no number", id="not a number is none"),
        pytest.param(MOST, float("inf"), "no-data", "errors has no number", id="nor is infinity"),
        pytest.param(SEEN, 0.3, "bad", "errors 0.3, at most 0.1 wanted (only reported)", id="a dry run says so"),
    ],
)
def test_verdict(metric: Metric, number: float | None, verdict: str, sentence: str) -> None:
    sample = judge_metric(metric, ASKED, number)
    assert (sample.verdict, sample.sentence, sample.name, sample.at, sample.query) == (verdict, sentence, metric.name, 30, "x")
    assert sample.counts is not metric.dry_run


def test_the_number_and_what_it_was_judged_by_stand_in_the_sample() -> None:
    assert [(one.number, one.threshold) for one in (judge_metric(BOTH, ASKED, 6), judge_metric(BOTH, ASKED, 1))] == [
        (6, 5),
        (1, 2),
    ]


def test_an_error_to_measure_names_the_metric() -> None:
    sample = missed_metric(MOST, ASKED, Unreachable("Prometheus does not answer"))
    assert (sample.verdict, sample.sentence) == (Verdict.ERROR, "errors: Prometheus does not answer")


NUMBERS = st.none() | st.floats()
BOUNDS = st.floats(allow_nan=False, allow_infinity=False)


@given(low=st.none() | BOUNDS, above=st.floats(0, 1e9), number=NUMBERS)
def test_only_what_lies_between_its_bounds_is_good(low: float | None, above: float, number: float | None) -> None:
    metric = Metric(name="depth", query="x", min=low, max=(low or 0) + above)
    sample = judge_metric(metric, ASKED, number)
    assert metric.max is not None
    if sample.verdict is Verdict.GOOD:
        assert number is not None
        assert low is None or number >= low
        assert number <= metric.max
    if sample.verdict is Verdict.BAD:
        assert number is not None
        assert (low is not None and number < low) or number > metric.max
