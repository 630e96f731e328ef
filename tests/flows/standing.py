"""What stands in a cluster, as far as it was wanted: what nobody set and what changes by itself is left out."""

import copy
from typing import Any

from tests.flows.teller import Standing

PASSING = ("resourceVersion", "uid", "generation", "managedFields", "creationTimestamp", "deletionTimestamp")
BY_ITSELF = ("events", "pods")
# Objects that each revision has for itself.
REVISIONED = ("deployments", "services", "configmaps")


def wanted(cluster: Standing) -> dict[str, Any]:
    """Every object as it was wanted, by `plural namespace/name`."""
    return {
        f"{plural} {namespace}/{name}": strip(found)
        for (plural, namespace, name), found in cluster.store.objects.items()
        if plural not in BY_ITSELF
    }


def strip(found: dict[str, Any]) -> dict[str, Any]:
    """The object without its status and what the server writes."""
    kept = {key: value for key, value in copy.deepcopy(found).items() if key != "status"}
    kept["metadata"] = {key: value for key, value in kept["metadata"].items() if key not in PASSING}
    return kept


def replicas(cluster: Standing) -> dict[str, int]:
    """How many replicas each Deployment wants, by name."""
    return {
        name: found["spec"]["replicas"] for (plural, _, name), found in cluster.store.objects.items() if plural == "deployments"
    }


def weights(cluster: Standing) -> dict[str, int]:
    """How many of a hundred requests each Service gets, those that get none left out."""
    routes = [found for (plural, _, _), found in cluster.store.objects.items() if plural == "httproutes"]
    backends = [backend for route in routes for rule in route["spec"]["rules"] for backend in rule["backendRefs"]]
    return {backend["name"]: backend["weight"] for backend in backends if backend["weight"]}


def routed_to(cluster: Standing) -> list[str]:
    """The Services to which routes send people."""
    return [*weights(cluster)]
