"""What the plan says of each step is what the step is."""

from typing import Any

import pytest

from blocks.domain.planned import STEPS as PLANNED
from blocks.domain.planned import PlannedStep
from flows import install, rollback
from tasks.kinds import Step

FLOWS: dict[str, tuple[Step[..., Any], ...]] = {"make_plan": install.STEPS, "plan_return": rollback.STEPS}
REAL = {step.name: step for steps in FLOWS.values() for step in steps}


@pytest.mark.parametrize("planned", PLANNED, ids=lambda one: one.name)
def test_the_undo_class_that_people_read_is_that_of_the_step(planned: PlannedStep) -> None:
    assert planned.undo == REAL[planned.name].undo_class


@pytest.mark.parametrize("first", FLOWS)
def test_every_step_after_the_plan_is_in_it_in_the_same_order(first: str) -> None:
    names = [step.name for step in FLOWS[first]]
    after = names[names.index(first) + 1 :]
    assert [one.name for one in PLANNED if one.name in after] == after


def test_what_takes_something_back_is_said_where_something_is() -> None:
    assert [one.name for one in PLANNED if bool(one.back) is (one.undo == "needless")] == []
