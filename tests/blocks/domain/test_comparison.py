"""The new revision beside the one that serves: it may be so much worse, and no threshold of its own is asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocks.domain.analysis import Analysis, Compared
from blocks.domain.comparison import judge_beside, window_beside
from blocks.domain.questions import Numbers, ask_about, judge
from blocks.domain.rollout import Verdict

RATE, LATENCY = Compared(success_rate=0.02), Compared(latency=1.2)
BOTH = Compared(success_rate=0.02, latency=1.2)
QUESTIONS = ask_about("a_b_1", Analysis(compared_to_stable=BOTH), since=0, instant=30)
NONE = "too little is known of it to compare with"


@pytest.mark.parametrize(
    ("compared", "new", "serves", "verdict", "sentence"),
    [
        pytest.param(
            RATE,
            Numbers(100, 97),
            Numbers(400, 396),
            "good",
            "success rate 0.97 of 100 requests, at least 0.97 wanted; the revision before: success rate 0.99 of 400 requests",
            id="just so much worse is good",
        ),
        pytest.param(
            RATE,
            Numbers(100, 96),
            Numbers(400, 396),
            "bad",
            "success rate 0.96 of 100 requests, at least 0.97 wanted; the revision before: success rate 0.99 of 400 requests",
            id="more is bad",
        ),
        pytest.param(
            RATE,
            Numbers(100, 60),
            Numbers(400, 200),
            "good",
            "success rate 0.6 of 100 requests, at least 0.48 wanted; the revision before: success rate 0.5 of 400 requests",
            id="a bad one that serves can be replaced",
        ),
        pytest.param(
            RATE,
            Numbers(100, 60),
            Numbers(400, None),
            "good",
            "success rate 0.6 of 100 requests, at least 0 wanted; the revision before: success rate 0 of 400 requests",
            id="also one that only fails",
        ),
        pytest.param(
            RATE,
            Numbers(100, 10),
            Numbers(19, 19),
            "no-data",
            f"the revision before answered 19 requests: {NONE}",
            id="too few there",
        ),
        pytest.param(
            RATE,
            Numbers(100, 10),
            Numbers(None, None),
            "no-data",
            f"the revision before answered 0 requests: {NONE}",
            id="none there",
        ),
        pytest.param(
            RATE,
            Numbers(19, 1),
            Numbers(400, 400),
            "no-data",
            "19 requests were answered, at least 20 are wanted to judge by",
            id="too few here",
        ),
        pytest.param(
            LATENCY,
            Numbers(100, 100, 120),
            Numbers(400, 400, 100),
            "good",
            "success rate 1 of 100 requests, at least 0.99 wanted; latency 120 ms at quantile 0.99 of 100 requests, at most 120 ms "
            "wanted; the revision before: success rate 1 of 400 requests, 100.0 ms",
            id="just so much slower is good",
        ),
        pytest.param(
            LATENCY,
            Numbers(100, 100, 121),
            Numbers(400, 400, 100),
            "bad",
            "latency 121 ms at quantile 0.99 of 100 requests, at most 120 ms wanted; "
            "the revision before: success rate 1 of 400 requests, 100.0 ms",
            id="slower is bad",
        ),
        pytest.param(
            LATENCY,
            Numbers(100, 90, 100),
            Numbers(400, 300, 100),
            "bad",
            "success rate 0.9 of 100 requests, at least 0.99 wanted; the revision before: success rate 0.75 of 400 requests, 100.0 ms",
            id="what is not compared keeps its threshold",
        ),
        pytest.param(
            LATENCY,
            Numbers(100, 100, 100),
            Numbers(400, 400),
            "no-data",
            f"the revision before answered 400 requests: {NONE}",
            id="how long they took there is not known",
        ),
        pytest.param(
            BOTH,
            Numbers(100, 100),
            Numbers(400, 400, 100),
            "no-data",
            "of 100 requests it is not known yet how long they took; the revision before: success rate 1 of 400 requests, 100.0 ms",
            id="nor here",
        ),
    ],
)
def test_verdict(compared: Compared, new: Numbers, serves: Numbers, verdict: str, sentence: str) -> None:
    sample = judge_beside((Analysis(), compared), QUESTIONS, new, serves)
    assert (sample.verdict, sample.sentence) == (verdict, sentence)


@pytest.mark.parametrize(
    ("weight", "window"),
    [
        pytest.param(20, (100, 130), id="the same while both are met"),
        pytest.param(0, (100, 130), id="also when nobody meets the new one"),
        pytest.param(100, (70, 100), id="as long a time before where nobody meets the other one any more"),
    ],
)
def test_the_window_is(weight: int, window: tuple[float, float]) -> None:
    assert window_beside(weight, 100, 130) == window


COUNTED = st.tuples(st.integers(0, 500), st.integers(0, 500)).map(lambda both: Numbers(float(max(both)), float(min(both)), 10.0))


@given(new=COUNTED, serves=COUNTED, less=st.floats(0, 1))
def test_what_is_as_good_as_what_serves_never_goes_back(new: Numbers, serves: Numbers, less: float) -> None:
    """And what is good alone, with a stricter threshold than what serves, is good beside it."""
    sample = judge_beside((Analysis(), Compared(success_rate=less)), QUESTIONS, new, serves)
    assert judge_beside((Analysis(), Compared(success_rate=less)), QUESTIONS, serves, serves).verdict is not Verdict.BAD
    if sample.verdict is Verdict.BAD:
        assert (new.succeeded or 0) / (new.requests or 1) < (serves.succeeded or 0) / (serves.requests or 1)
    if sample.verdict is Verdict.GOOD:
        assert judge(Analysis(success_rate=0), QUESTIONS, new).verdict is Verdict.GOOD
