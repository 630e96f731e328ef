"""Containers that restart in the stage, and pods that are not ready, speak against a revision."""

from datetime import UTC, datetime
from typing import Any

import pytest

from blocks.domain.analysis import Pods
from blocks.domain.errors import Unreachable
from blocks.domain.pods import judge_pods, missed_pods
from blocks.domain.rollout import Verdict

BEGAN, INSTANT = 1_795_281_000.5, 1_795_281_030.5


def make_pod(restarts: int = 0, ended: float | None = None, *, ready: bool = True) -> dict[str, Any]:
    """A pod whose container restarted so often, the last time then."""
    at = datetime.fromtimestamp(ended, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if ended else None
    container = {"restartCount": restarts} | ({"lastState": {"terminated": {"exitCode": 1, "finishedAt": at}}} if at else {})
    condition = {"type": "Ready", "status": str(ready)}
    return {"metadata": {"name": "hello"}, "status": {"containerStatuses": [container], "conditions": [condition]}}


@pytest.mark.parametrize(
    ("wanted", "seen", "verdict", "sentence", "number"),
    [
        pytest.param(Pods(), [make_pod(), make_pod()], "good", "2 of 2 pods ready, 0 restarts in the stage", 0, id="all is well"),
        pytest.param(Pods(), [make_pod(1, BEGAN + 9)], "bad", "1 restarts in the stage, at most 0 wanted", 1, id="a restart"),
        pytest.param(
            Pods(), [make_pod(1, BEGAN - 9)], "good", "1 of 1 pods ready, 0 restarts in the stage", 0, id="one before it"
        ),
        pytest.param(
            Pods(), [make_pod(1, BEGAN)], "bad", "1 restarts in the stage, at most 0 wanted", 1, id="one in its first second"
        ),
        pytest.param(
            Pods(restarts=3),
            [make_pod(2, BEGAN + 9), make_pod(1, BEGAN + 8)],
            "good",
            "2 of 2 pods ready, 3 restarts in the stage",
            3,
            id="as many as are allowed",
        ),
        pytest.param(
            Pods(restarts=2),
            [make_pod(2, BEGAN + 9), make_pod(1, BEGAN + 8)],
            "bad",
            "3 restarts in the stage, at most 2 wanted",
            3,
            id="more",
        ),
        pytest.param(
            Pods(),
            [make_pod(), make_pod(ready=False)],
            "bad",
            "1 of 2 pods not ready, at most 0 wanted",
            1,
            id="readiness is lost",
        ),
        pytest.param(
            Pods(not_ready=1),
            [make_pod(), make_pod(ready=False)],
            "good",
            "1 of 2 pods ready, 0 restarts in the stage",
            0,
            id="unless that is allowed",
        ),
        pytest.param(Pods(), [], "no-data", "no pod of the revision is seen", None, id="without pods there is no data"),
        pytest.param(
            Pods(),
            [{"metadata": {}}],
            "bad",
            "1 of 1 pods not ready, at most 0 wanted",
            1,
            id="a pod without a status is not ready",
        ),
    ],
)
def test_verdict(wanted: Pods, seen: list[dict[str, Any]], verdict: str, sentence: str, number: int | None) -> None:
    sample = judge_pods(wanted, seen, (BEGAN, INSTANT))
    assert (sample.verdict, sample.sentence, sample.number) == (verdict, sentence, number)
    assert (sample.name, sample.at) == ("pods", INSTANT)


def test_a_cluster_that_cannot_be_seen_is_no_failure() -> None:
    assert missed_pods(INSTANT, Unreachable("the cluster does not answer")).verdict is Verdict.ERROR
