"""What an answer to an HTTP check says of the revision."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocks.domain.analysis import Analysis, Metric
from blocks.domain.http_answer import Answer, find_field, judge_answer, without_own
from blocks.domain.metrics import Question, tell_asked
from blocks.domain.rollout import Sample, Verdict

TARGET = "@a/hello@2.0.0"
ASKED = Question(30, 30, "GET http://hello.test/ready")
DEEP = {"queue": {"depth": 12}, "checks": [{"state": "up"}], "ok": True, "none": None, "many": [1, 2]}


def judged(text: str = "", answered: int = 200, release: str = "", **said: Any) -> Sample:
    """What an answer with that text says where so much is wanted of it."""
    bounds = {key: said.pop(key) for key in ("min", "max", "dryRun") if key in said}
    metric = Metric.model_validate({"name": "ready", "http": {"path": "/ready"} | said} | bounds)
    assert metric.http is not None
    headers = {"x-plugin-release": release} if release else {}
    return judge_answer(metric, metric.http, ASKED, Answer(answered, headers, text, TARGET))


@pytest.mark.parametrize(
    ("answered", "wanted", "verdict", "sentence"),
    [
        pytest.param(200, [200], "good", "ready: /ready answered 200", id="the usual status"),
        pytest.param(204, [200, 204], "good", "ready: /ready answered 204", id="another one that is wanted"),
        pytest.param(404, [404], "good", "ready: /ready answered 404", id="a failure that is wanted"),
        pytest.param(503, [200, 204], "bad", "ready: /ready answered 503, 200 or 204 wanted", id="one that is not"),
        pytest.param(302, [200], "bad", "ready: /ready answered 302, 200 wanted", id="a redirect that is not followed"),
    ],
)
def test_the_status_is_what_is_asked_for(answered: int, wanted: list[int], verdict: str, sentence: str) -> None:
    sample = judged(answered=answered, status=wanted)
    assert (sample.verdict, sample.sentence, sample.name, sample.at) == (verdict, sentence, "ready", 30)
    assert (sample.query, sample.number) == (ASKED.query, answered if verdict == "bad" else None)


@pytest.mark.parametrize(
    ("said", "text", "verdict", "sentence"),
    [
        pytest.param(
            {"field": "checks.0.state", "equals": "up"}, DEEP, "good", 'checks.0.state is "up", "up" wanted', id="a text"
        ),
        pytest.param({"field": "ok", "equals": True}, DEEP, "good", "ok is true, true wanted", id="true"),
        pytest.param({"field": "ok", "equals": 1}, DEEP, "bad", "ok is true, 1 wanted", id="true is not one"),
        pytest.param({"field": "queue.depth", "equals": 12}, DEEP, "good", "queue.depth is 12, 12 wanted", id="a number"),
        pytest.param({"field": "queue.depth", "equals": "12"}, DEEP, "bad", 'queue.depth is 12, "12" wanted', id="not as a text"),
        pytest.param({"field": "queue", "equals": "x"}, DEEP, "bad", 'queue is {"depth": 12.0}, "x" wanted', id="an object"),
        pytest.param({"field": "none", "equals": "x"}, DEEP, "no-data", "what /ready answered has no none", id="nothing"),
        pytest.param({"field": "many.2", "equals": 3}, DEEP, "no-data", "has no many.2", id="beyond a list's end"),
        pytest.param({"field": "many.first", "equals": 3}, DEEP, "no-data", "has no many.first", id="a name in a list"),
        pytest.param({"field": "ok.deeper", "equals": 3}, DEEP, "no-data", "has no ok.deeper", id="below a value"),
        pytest.param({"field": "ok", "equals": True}, None, "no-data", "what /ready answered has no ok", id="no JSON at all"),
        pytest.param({"field": "queue.depth", "max": 12}, DEEP, "good", "ready 12, at most 12 wanted", id="within its bound"),
        pytest.param({"field": "queue.depth", "max": 10}, DEEP, "bad", "ready 12, at most 10 wanted", id="beyond its bound"),
        pytest.param({"field": "ok", "min": 0}, DEEP, "no-data", "ready has no number", id="true is no number"),
        pytest.param({"field": "checks.0.state", "min": 0}, DEEP, "no-data", "ready has no number", id="nor is a text"),
    ],
)
def test_a_field_of_the_answer_is_judged(said: dict[str, Any], text: object, verdict: str, sentence: str) -> None:
    sample = judged("<html>" if text is None else json.dumps(text), **said)
    assert sample.verdict == verdict
    assert sentence in sample.sentence


def test_the_number_and_its_bound_stand_in_the_sample() -> None:
    sample = judged(json.dumps(DEEP), field="queue.depth", max=10)
    assert (sample.number, sample.threshold) == (12, 10)


def test_the_status_comes_before_the_field() -> None:
    assert judged(json.dumps(DEEP), answered=500, field="ok", equals=True).verdict is Verdict.BAD


def test_a_dry_run_only_reports() -> None:
    sample = judged(answered=500, dryRun=True)
    assert (sample.sentence, sample.counts) == ("ready: /ready answered 500, 200 wanted (only reported)", False)


@pytest.mark.parametrize(
    ("release", "verdict"),
    [
        pytest.param("", "good", id="one that does not say"),
        pytest.param(TARGET, "good", id="the one that was asked"),
        pytest.param("@a/hello@1.0.0", "error", id="the one before, until the gateway follows"),
    ],
)
def test_what_another_release_answers_is_not_held_against_this_one(release: str, verdict: str) -> None:
    assert judged(release=release).verdict == verdict
    failed = judged(answered=500, release=release)
    assert failed.verdict == (verdict if verdict == "error" else "bad")


def test_a_version_in_the_text_may_be_of_anything() -> None:
    assert judged('{"version": "0.1"}').verdict is Verdict.GOOD


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(found=JSON | st.just("[" * 60_000), field=st.from_regex(r"\A[a-z0-9]{1,3}(\.[a-z0-9]{1,3}){0,3}\Z"))
def test_whatever_is_answered_is_no_reason_to_stop(found: Any, field: str) -> None:
    text = found if isinstance(found, str) else json.dumps(found)
    assert judged(text, field=field, equals="up").verdict in Verdict
    assert judged(text, field=field, max=5).verdict in Verdict


def test_a_number_beyond_all_is_none() -> None:
    assert find_field('{"n": 1' + "0" * 5000 + "}", "n") == float("inf")
    assert judged('{"n": 1' + "0" * 5000 + "}", field="n", max=5).verdict is Verdict.NO_DATA


@pytest.mark.parametrize(
    ("checks", "instant", "wanted"),
    [
        pytest.param(0, 60, 20, id="without checks as many as ever"),
        pytest.param(2, 10, 20, id="before the first sample they have asked nothing"),
        pytest.param(2, 60, 30, id="two that have asked five times"),
    ],
)
def test_what_the_checks_ask_themselves_is_no_data(checks: int, instant: float, wanted: int) -> None:
    metrics = [{"name": f"c{number}", "http": {"path": "/"}} for number in range(checks)]
    query = {"name": "errors", "query": "x", "max": 1}
    assert without_own(Analysis.model_validate({"metrics": [*metrics, query]}), (1000, 1000 + instant)).min_requests == wanted


def test_people_are_told_who_was_asked_what() -> None:
    analysis = Analysis.model_validate(
        {"metrics": [{"name": "ready", "http": {"path": "/"}}, {"name": "errors", "query": "x", "max": 1}]}
    )
    samples = [
        Sample(1, Verdict.BAD, "bad", query, name=name) for name, query in (("ready", "GET"), ("errors", "x"), ("pods", ""))
    ]
    assert [tell_asked(analysis, one) for one in samples] == [
        "the revision was asked: GET",
        "Prometheus was asked: x",
        "see the revision's pods and their log",
    ]
