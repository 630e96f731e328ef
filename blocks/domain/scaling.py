"""How many replicas a revision has while it has only a part of the requests: as many as that part may need, and at least one."""

from collections.abc import Iterable, Mapping
from typing import Any

from blocks.domain.strategy import Stage

ALL = 100


def replicas_for(stages: Iterable[Stage], asked: int) -> int:
    """How many of the replicas that were asked for the last of these stages needs, or one of those before it; without stages all.

    A revision is never made smaller on its way forth: pods that are warm are kept, and a run that takes over finds nothing to take away.
    """
    return max((_needed(stage, asked) for stage in stages), default=asked)


def has_enough(live: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> bool:
    """Whether the object is there, and with as many replicas as are wanted if it is a Deployment."""
    if live is None:
        return False
    return wanted["kind"] != "Deployment" or bool(live["spec"].get("replicas", 1) >= wanted["spec"]["replicas"])


def _needed(stage: Stage, asked: int) -> int:
    # How many requests have a header is not known beforehand, so one is there for them; copies of all need what was asked for.
    percent = ALL if stage.mirror else stage.weight
    return max(1, -(-asked * percent // ALL))
