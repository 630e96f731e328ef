"""What the cluster says of a revision's pods while it is watched: containers that restarted in the stage, and pods that are not ready.

What certainly fails (a crash loop, a container out of memory) is not waited for here: `diagnosis` says that at once.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from math import floor
from typing import Any

from blocks.domain.analysis import PODS, Pods
from blocks.domain.diagnosis import is_pod_ready
from blocks.domain.errors import PipelineError
from blocks.domain.rollout import Sample, Verdict


def judge_pods(wanted: Pods, seen: Sequence[Mapping[str, Any]], window: tuple[float, float]) -> Sample:
    """What is seen of the pods at an instant, for a stage that began at another; without pods there is no data."""
    since, instant = window
    if not seen:
        return Sample(instant, Verdict.NO_DATA, "no pod of the revision is seen", name=PODS)
    restarts, unready = sum(_restarts(seen, since)), sum(not is_pod_ready(pod) for pod in seen)
    for number, allowed, what in (
        (restarts, wanted.restarts, "restarts in the stage"),
        (unready, wanted.not_ready, f"of {len(seen)} pods not ready"),
    ):
        if number > allowed:
            told = f"{number} {what}, at most {allowed} wanted"
            return Sample(instant, Verdict.BAD, told, name=PODS, number=number, threshold=allowed)
    told = f"{len(seen) - unready} of {len(seen)} pods ready, {restarts} restarts in the stage"
    return Sample(instant, Verdict.GOOD, told, name=PODS, number=restarts, threshold=wanted.restarts)


def missed_pods(instant: float, problem: PipelineError) -> Sample:
    """The sample of an instant at which the cluster could not be seen."""
    return Sample(instant, Verdict.ERROR, problem.message, name=PODS)


def _restarts(seen: Sequence[Mapping[str, Any]], since: float) -> Iterator[int]:
    """How often each container has restarted, if it has in the stage.

    A pod says how often, and when the last time: one that restarted in the stage counts with all its restarts, so that whoever looks for
    the first time after a crash counts no fewer.
    """
    for pod in seen:
        for container in pod.get("status", {}).get("containerStatuses", ()):
            ended = (container.get("lastState", {}).get("terminated") or {}).get("finishedAt")
            # A pod's times have no fractions.
            if ended and datetime.fromisoformat(ended).timestamp() >= floor(since):
                yield int(container.get("restartCount", 0))
