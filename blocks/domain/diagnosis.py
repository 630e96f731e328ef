"""From what the cluster says of a revision's pods to what is the matter: a summary, the pod's last words, and what to do.

A diagnosis says how long to be patient with it: what cannot mend itself is certain at once, what often mends itself is not.
To add a diagnosis: write a function from a `Sight` to `Diagnosis | None` and put it into `QUESTIONS`, most certain first.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeAlias

Seen: TypeAlias = Mapping[str, Any]


class Trouble(StrEnum):
    """What can keep a revision from becoming ready."""

    QUOTA = "quota-exceeded"
    FORBIDDEN = "pod-forbidden"
    IMAGE = "image-cannot-be-pulled"
    OUT_OF_MEMORY = "out-of-memory"
    CRASH = "crash-loop"
    CONTAINER = "container-cannot-start"
    MOUNT = "volume-cannot-be-mounted"
    UNSCHEDULABLE = "unschedulable"
    EVICTED = "pod-failed"
    NOT_READY = "never-ready"


@dataclass(frozen=True)
class Sight:
    """What can be seen of a revision: its Deployment, its pods, and warnings about either."""

    deployment: Seen | None
    pods: Sequence[Seen]
    events: Sequence[Seen] = ()


@dataclass(frozen=True)
class Diagnosis:
    """What is the matter, in words for a person; `patience` in seconds, 0 means that waiting cannot help.

    `pod` and `previous` say whose log holds the last words if `last_words` is empty.
    """

    trouble: Trouble
    summary: str
    resolution: str
    patience: float = 0
    last_words: str = ""
    pod: str = ""
    previous: bool = False

    @property
    def sentence(self) -> str:
        """The summary, and what the pod said last."""
        return f"{self.summary}; its last words: {self.last_words}" if self.last_words else self.summary


def is_ready(sight: Sight) -> bool:
    """Whether every replica that the Deployment wants is ready; pods that are on their way out do not count."""
    if sight.deployment is None:
        return False
    wanted = int(sight.deployment["spec"].get("replicas", 1))
    return sum(map(is_pod_ready, sight.pods)) >= wanted


def is_pod_ready(pod: Seen) -> bool:
    """Whether the pod serves."""
    return "deletionTimestamp" not in pod["metadata"] and str(_condition(pod, "Ready").get("status")) == "True"


def diagnose(sight: Sight) -> Diagnosis | None:
    """The most certain thing that is the matter, or None if all that can be seen is that it is not ready yet."""
    found = [one for question in QUESTIONS if (one := question(sight)) is not None]
    return min(found, key=lambda one: one.patience, default=None)


def give_up(sight: Sight, seconds: float) -> Diagnosis:
    """What to say when the time is over and nothing certain was the matter."""
    if known := diagnose(sight):
        return replace(known, patience=0)
    waiting = [pod for pod in sight.pods if not is_pod_ready(pod)]
    told = _last_note(sight, "Unhealthy")
    if not waiting:
        return Diagnosis(Trouble.NOT_READY, f"no pod was made within {seconds:g} s", "look at the Deployment's events")
    summary = f"pod {_name(waiting[0])} was not ready within {seconds:g} s" + (f": {told}" if told else "")
    return Diagnosis(Trouble.NOT_READY, summary, "look at the plugin's readiness path and its own words", pod=_name(waiting[0]))


def diagnose_job(sight: Sight) -> Diagnosis | None:
    """Why the pod of a Job does not begin to work, or None if nothing is the matter that can be seen; the sight has no Deployment."""
    if sight.pods:
        return diagnose(sight)
    if told := _last_note(sight, "FailedCreate"):
        return _refused_at_the_door(told)
    return None


def _cannot_create(sight: Sight) -> Diagnosis | None:
    """The Deployment says that its pods are refused at the door."""
    failure = _condition(sight.deployment or {}, "ReplicaFailure")
    if failure.get("status") != "True":
        return None
    return _refused_at_the_door(str(failure.get("message", "")))


def _refused_at_the_door(said: str) -> Diagnosis:
    if re.search(r"exceeded quota|(maximum|minimum) .* usage per|must be less than or equal to", said):
        return Diagnosis(Trouble.QUOTA, f"there is no room: {said}", "ask for less, or have the namespace's quota raised")
    if "violates PodSecurity" in said:
        return Diagnosis(Trouble.FORBIDDEN, f"the namespace refuses the pod: {said}", "correct the pod's security settings")
    # A quota that was just made has not been counted yet, and says so by refusing.
    return Diagnosis(Trouble.FORBIDDEN, f"the pod is refused: {said}", "see what refuses it", patience=20)


def _cannot_pull(sight: Sight) -> Diagnosis | None:
    """An image is not there, or the registry does not let it go."""
    for pod, container in _containers(sight):
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") not in PULLING:
            continue
        said = str(waiting.get("message", waiting["reason"]))
        certain = re.search(r"not found|manifest unknown|unauthorized|denied|InvalidImageName|couldn't parse", said)
        advice = "see that the image is in the registry and that the nodes may pull it"
        return Diagnosis(Trouble.IMAGE, f"pod {_name(pod)} cannot pull its image: {said}", advice, patience=0 if certain else 30)
    return None


def _out_of_memory(sight: Sight) -> Diagnosis | None:
    """A container took more memory than it may."""
    for pod, container in _containers(sight):
        ended = _ended(container)
        if ended.get("reason") == "OOMKilled":
            summary = f"pod {_name(pod)} was killed because it used more memory than its limit"
            return _with_words(Diagnosis(Trouble.OUT_OF_MEMORY, summary, "raise resources.memory.limit"), pod, container)
    return None


def _crashes(sight: Sight) -> Diagnosis | None:
    """A container ends again and again; three times is certain, because nothing it depends on is still coming up."""
    for pod, container in _containers(sight):
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") != "CrashLoopBackOff":
            continue
        code, times = _ended(container).get("exitCode", "unknown"), container.get("restartCount", 0) + 1
        summary = f"pod {_name(pod)} ended {times} times, the last time with exit code {code}"
        patience = 0 if times >= CERTAIN_CRASHES else 15
        found = Diagnosis(Trouble.CRASH, summary, "see its last words; then correct the plugin or its configuration", patience)
        return _with_words(found, pod, container)
    return None


def _cannot_start(sight: Sight) -> Diagnosis | None:
    """A container is not even begun: its configuration or its command is wrong."""
    for pod, container in _containers(sight):
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") in STARTING:
            said = f"{waiting['reason']}: {waiting.get('message', 'no message')}"
            return Diagnosis(Trouble.CONTAINER, f"pod {_name(pod)} cannot start: {said}", "see the message", patience=15)
    return None


def _cannot_mount(sight: Sight) -> Diagnosis | None:
    """A Secret or ConfigMap that the pod names is not there, or has not the key."""
    if not any(
        container.get("state", {}).get("waiting", {}).get("reason") == "ContainerCreating" for _, container in _containers(sight)
    ):
        return None
    if not (told := _last_note(sight, "FailedMount")):
        return None
    return Diagnosis(
        Trouble.MOUNT, f"a volume cannot be mounted: {told}", "make the Secret with the key that secretRefs name", patience=20
    )


def _cannot_schedule(sight: Sight) -> Diagnosis | None:
    """No node has room."""
    for pod in sight.pods:
        placed = _condition(pod, "PodScheduled")
        if placed.get("status") == "False" and placed.get("reason") == "Unschedulable":
            summary = f"no node takes pod {_name(pod)}: {placed.get('message', 'no message')}"
            return Diagnosis(Trouble.UNSCHEDULABLE, summary, "ask for less, or add a node", patience=30)
    return None


def _failed(sight: Sight) -> Diagnosis | None:
    """A pod was thrown out."""
    for pod in sight.pods:
        status = pod.get("status", {})
        if status.get("phase") == "Failed":
            said = status.get("message") or status.get("reason", "no reason")
            return Diagnosis(
                Trouble.EVICTED, f"pod {_name(pod)} failed: {said}", "see whether the node is short of something", patience=30
            )
    return None


QUESTIONS: tuple[Callable[[Sight], Diagnosis | None], ...] = (
    _cannot_create,
    _cannot_pull,
    _out_of_memory,
    _crashes,
    _cannot_start,
    _cannot_mount,
    _cannot_schedule,
    _failed,
)
PULLING = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ImageInspectError", "RegistryUnavailable")
STARTING = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError", "StartError")
CERTAIN_CRASHES = 3


def _containers(sight: Sight) -> Iterator[tuple[Seen, Seen]]:
    for pod in sight.pods:
        status = pod.get("status", {})
        for container in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
            yield pod, container


def _ended(container: Seen) -> Seen:
    now: Seen = container.get("state", {}).get("terminated") or {}
    before: Seen = container.get("lastState", {}).get("terminated") or {}
    return now or before


def _with_words(found: Diagnosis, pod: Seen, container: Seen) -> Diagnosis:
    # The kubelet keeps the end of the log of what died, so that the words outlive the container.
    words = str(_ended(container).get("message", "")).strip()
    return replace(found, last_words=words, pod=_name(pod), previous="terminated" not in container.get("state", {}))


def _last_note(sight: Sight, reason: str) -> str:
    notes: Iterable[Seen] = (event for event in sight.events if event.get("reason") == reason)
    latest = max(notes, key=_when, default={})
    return str(latest.get("note", ""))


def _when(event: Seen) -> str:
    series = event.get("series") or {}
    return str(series.get("lastObservedTime") or event.get("eventTime") or event.get("deprecatedLastTimestamp") or "")


def _condition(found: Seen, kind: str) -> Seen:
    conditions: Iterable[Seen] = found.get("status", {}).get("conditions", ())
    return next((one for one in conditions if one.get("type") == kind), {})


def _name(pod: Seen) -> str:
    return str(pod["metadata"]["name"])
