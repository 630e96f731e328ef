"""What a Job says of a revision: good, bad, or nothing measured; each case is also one that the fake cluster can show."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from blocks.domain.analysis import Analysis, Metric
from blocks.domain.diagnosis import Sight
from blocks.domain.job_answer import judge_job, next_run
from blocks.domain.job_check import JobCheck
from blocks.domain.metrics import Question, tell_asked
from blocks.domain.objects.analysis_job import Run
from blocks.domain.rollout import Sample, Verdict

CASES = {one.stem: json.loads(one.read_text()) for one in (Path(__file__).parents[2] / "cases" / "jobs").glob("*.json")}
CHECK = JobCheck(image=f"registry.test/basket@sha256:{'a' * 64}")
BASKET, TRIED = Metric(name="basket", job=CHECK), Metric(name="basket", job=CHECK, dry_run=True)
BEGUN = "2026-01-01T00:00:00Z"
AT = datetime.fromisoformat(BEGUN).timestamp()


def judge(case: dict[str, Any], after: float, metric: Metric = BASKET) -> Sample | None:
    """What is said of the case so many seconds after the Job was made."""
    pods = [{"metadata": {"name": f"it-{number}"}, "status": status} for number, status in enumerate(case["pods"])]
    job = {"metadata": {"name": "it", "creationTimestamp": BEGUN}, "status": case["status"]}
    question = Question(AT + after, AT + after, "Job it")
    return judge_job((metric, CHECK), question, job, Sight(None, pods, case.get("events", ())))


@pytest.mark.parametrize("name", sorted(CASES))
def test_what_is_seen_is_judged(name: str) -> None:
    sample, expected = judge(CASES[name], 40), CASES[name]["expect"]
    assert (sample and {"verdict": sample.verdict.value, "sentence": sample.sentence}) == expected
    assert sample is None or (sample.at, sample.name, sample.query, sample.counts) == (AT + 40, "basket", "Job it", True)


@pytest.mark.parametrize(
    ("name", "after", "is_judged"),
    [
        pytest.param("unschedulable", 29, False, id="a node may come"),
        pytest.param("unschedulable", 30, True, id="none came"),
        pytest.param("no-such-image", 0, True, id="no image comes by waiting"),
    ],
)
def test_what_may_pass_is_waited_for(name: str, after: float, is_judged: bool) -> None:  # noqa: FBT001
    assert bool(judge(CASES[name], after)) is is_judged


def test_only_so_much_of_its_last_words_is_told() -> None:
    case = json.loads(json.dumps(CASES["fails"]))
    case["pods"][0]["containerStatuses"][0]["state"]["terminated"]["message"] = "a" * 300 + "b" * 200
    sample = judge(case, 40)
    assert sample is not None
    assert sample.sentence.endswith(f"last words: {'b' * 200}")


def test_a_dry_run_is_only_reported() -> None:
    sample = judge(CASES["fails"], 40, TRIED)
    assert sample is not None
    assert (sample.counts, sample.sentence.endswith("(only reported)")) == (False, True)


def taken(*verdicts: Verdict, name: str = "basket") -> list[Sample]:
    return [Sample(AT, one, "", name=name) for one in verdicts]


@pytest.mark.parametrize(
    ("metric", "before", "run"),
    [
        pytest.param(BASKET, [], 0, id="it is run first"),
        pytest.param(BASKET, taken(Verdict.GOOD), None, id="once is enough"),
        pytest.param(BASKET, taken(Verdict.ERROR, Verdict.ERROR), 2, id="what was not measured is measured again"),
        pytest.param(BASKET, taken(Verdict.BAD), 1, id="what was bad and forgiven, too"),
        pytest.param(BASKET, taken(Verdict.ERROR, Verdict.GOOD), None, id="good after all"),
        pytest.param(BASKET, taken(Verdict.GOOD, name="answers"), 0, id="others say nothing of it"),
        pytest.param(TRIED, taken(Verdict.BAD), None, id="what is only reported is reported once"),
        pytest.param(TRIED, taken(Verdict.ERROR), 1, id="or when it could be measured"),
    ],
)
def test_which_run_is_looked_at(metric: Metric, before: list[Sample], run: int | None) -> None:
    assert next_run(metric, CHECK, 2, before) == (None if run is None else Run("basket", CHECK, 2, run))


def test_people_are_told_what_was_run() -> None:
    sample = Sample(1, Verdict.BAD, "bad", "Job a/b of c", name="basket")
    assert tell_asked(Analysis(metrics=(BASKET,)), sample) == "it was run: Job a/b of c"
