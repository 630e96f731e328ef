"""How far a deployment is follows from its phase, its plan and the steps in its journal."""

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from blocks.domain.journal import Phase, Reason
from blocks.domain.progress import OPEN, DeploymentStatus, Progress, see_progress, see_status
from blocks.domain.status import OperationView, StepState, StepView

ID = UUID(int=1)
ASKED = OperationView(ID, ID, "update", Phase.APPLYING, "ann", 1, "", None, 0, 0)
PLAN = {"previous": 1, "stages": [{"weight": weight, "pause": 300} for weight in (10, 30, 50, 100)]}
ONCE = {"previous": 1, "stages": []}
FIRST = {"previous": 0, "stages": [{"weight": 100, "pause": 300}]}


def step(name: str, state: StepState = StepState.DONE, **result: Any) -> StepView:
    """A step that stands so."""
    return StepView(name, state, 0, result=json.dumps(result) if result else "null")


ROUTED = (step("roll_out"), step("route_stage:1"))
TWICE = "success rate 1 of 240 requests"
WATCHED = (*ROUTED, replace(step("watch_stage:1", why="good enough"), measured=TWICE))
SECOND = (*WATCHED, step("route_stage:2"), step("watch_stage:2", StepState.RUNNING))
TAKEN_BACK = tuple(replace(one, state=StepState.UNDONE) for one in SECOND)


@pytest.mark.parametrize(
    ("phase", "status"),
    [
        pytest.param(Phase.REQUESTED, "Pending", id="nobody carries it yet"),
        pytest.param(Phase.APPLYING, "InProgress", id="it is carried"),
        pytest.param(Phase.PARKED, "Paused", id="it waits for people"),
        pytest.param(Phase.FROZEN, "Paused", id="somebody stopped it"),
        pytest.param(Phase.UNDOING, "RollingBack", id="it is taken back"),
        pytest.param(Phase.SUCCEEDED, "Completed", id="it ended well"),
    ],
)
def test_the_status_in_each_phase(phase: Phase, status: str) -> None:
    assert see_status(replace(ASKED, phase=phase), PLAN) == status


def test_no_phase_is_without_a_status() -> None:
    assert {*OPEN, Phase.SUCCEEDED, Phase.WITHDRAWN} == set(Phase)


@pytest.mark.parametrize(
    ("plan", "steps", "status"),
    [
        pytest.param(None, (step("resolve", StepState.FAILED),), "Failed", id="before there was a plan"),
        pytest.param(PLAN, (step("approval", StepState.FAILED),), "Failed", id="before anything was put up"),
        pytest.param(FIRST, TAKEN_BACK, "Failed", id="with nothing before it that could serve again"),
        pytest.param(PLAN, TAKEN_BACK, "RolledBack", id="and what was before it serves again"),
    ],
)
def test_what_was_taken_back(plan: dict[str, Any] | None, steps: tuple[StepView, ...], status: str) -> None:
    assert see_status(replace(ASKED, phase=Phase.WITHDRAWN, steps=steps), plan) == status


@pytest.mark.parametrize(("code", "status"), [("cancelled", "RolledBack"), ("not-approved", "Failed")])
def test_what_a_person_took_back_before_anything_was_done(code: str, status: str) -> None:
    assert see_status(replace(ASKED, phase=Phase.WITHDRAWN, reason=Reason(code, "ann said so")), None) == status


def test_what_served_and_was_left_is_rolled_back() -> None:
    assert see_status(replace(ASKED, phase=Phase.SUCCEEDED), PLAN, left=True) is DeploymentStatus.ROLLED_BACK


GOES, BACK = DeploymentStatus.IN_PROGRESS, DeploymentStatus.ROLLING_BACK


@pytest.mark.parametrize(
    ("plan", "steps", "status", "progress"),
    [
        pytest.param(None, (), GOES, Progress(), id="no plan yet"),
        pytest.param(PLAN, (step("roll_out"),), GOES, Progress(0, 4, 0), id="no stage yet"),
        pytest.param(PLAN, (*ROUTED[:-1], step("route_stage:1", StepState.RUNNING)), GOES, Progress(1, 4), id="not in force yet"),
        pytest.param(PLAN, ROUTED, GOES, Progress(1, 4, 10), id="the first share is in force"),
        pytest.param(PLAN, WATCHED, GOES, Progress(1, 4, 10, TWICE), id="what was measured last"),
        pytest.param(
            PLAN,
            (*ROUTED, replace(step("watch_stage:1", StepState.RUNNING), measured=TWICE)),
            GOES,
            Progress(1, 4, 10, TWICE),
            id="what was measured while it is watched",
        ),
        pytest.param(PLAN, SECOND, GOES, Progress(2, 4, 30, TWICE), id="the second, with the words about the first"),
        pytest.param(
            PLAN,
            (*ROUTED, step("watch_stage:1", why="a person promoted it")),
            GOES,
            Progress(1, 4, 10, "a person promoted it"),
            id="nothing was measured",
        ),
        pytest.param(PLAN, SECOND, BACK, Progress(2, 4, 30, TWICE), id="on its way back, before the route is"),
        pytest.param(
            PLAN, (*WATCHED, step("route_stage:2", StepState.UNDONE)), BACK, Progress(2, 4, 0, TWICE), id="in one write"
        ),
        pytest.param(ONCE, (step("shift_traffic"),), GOES, Progress(0, 0, 100), id="all at once"),
        pytest.param({"previous": 1}, (), GOES, Progress(), id="a plan of before there were stages"),
        pytest.param(ONCE, (), DeploymentStatus.COMPLETED, Progress(0, 0, 100), id="at its good end it has them all"),
        pytest.param(PLAN, ROUTED, DeploymentStatus.ROLLED_BACK, Progress(1, 4, 0), id="at its bad end it has none"),
        pytest.param(PLAN, ROUTED, DeploymentStatus.FAILED, Progress(1, 4, 0), id="nor if it failed"),
    ],
)
def test_progress(plan: dict[str, Any] | None, steps: tuple[StepView, ...], status: DeploymentStatus, progress: Progress) -> None:
    assert see_progress(replace(ASKED, steps=steps), plan, status) == progress
