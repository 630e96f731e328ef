"""How a revision is follows from its own pods."""

import json
from pathlib import Path
from typing import Any

import pytest

from blocks.domain.instances import HealthWord, Instance, find_pods, see_health
from blocks.domain.objects.labels import REVISION

CASES = Path(__file__).parents[2] / "cases/pods"
READY: dict[str, Any] = json.loads((CASES / "ready.json").read_text())["pods"][0]


def pod(name: str, *, ready: bool = True, restarts: int = 0, **metadata: Any) -> dict[str, Any]:
    """A pod of revision 2."""
    labels = {REVISION: "2"}
    status = {
        "conditions": [{"type": "Ready", "status": str(ready)}],
        "containerStatuses": [{"name": "plugin", "restartCount": restarts}],
    }
    return READY | {"metadata": {"name": name, "labels": labels} | metadata, "status": status}


@pytest.mark.parametrize(
    ("pods", "names"),
    [
        pytest.param([], [], id="none"),
        pytest.param([pod("a"), pod("b", labels={REVISION: "1"})], ["a"], id="not those of another revision"),
        pytest.param([pod("a"), pod("b", deletionTimestamp="now")], ["a"], id="not those on their way out"),
        pytest.param([pod("a", labels={})], [], id="not those that nobody stamped"),
    ],
)
def test_the_pods_of_a_revision(pods: list[dict[str, Any]], names: list[str]) -> None:
    assert [one["metadata"]["name"] for one in find_pods(pods, 2)] == names


@pytest.mark.parametrize(
    ("pods", "word", "why"),
    [
        pytest.param([], "Unknown", "no instance of it runs", id="no pods is not healthy"),
        pytest.param([pod("a"), pod("b")], "Healthy", "2 of 2 instances are ready", id="all ready"),
        pytest.param([pod("a"), pod("b", ready=False)], "Degraded", "1 of 2 instances are ready", id="some ready"),
        pytest.param([pod("a", ready=False)], "Unhealthy", "0 of 1 instances are ready", id="none ready"),
    ],
)
def test_health(pods: list[dict[str, Any]], word: str, why: str) -> None:
    health = see_health(pods)
    assert (health.word, health.why) == (word, why)


def test_what_is_the_matter_is_said() -> None:
    crashing = json.loads((CASES / "crash.json").read_text())["pods"]
    health = see_health(crashing)
    assert health.word is HealthWord.UNHEALTHY
    assert len(health.why) > len("0 of 1 instances are ready: ")


def test_instances_are_named_with_their_restarts() -> None:
    unstarted = {"metadata": {"name": "c", "labels": {REVISION: "2"}}}
    health = see_health([pod("b", restarts=3), pod("a"), unstarted])
    assert health.instances == (Instance("a", True, 0), Instance("b", True, 3), Instance("c", False, 0))
