"""How one revision's pods take the place of another's, a few at a time: Kubernetes' own rules for a rolling update, on two Deployments.

Pure like the other strategies' decisions: from how many pods each side has to how many it has next. Nothing is remembered between two
waves, so whoever takes over comes to the same end, and the way back is the same with the sides changed.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from blocks.domain.manifest import InstallRequest
from blocks.domain.stages import config_of

PERCENT = 100
ENDED = ("Succeeded", "Failed")


@dataclass(frozen=True)
class Limits:
    """How many pods there may be more than were asked for, and how many fewer may be ready."""

    surge: int
    unavailable: int

    @property
    def sentence(self) -> str:
        """Both, in the words of Kubernetes."""
        return f"surge {self.surge}, unavailable {self.unavailable}"


@dataclass(frozen=True)
class Sizes:
    """How many pods the side that comes has, and the one that goes."""

    coming: int
    going: int


@dataclass(frozen=True)
class Bounds:
    """How many pods the side that comes is to have, how many there may be in all, and how many are always ready."""

    wanted: int
    most: int
    least: int


def limits_of(hashed: Mapping[str, Any]) -> Limits | None:
    """The limits of the plan's rolling update; none where all come at once: nobody said any, or nothing goes.

    A way back by hand has those of the revision that it leads to: where there is no room for twice the pods there is none then either.
    """
    request = InstallRequest.model_validate(hashed["inputs"]["request"])
    if request.strategy != "rolling-update" or request.strategy_config is None:
        return None
    return limit(request) if hashed["previous"] else None


def limit(request: InstallRequest) -> Limits:
    """What the request says in percent as pods: a surge is rounded up, the unavailable down, but not both to nothing."""
    config = config_of(request)
    surge = _count("100%" if config.max_surge is None else config.max_surge, request.replicas, PERCENT - 1)
    unavailable = _count(config.max_unavailable or 0, request.replicas, 0)
    return Limits(surge, unavailable if surge else max(unavailable, 1))


def bound(limits: Limits, had: int, wanted: int) -> Bounds:
    """The bounds within which one side's pods become the other's; one pod is always ready."""
    return Bounds(wanted, max(had, wanted) + limits.surge, max(1, min(had, wanted) - limits.unavailable))


def next_sizes(sizes: Sizes, bounds: Bounds) -> Sizes | None:
    """What each side has next, all of the coming ones being ready; None where nothing is left to do.

    As many as there is room for come, and then as many as are not needed go: never both at once.
    """
    grown = min(bounds.wanted, bounds.most - sizes.going)
    if grown > sizes.coming:
        return Sizes(grown, sizes.going)
    if not sizes.going:
        return None
    return Sizes(sizes.coming, min(sizes.going - 1, max(0, bounds.least - sizes.coming)))


def has_left(pods: Iterable[Mapping[str, Any]], size: int) -> bool:
    """Whether no more pods than so many take room; one on its way out does until it is gone, one that has ended does not."""
    return sum(pod.get("status", {}).get("phase") not in ENDED for pod in pods) <= size


def every_wave(sizes: Sizes, bounds: Bounds) -> Iterator[Sizes]:
    """Each of the sizes that follow these."""
    while following := next_sizes(sizes, bounds):
        yield (sizes := following)


def weigh_ready(coming: int, going: int) -> int:
    """The percent of the requests for the coming side, by how many pods of each are ready: none and all only where one has none."""
    if not coming or not going:
        return PERCENT if coming else 0
    return min(PERCENT - 1, max(1, round(PERCENT * coming / (coming + going))))


def _count(said: int | str, of: int, more: int) -> int:
    return said if isinstance(said, int) else (int(said.removesuffix("%")) * of + more) // PERCENT
