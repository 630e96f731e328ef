"""Whether an object stands as the next phase needs it; what is no more than written stands at once."""

from collections.abc import Mapping
from typing import Any

from blocks.domain.errors import RolloutFailed


def stands(live: Mapping[str, Any]) -> bool:
    """Whether the next phase can build on the object; raises `RolloutFailed` if it was turned down for good."""
    judge = JUDGES.get(live["kind"])
    return judge is None or judge(live)


def has_standing(kind: str) -> bool:
    """Whether objects of the kind are more than written: something else has to take notice of them."""
    return kind in JUDGES


def _is_active(namespace: Mapping[str, Any]) -> bool:
    return bool(namespace.get("status", {}).get("phase") == "Active")


def _is_counted(quota: Mapping[str, Any]) -> bool:
    # A quota that has not been counted yet refuses every pod.
    return set(quota.get("status", {}).get("used", {})) >= set(quota["spec"]["hard"])


def _is_routed(route: Mapping[str, Any]) -> bool:
    """Every gateway that the route names has taken it as it is now, with the Service behind it."""
    parents = route.get("status", {}).get("parents", ())
    said = [_said(parent, route["metadata"]["generation"]) for parent in parents]
    for conditions in said:
        for kind in ("Accepted", "ResolvedRefs"):
            if conditions.get(kind, {}).get("status") == "False" and conditions[kind].get("reason") not in PASSING:
                raise RolloutFailed(
                    f"the gateway does not take the route: {conditions[kind].get('message', '')}", "see the Gateway"
                )
    taken = [all(one.get(kind, {}).get("status") == "True" for kind in ("Accepted", "ResolvedRefs")) for one in said]
    return len(taken) >= len(route["spec"]["parentRefs"]) and all(taken)


def _said(parent: Mapping[str, Any], generation: int) -> dict[str, Mapping[str, Any]]:
    conditions = parent.get("conditions", ())
    return {one["type"]: one for one in conditions if one.get("observedGeneration", generation) >= generation}


# The gateway may see the route before it sees the Service.
PASSING = ("BackendNotFound", "Pending")
JUDGES = {"Namespace": _is_active, "ResourceQuota": _is_counted, "HTTPRoute": _is_routed}
