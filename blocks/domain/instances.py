"""The instances of a revision as its pods show them: how many there are, how many serve, and what is the matter with the others."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from blocks.domain.diagnosis import Sight, diagnose, is_pod_ready
from blocks.domain.objects.labels import REVISION, stamp_of


class HealthWord(StrEnum):
    """How a revision is; not knowing is an answer of its own."""

    HEALTHY = "Healthy"
    DEGRADED = "Degraded"
    UNHEALTHY = "Unhealthy"
    UNKNOWN = "Unknown"


@dataclass(frozen=True)
class Instance:
    """One pod: whether it serves, and how often its containers were started again."""

    name: str
    ready: bool
    restarts: int


@dataclass(frozen=True)
class Health:
    """How the revision is, why, and its instances by name."""

    word: HealthWord
    why: str
    instances: tuple[Instance, ...] = ()


def find_pods(pods: Iterable[Mapping[str, Any]], revision: int) -> list[Mapping[str, Any]]:
    """The revision's own pods, without those on their way out."""
    mine = (pod for pod in pods if stamp_of(pod, REVISION) == str(revision))
    return [pod for pod in mine if "deletionTimestamp" not in pod["metadata"]]


def see_health(pods: Sequence[Mapping[str, Any]]) -> Health:
    """How a revision is whose pods these are: healthy while all of them serve."""
    instances = tuple(sorted((_see(pod) for pod in pods), key=lambda one: one.name))
    ready, found = sum(one.ready for one in instances), diagnose(Sight(None, pods))
    if not instances:
        return Health(HealthWord.UNKNOWN, "no instance of it runs")
    word = HealthWord.HEALTHY if ready == len(instances) else HealthWord.DEGRADED if ready else HealthWord.UNHEALTHY
    trouble = f": {found.sentence}" if found and word is not HealthWord.HEALTHY else ""
    return Health(word, f"{ready} of {len(instances)} instances are ready{trouble}", instances)


def _see(pod: Mapping[str, Any]) -> Instance:
    started = pod.get("status", {}).get("containerStatuses") or ()
    return Instance(pod["metadata"]["name"], is_pod_ready(pod), sum(int(one.get("restartCount", 0)) for one in started))
