"""What was done to every object of a tenant in the fake cluster, and whether its plugin could be reached all along."""

import copy
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.chaos.parts import Gateway
from tests.fakes.cluster import FakeCluster
from tests.fakes.cluster_store import Change

# Made by the cluster's own controllers, or only for people to read.
NOT_OURS = frozenset({"pods", "events"})


class Ledger:
    """Follows every change of a cluster from the moment it is made."""

    def __init__(self, cluster: FakeCluster, gateway: Gateway) -> None:
        self._store, self._gateway = cluster.store, gateway
        self._bodies: dict[tuple[str, str, str], Any] = {}
        self._changes: list[tuple[str, str, str, str]] = []
        self._gaps: list[tuple[str, str]] = []
        self._then: Callable[[Change], None] = cluster.store._on_change
        cluster.store._on_change = self._follow

    def mark(self) -> int:
        """A place in the ledger from which to count."""
        return len(self._changes)

    def changes(self, namespace: str, since: int = 0) -> Counter[str]:
        """How often each object of the namespace was created, changed and deleted, statuses and what controllers do left out."""
        return Counter(f"{kind} {plural}/{name}" for kind, plural, place, name in self._changes[since:] if place == namespace)

    def gaps(self, namespace: str) -> list[str]:
        """Every change after which a route of the namespace led to no pod."""
        return [what for place, what in self._gaps if place == namespace]

    def bodies(self, namespace: str) -> dict[str, Any]:
        """Every object of the namespace as it was wished for."""
        found = {key: body for key, body in self._bodies.items() if body and namespace in key[1:] and key[0] not in NOT_OURS}
        return {"/".join(key): body for key, body in found.items()}

    def left(self, namespace: str) -> list[str]:
        """What there is of the namespace."""
        found = [key for key in self._store.objects if namespace in (key[1], key[2] if key[0] == "namespaces" else "")]
        return sorted("/".join(key) for key in found if key[0] != "events")

    def _follow(self, change: Change) -> None:
        self._then(change)
        plural, namespace, name = change.key
        place = namespace or name
        body = _body(change.found)
        if plural not in NOT_OURS and (change.kind == "DELETED" or self._bodies.get(change.key) != body):
            self._changes.append((change.kind, plural, place, name))
        self._bodies[change.key] = None if change.kind == "DELETED" else body
        self._see_traffic(place, f"{change.kind} {plural}/{name}")

    def _see_traffic(self, namespace: str, what: str) -> None:
        routes = [one for key, one in self._store.objects.items() if key[:2] == ("httproutes", namespace)]
        if any(self._gateway.has_gap(route) for route in routes):
            self._gaps.append((namespace, what))


def _body(found: dict[str, Any]) -> dict[str, Any]:
    body = copy.deepcopy({key: value for key, value in found.items() if key != "status"})
    for moved in ("resourceVersion", "generation", "deletionTimestamp"):
        body["metadata"].pop(moved, None)
    return body
