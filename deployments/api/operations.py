"""One operation: its steps and what it waits for, and its plan: what it would do, or does, to the last field."""

import json
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter

from blocks.domain.errors import Terminal
from blocks.domain.status import OperationView
from deployments.api.problems import NotPlannedYet
from deployments.api.shapes import OperationShown, PlanShown
from deployments.api.visit import OfOperation, OpenVisit

router = APIRouter(prefix="/api/v1/installations/{installation}/operations/{operation}", tags=["operations"])
# The steps whose result is a plan.
PLANNING = ("make_plan", "plan_return")
# The step of verbs on what serves: it recalls the plan that put it up, under a hash of its own.
RECALLING = "recall_plan"
# Seconds after which asking again for a plan that is being made is worth it.
SOON = 2.0


class NotPlanned(Terminal):
    """The operation ended without a plan, or has none by its nature."""

    code = "not-planned"


@router.get("")
async def read_operation(named: OfOperation, visit: OpenVisit) -> OperationShown:
    """One operation on the installation, even if later ones followed: its steps, what it waits for and what came of it."""
    return OperationShown.of(await visit.find_operation(named), visit.ports.prefect_ui)


@router.get("/plan")
async def read_plan(named: OfOperation, visit: OpenVisit) -> PlanShown:
    """The plan: its hash, which is what is approved and what an installation can be tied to, and the document behind the hash.

    While it is being made the answer is 409 `not-planned-yet` with `Retry-After`; if it never came to be, 409 with the reason why.
    """
    found = await visit.find_operation(named)
    plan = planned(found)
    if plan is None:
        raise unplanned(found)
    document = json.loads(await visit.ports.documents.get(plan["document"]))
    shown = {name: plan[name] for name in ("hash", "verb", "summary", "changes", "objects")}
    return PlanShown(**shown, document=document)


def planned(operation: OperationView) -> dict[str, Any] | None:
    """What the journal holds of the operation's plan, or None before there is one."""
    results = {step.name: step.result for step in operation.steps if step.result != "null"}
    made = next((results[name] for name in PLANNING if name in results), None)
    if made is None and RECALLING not in results:
        return None
    plan: dict[str, Any] = json.loads(made or results[RECALLING])
    return plan if made else plan | describe_recalled(operation, plan)


def describe_recalled(operation: OperationView, plan: Mapping[str, Any]) -> dict[str, Any]:
    """What a verb does to all that a plan once put up."""
    number = len(plan["objects"])
    summary = f"{operation.verb} of what this plan put up: {number} objects"
    if operation.verb == "uninstall":
        data = "its database goes too" if operation.wish.drop_data else "its database stays"
        summary = (
            f"uninstall: {number} objects go, but for what other plugins use there too; {data if plan['database'] else 'no data'}"
        )
    return {"summary": summary, "changes": number}


def unplanned(operation: OperationView) -> NotPlanned | NotPlannedYet:
    """Why the operation has no plan."""
    if not operation.phase.is_final:
        return NotPlannedYet("the plan is not made yet", "ask again in a moment", SOON)
    if operation.reason:
        return NotPlanned(operation.reason.message, operation.reason.hint)
    return NotPlanned(f"this {operation.verb} has no plan", "install, update, plan and rollback make one")
