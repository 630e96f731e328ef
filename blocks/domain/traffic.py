"""Who answers people now: each revision's share of the requests and its pods, as the cluster's own objects show them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from blocks.domain.objects.labels import REVISION, stamp_of


@dataclass(frozen=True)
class Side:
    """One revision: its percent of the requests (None where no route says so, and pods make the share), and its pods, ready of wanted."""

    revision: int
    weight: int | None
    ready: int
    replicas: int


def see_sides(deployments: Iterable[Mapping[str, Any]], routes: Iterable[Mapping[str, Any]]) -> tuple[Side, ...]:
    """Every revision that has requests or pods, the oldest first; one that sleeps and is sent nobody is no side."""
    shares = dict(_shares(routes))
    known = [*shares] or None
    found = (_see(one, shares.get(one["metadata"]["name"], 0) if known else None) for one in deployments)
    return tuple(sorted((one for one in found if one.weight or one.ready or one.replicas), key=lambda one: one.revision))


def _see(deployment: Mapping[str, Any], weight: int | None) -> Side:
    ready = deployment.get("status", {}).get("readyReplicas", 0)
    return Side(int(stamp_of(deployment, REVISION)), weight, ready, deployment["spec"].get("replicas", 1))


def _shares(routes: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, int]]:
    """By the name of its Service what each revision is sent of those who ask for none in particular."""
    for route in routes:
        for rule in route["spec"]["rules"]:
            if not any(match.get("headers") for match in rule.get("matches") or ()):
                yield from ((one["name"], one.get("weight", 1)) for one in rule.get("backendRefs") or ())
