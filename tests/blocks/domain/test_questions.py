"""Numbers become a verdict with a sentence: what decided, and what was wanted of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocks.domain.analysis import Analysis
from blocks.domain.errors import Unreachable
from blocks.domain.questions import Numbers, ask_about, cluster_of, judge, missed
from blocks.domain.rollout import Verdict

CLUSTER = cluster_of("default-dev", "hello-r2", 8080)
RATE, BOTH = Analysis(), Analysis(latency_ms=500)
QUESTIONS = ask_about(CLUSTER, BOTH, since=1000.25, instant=1030.25)
NAN, INFINITE = float("nan"), float("inf")


def test_a_revision_is_asked_about_by_what_envoy_calls_its_service() -> None:
    assert CLUSTER == "default-dev_hello-r2_8080"
    counter = f'envoy_cluster_upstream_rq_xx{{envoy_cluster_name="{CLUSTER}"}}'
    assert QUESTIONS.requests == f"sum(({counter} - last_over_time({counter}[5m] offset 29s) >= 0 or {counter}))"
    assert QUESTIONS.success_rate == f"{QUESTIONS.succeeded} / {QUESTIONS.requests}"
    assert QUESTIONS.latency.startswith("histogram_quantile(0.99, sum by (le)")


def test_it_is_asked_as_of_a_second_before_the_instant_back_to_when_the_stage_began() -> None:
    assert (QUESTIONS.instant, QUESTIONS.at) == (1030.25, 1029.25)
    assert QUESTIONS.at - 29 == 1000.25


def test_latency_is_asked_for_only_where_it_is_wanted() -> None:
    assert ask_about(CLUSTER, RATE, 0, 10).latency == ""


@pytest.mark.parametrize(
    ("analysis", "numbers", "verdict", "sentence"),
    [
        pytest.param(
            RATE, Numbers(412, 128), "bad", "success rate 0.3106 of 412 requests, at least 0.99 wanted", id="failures are bad"
        ),
        pytest.param(
            RATE, Numbers(412, None), "bad", "success rate 0 of 412 requests, at least 0.99 wanted", id="nothing but failures too"
        ),
        pytest.param(
            RATE, Numbers(100, 99), "good", "success rate 0.99 of 100 requests, at least 0.99 wanted", id="just enough is good"
        ),
        pytest.param(
            RATE,
            Numbers(100_000, 98_999),
            "bad",
            "success rate 0.9899 of 100000 requests, at least 0.99 wanted",
            id="what is hardly below reads as below",
        ),
        pytest.param(
            RATE,
            Numbers(19, 0),
            "no-data",
            "19 requests were answered, at least 20 are wanted to judge by",
            id="too few are no data, even failures",
        ),
        pytest.param(
            RATE, Numbers(20, 20), "good", "success rate 1 of 20 requests, at least 0.99 wanted", id="as many as wanted are data"
        ),
        *(
            pytest.param(
                RATE,
                Numbers(requests, succeeded),
                "no-data",
                "no requests were answered, at least 20 are wanted to judge by",
                id=f"{requests} requests and {succeeded} successes are no data",
            )
            for requests, succeeded in ((0, None), (None, None), (NAN, 1), (INFINITE, 1), (NAN, NAN))
        ),
        pytest.param(
            BOTH,
            Numbers(50, 50, 500),
            "good",
            "success rate 1 of 50 requests, at least 0.99 wanted; latency 500 ms at quantile 0.99 of 50 requests, "
            "at most 500 ms wanted",
            id="both are told when both are good",
        ),
        pytest.param(
            BOTH,
            Numbers(50, 50, 500.01),
            "bad",
            "latency 500.1 ms at quantile 0.99 of 50 requests, at most 500 ms wanted",
            id="slow is bad",
        ),
        pytest.param(
            BOTH,
            Numbers(50, 10, 900),
            "bad",
            "success rate 0.2 of 50 requests, at least 0.99 wanted",
            id="of two that are bad the first is told",
        ),
        pytest.param(
            BOTH,
            Numbers(50, 10, NAN),
            "bad",
            "success rate 0.2 of 50 requests, at least 0.99 wanted",
            id="failures are bad without a latency",
        ),
        *(
            pytest.param(
                BOTH,
                Numbers(50, 50, latency),
                "no-data",
                "of 50 requests it is not known yet how long they took",
                id=f"a latency of {latency} is no data",
            )
            for latency in (None, NAN)
        ),
        pytest.param(
            RATE, Numbers(50, 50, 900), "good", "success rate 1 of 50 requests, at least 0.99 wanted", id="unasked it counts not"
        ),
    ],
)
def test_verdict(analysis: Analysis, numbers: Numbers, verdict: str, sentence: str) -> None:
    sample = judge(analysis, QUESTIONS, numbers)
    assert (sample.verdict, sample.sentence, sample.at) == (verdict, sentence, QUESTIONS.instant)


@pytest.mark.parametrize(
    ("numbers", "query"),
    [
        pytest.param(Numbers(50, 10, 10), QUESTIONS.success_rate, id="the rate"),
        pytest.param(Numbers(50, 50, 900), QUESTIONS.latency, id="the latency"),
        pytest.param(Numbers(50, 50, None), QUESTIONS.latency, id="the latency that is not there"),
        pytest.param(Numbers(None, None), QUESTIONS.requests, id="the requests that are not there"),
    ],
)
def test_the_query_is_that_of_what_decided(numbers: Numbers, query: str) -> None:
    assert judge(BOTH, QUESTIONS, numbers).query == query


def test_an_error_to_measure_is_told_as_it_was() -> None:
    sample = missed(QUESTIONS, Unreachable("Prometheus does not answer", "see that it runs"))
    assert (sample.verdict, sample.sentence, sample.at) == (Verdict.ERROR, "Prometheus does not answer", QUESTIONS.instant)


ANY = st.none() | st.sampled_from([NAN, INFINITE]) | st.floats(0, 1e9)


@given(
    analysis=st.builds(
        Analysis,
        success_rate=st.floats(0, 1),
        min_requests=st.integers(1, 1000),
        latency_ms=st.none() | st.floats(1, 3_600_000),
    ),
    numbers=st.builds(Numbers, ANY, ANY, ANY),
)
def test_only_what_is_known_to_be_good_is_good(analysis: Analysis, numbers: Numbers) -> None:
    sample = judge(analysis, QUESTIONS, numbers)
    enough = sample.requests is not None and sample.requests >= analysis.min_requests
    assert enough or sample.verdict == Verdict.NO_DATA
    if sample.verdict == Verdict.GOOD:
        assert sample.success_rate is not None
        assert sample.success_rate >= analysis.success_rate
        assert analysis.latency_ms is None or (sample.latency_ms is not None and sample.latency_ms <= analysis.latency_ms)
