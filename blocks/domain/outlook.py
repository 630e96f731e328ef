"""What is new in what can be seen of a revision, for somebody who waits until it is ready and knows one trouble already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from blocks.domain.diagnosis import Diagnosis, Sight, Trouble, diagnose, give_up, is_pod_ready, is_ready


@dataclass(frozen=True)
class News:
    """The revision is ready with these pods, or something else than before is the matter, or nothing any more."""

    ready: bool = False
    diagnosis: Diagnosis | None = None
    pods: tuple[str, ...] = ()


def news_since(sight: Sight, known: Trouble | None) -> News | None:
    """What changed since the trouble was known, or None: then it is worth waiting on."""
    if is_ready(sight):
        return News(ready=True, pods=_ready_pods(sight))
    found = diagnose(sight)
    if found is None:
        return None if known is None else News()
    certain = found.patience == 0
    return News(diagnosis=found) if certain or found.trouble is not known else None


def last_news(sight: Sight, seconds: float) -> News:
    """What there is to say when the time is over: ready after all, or what is the matter, for certain."""
    if is_ready(sight):
        return News(ready=True, pods=_ready_pods(sight))
    return News(diagnosis=give_up(sight, seconds))


def sight_of(name: str, seen: Mapping[str, Sequence[Mapping[str, Any]]]) -> Sight:
    """The revision of this name in what was seen under `deployment`, `pods` and `events`; events about others are left out."""
    deployment = next(iter(seen["deployment"]), None)
    about = [one for one in seen["events"] if _is_about(name, str(one.get("regarding", {}).get("name", "")))]
    return Sight(deployment, seen["pods"], about)


def _is_about(name: str, regarding: str) -> bool:
    return regarding == name or regarding.startswith(f"{name}-")


def _ready_pods(sight: Sight) -> tuple[str, ...]:
    return tuple(sorted(pod["metadata"]["name"] for pod in sight.pods if is_pod_ready(pod)))
