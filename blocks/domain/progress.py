"""How far a deployment is, in document 001's words: a status, the stage it is at, its share of the requests, and what was measured last."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from blocks.domain.journal import Phase
from blocks.domain.planned import ROUTE, SHIFT, WATCHED
from blocks.domain.status import OperationView, StepState, StepView

# The step from which on something of the new revision runs.
PUTS_UP = "roll_out"
# Why an operation goes back that a person took back.
CANCELLED = "cancelled"
Plan = Mapping[str, Any] | None


class DeploymentStatus(StrEnum):
    """Where a deployment stands; document 001 names `Failed` and `completed`, the others are worded like them."""

    PENDING = "Pending"
    IN_PROGRESS = "InProgress"
    PAUSED = "Paused"
    ROLLING_BACK = "RollingBack"
    COMPLETED = "Completed"
    FAILED = "Failed"
    ROLLED_BACK = "RolledBack"


OPEN: Mapping[Phase, DeploymentStatus] = MappingProxyType(
    {
        Phase.REQUESTED: DeploymentStatus.PENDING,
        Phase.APPLYING: DeploymentStatus.IN_PROGRESS,
        Phase.PARKED: DeploymentStatus.PAUSED,
        Phase.FROZEN: DeploymentStatus.PAUSED,
        Phase.UNDOING: DeploymentStatus.ROLLING_BACK,
    }
)


@dataclass(frozen=True)
class Progress:
    """The stage that was begun last, of how many (0: none), the revision's percent of the requests, and the last sentence about it."""

    stage: int = 0
    stages: int = 0
    weight: int = 0
    sample: str = ""


def see_status(operation: OperationView, plan: Plan, *, left: bool = False) -> DeploymentStatus:
    """The status; `left` says that the revision served and was rolled back from since.

    What was taken back was rolled back if a person said so, or if something that was before it serves again; else it has failed.
    """
    if operation.phase is Phase.SUCCEEDED:
        return DeploymentStatus.ROLLED_BACK if left else DeploymentStatus.COMPLETED
    if operation.phase is Phase.WITHDRAWN:
        by_hand = operation.reason is not None and operation.reason.code == CANCELLED
        again = plan and plan.get("previous") and any(step.name == PUTS_UP for step in operation.steps)
        return DeploymentStatus.ROLLED_BACK if by_hand or again else DeploymentStatus.FAILED
    return OPEN[operation.phase]


def see_progress(operation: OperationView, plan: Plan, status: DeploymentStatus) -> Progress:
    """How far it is, from the steps that the journal knows and the stages of the plan."""
    stages: Sequence[Mapping[str, Any]] = plan.get("stages", ()) if plan else ()
    weights = {f"{ROUTE.name}:{number}": stage.get("weight") or 0 for number, stage in enumerate(stages, 1)} | {SHIFT: 100}
    routed = [step for step in operation.steps if step.name in weights]
    return Progress(
        stage=sum(step.name != SHIFT for step in routed),
        stages=len(stages),
        weight=_share(routed, weights, status),
        sample=_last_words(operation.steps),
    )


def _share(routed: Sequence[StepView], weights: Mapping[str, int], status: DeploymentStatus) -> int:
    if status is DeploymentStatus.COMPLETED:
        return 100
    # One write takes all stages back, that of the last one.
    back = any(step.state is StepState.UNDONE for step in routed)
    if back or status in (DeploymentStatus.FAILED, DeploymentStatus.ROLLED_BACK):
        return 0
    in_force = [weights[step.name] for step in routed if step.state in (StepState.DONE, StepState.UNDOING)]
    return in_force[-1] if in_force else 0


def _last_words(steps: Iterable[StepView]) -> str:
    """What was measured last, or why a stage was over that nobody measured."""
    watched = [step for step in steps if step.name.startswith(WATCHED)]
    told = [step.measured or json.loads(step.result)["why"] for step in watched if step.measured or step.result != "null"]
    return str(told[-1]) if told else ""
