"""How many pods a Deployment has: as many as it says, or, where an autoscaler decides, as many as that gave it.

Such a Deployment is planned without a number and says in an annotation between which ones the autoscaler chooses. What puts it up takes
the number that it has, so that nobody's word on it is taken back; only to sleep, and to begin, is it told one.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from blocks.domain.autoscaling import Range
from blocks.domain.errors import Refused
from blocks.domain.objects.blueprint import Object

AUTOSCALED = "plugin-pipeline.io/autoscaled"


def mark_range(found: Range) -> dict[str, str]:
    """The annotation of a Deployment that is scaled within the range."""
    return {AUTOSCALED: f"{found.least}-{found.most}"}


def range_in(deployment: Mapping[str, Any]) -> Range | None:
    """The range within which the Deployment is scaled, None where nobody but us says how many pods it has."""
    said = (deployment["metadata"].get("annotations") or {}).get(AUTOSCALED)
    return Range(*map(int, said.split("-"))) if said else None


def keep_size(desired: Object, live: Mapping[str, Any]) -> Object:
    """The desired object with as many pods as the live one has, if it is a Deployment that is not told how many it should have."""
    if desired["kind"] != "Deployment" or "replicas" in desired["spec"]:
        return desired
    return desired | {"spec": desired["spec"] | {"replicas": live["spec"].get("replicas", 1)}}


def awake(deployment: Object, had: int = 0) -> Object:
    """The Deployment as it is when it serves: one that an autoscaler follows has as many pods as it or another had, within its range."""
    found = range_in(deployment)
    return deployment | {"spec": deployment["spec"] | {"replicas": found.within(had)}} if found else deployment


def refuse_moves(few_at_a_time: bool, moved: Iterable[Object]) -> None:  # noqa: FBT001 — a question and what it is about
    """Nothing unless pods are to come and go a few at a time where an autoscaler would do otherwise; then `Refused`."""
    followed = [one["metadata"]["name"] for one in moved if one["kind"] == "Deployment" and range_in(one)]
    if few_at_a_time and followed:
        raise Refused(
            f"{' and '.join(followed)} is autoscaled, and its pods cannot come and go a few at a time",
            "leave out autoscaling, or maxSurge and maxUnavailable, or stages where there is no gateway",
        )


def most_of(deployment: Mapping[str, Any] | None) -> int:
    """How many pods the Deployment may have; one that sleeps is not woken by its autoscaler."""
    if not deployment or not (replicas := int(deployment["spec"].get("replicas", 1))):
        return 0
    found = range_in(deployment)
    return found.most if found else replicas
