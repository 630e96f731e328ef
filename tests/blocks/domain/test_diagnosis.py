"""From what the cluster says of pods to what is the matter: one case a file in tests/cases/pods."""

import json
from pathlib import Path
from typing import Any

import pytest

from blocks.domain.diagnosis import Diagnosis, Sight, Trouble, diagnose, diagnose_job, give_up, is_ready

CASES = {
    path.stem: json.loads(path.read_text()) for path in sorted((Path(__file__).parents[2] / "cases" / "pods").glob("*.json"))
}
READY = CASES["ready"]["pods"][0]
GOING = READY | {"metadata": READY["metadata"] | {"deletionTimestamp": "now"}}


def sight_of(case: dict[str, Any]) -> Sight:
    return Sight(case["deployment"], case["pods"], case["events"])


@pytest.mark.parametrize("case", CASES.values(), ids=[f"{name}: {case['what']}" for name, case in CASES.items()])
def test_what_is_the_matter(case: dict[str, Any]) -> None:
    found = diagnose(sight_of(case))
    if case["expect"] is None:
        assert found is None
        return
    assert found is not None
    expected = dict(case["expect"])
    assert found.summary.startswith(expected.pop("summary"))
    assert found.resolution
    assert {field: getattr(found, field) for field in expected} == expected


@pytest.mark.parametrize(
    ("replicas", "pods", "ready"),
    [
        pytest.param(1, [READY], True, id="as many as are wanted"),
        pytest.param(2, [READY], False, id="too few"),
        pytest.param(1, [GOING], False, id="one on its way out does not count"),
        pytest.param(1, CASES["running"]["pods"], False, id="one that runs is not one that serves"),
    ],
)
def test_being_ready(replicas: int, pods: list[Any], *, ready: bool) -> None:
    assert is_ready(Sight({"spec": {"replicas": replicas}}, pods)) is ready


def test_without_a_deployment_nothing_is_ready() -> None:
    assert not is_ready(Sight(None, [READY]))
    assert diagnose(Sight(None, [])) is None


@pytest.mark.parametrize(
    ("case", "trouble", "said"),
    [
        pytest.param(
            "unready", Trouble.NOT_READY, "not ready within 9 s: Readiness probe failed: HTTP probe", id="its check's own words"
        ),
        pytest.param("running", Trouble.NOT_READY, "pod it-r1-abc was not ready within 9 s", id="no words at all"),
        pytest.param("crashed-twice", Trouble.CRASH, "ended 2 times", id="what was only likely is certain now"),
    ],
)
def test_when_the_time_is_over_it_is_certain(case: str, trouble: Trouble, said: str) -> None:
    found = give_up(sight_of(CASES[case]), 9)
    assert (found.trouble, found.patience) == (trouble, 0)
    assert said in found.summary


def test_no_pod_at_all_is_said_too() -> None:
    assert give_up(Sight({"spec": {}}, []), 9).summary == "no pod was made within 9 s"


@pytest.mark.parametrize(
    ("words", "sentence"), [("", "it died"), ("help", "it died; its last words: help")], ids=["silent", "last words"]
)
def test_the_sentence_ends_with_the_last_words(words: str, sentence: str) -> None:
    assert Diagnosis(Trouble.CRASH, "it died", "do something", last_words=words).sentence == sentence


REFUSED = (
    'Error creating: pods "calm-fox-x" is forbidden: exceeded quota: quota, requested: pods=1, used: pods=16, limited: pods=16'
)
JOBS = {
    "no room for its pod": (Sight(None, [], [{"reason": "FailedCreate", "note": REFUSED}]), Trouble.QUOTA),
    "an image that is nowhere": (sight_of(CASES["no-such-image"] | {"deployment": None}), Trouble.IMAGE),
    "a pod that runs": (sight_of(CASES["running"] | {"deployment": None}), None),
    "nothing seen": (Sight(None, []), None),
}


@pytest.mark.parametrize(("sight", "trouble"), JOBS.values(), ids=JOBS)
def test_why_a_job_does_not_begin(sight: Sight, trouble: Trouble | None) -> None:
    found = diagnose_job(sight)
    assert (found.trouble if found else None) == trouble
