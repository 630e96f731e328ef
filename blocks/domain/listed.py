"""Where a Service leads, as the cluster lists it: a moment after pods are ready, and that is when a gateway learns of them."""

from collections.abc import Iterable, Mapping
from typing import Any


def count_listed(slices: Iterable[Mapping[str, Any]]) -> int:
    """How many ready endpoints the EndpointSlices hold; one that does not say whether it is ready counts, as Kubernetes has it."""
    endpoints = (one for found in slices for one in found.get("endpoints") or ())
    return sum(one.get("conditions", {}).get("ready") is not False for one in endpoints)
