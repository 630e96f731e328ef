"""Sets of plugins: several that are asked for, approved, followed and taken back as one."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Response

from blocks.catalog.requests import Asked as By
from blocks.domain.errors import AlreadyVoted, TooLate, WrongPlan
from blocks.domain.journal import WORKABLE, Phase
from blocks.domain.plugin_sets import SetRequest
from blocks.domain.status import OperationView
from deployments.api.approvals import Voted, telling_who
from deployments.api.asked import Key, Why
from deployments.api.examples import SET_EXAMPLES, WHY_EXAMPLES
from deployments.api.problems import Unknown
from deployments.api.set_shown import SETS, SeenSet, SetAccepted, SetShown
from deployments.api.visit import OpenVisit, Visit

router = APIRouter(prefix=SETS, tags=["plugin sets"])
Wanted = Annotated[SetRequest, Body(openapi_examples=SET_EXAMPLES)]
Reasoned = Annotated[Why, Body(openapi_examples=WHY_EXAMPLES)]


@router.post("", status_code=202)
async def install_set(wanted: Wanted, visit: OpenVisit, response: Response, key: Key = None) -> SetAccepted:
    """Install or update several plugins as one: what a plugin depends on comes before it, and each stage of all before the next of any.

    One that fails takes the others back with it and is named. 409 `needed` where a dependency neither serves nor is in the set, or plugins
    need each other in a circle; 409 `busy` with the plugin's name: then none of them is begun.
    """
    visit.must_change(wanted.tenant)
    asked = await visit.ports.set_requests.request_set(wanted, By(visit.caller.subject, key))
    if asked.operations:
        visit.start(asked.operations[0])
    return _accept(await find_set(visit, asked.plugin_set), response, created=asked.created)


@router.get("/{plugin_set}")
async def read_set(plugin_set: UUID, visit: OpenVisit) -> SetShown:
    """One set: where it stands, the plugin because of which it is taken back if it is, and how far each plugin is."""
    return SetShown.of(await find_set(visit, plugin_set))


@router.post("/{plugin_set}/approve", status_code=202)
async def approve_set(plugin_set: UUID, asked: Voted, visit: OpenVisit, response: Response, key: Key = None) -> SetAccepted:
    """Approve all plans of the set at once: the hash is that of the set, and binds the yes to exactly these plans."""
    seen = await find_set(visit, plugin_set)
    with telling_who():
        for one in _unanswered(seen, asked.hash, visit.caller.subject):
            question = one.question.hash if one.question else ""
            await visit.ports.words.approve(one.id, visit.speaker, question, asked.comment, key=key and f"{key} {one.id}")
            visit.start(one.id)
    return _accept(await find_set(visit, plugin_set), response, created=True)


@router.post("/{plugin_set}/cancel", status_code=202)
async def cancel_set(plugin_set: UUID, asked: Reasoned, visit: OpenVisit, response: Response, key: Key = None) -> SetAccepted:
    """Take all plugins of the set back, the last first; 409 `too-late` once all of them serve."""
    seen = await find_set(visit, plugin_set)
    visit.must_change(seen.view.tenant)
    if not seen.own:
        raise TooLate(f"the set has ended: it is {seen.phase}", "roll back its plugins one by one, if they serve")
    for one in reversed(seen.own):
        phase = await visit.ports.words.cancel(one.id, visit.speaker, asked.reason, key=key and f"{key} {one.id}")
        if phase in WORKABLE:
            visit.start(one.id)
    return _accept(await find_set(visit, plugin_set), response, created=True)


async def find_set(visit: Visit, plugin_set: UUID) -> SeenSet:
    """The set, or `Unknown` if there is none or it is of a tenant that the caller does not see."""
    view = await visit.ports.sets.plugin_set(plugin_set)
    if view is None or not visit.caller.sees(view.tenant):
        raise Unknown(f"there is no set {plugin_set}", "its id is in the answer to whoever asked for it")
    found = [await visit.ports.views.operation(one.operation) for one in view.members]
    return SeenSet(view, tuple(one for one in found if one is not None))


def _unanswered(seen: SeenSet, said: str, subject: str) -> tuple[OperationView, ...]:
    """The operations whose question the caller has not answered yet, or why there are none."""
    waiting = tuple(one for one in seen.own if one.question)
    if not waiting or any(one.phase in (Phase.REQUESTED, Phase.APPLYING) and not _is_agreed(one) for one in seen.own):
        raise TooLate(f"nobody is asked about all plugins now: the set is {seen.phase}", "look at it; a plan may still be made")
    if said != seen.hash:
        raise WrongPlan(f"what is asked about is {seen.hash}, not {said}", "read the plans that stand, then answer")
    open_to = tuple(one for one in waiting if subject not in {vote.subject for vote in one.votes})
    if not open_to:
        raise AlreadyVoted(f"{subject} has agreed already", "somebody else must agree too")
    return open_to


def _is_agreed(operation: OperationView) -> bool:
    """Whether enough people agreed to this one already, as when a yes to all of them was cut short."""
    return any(step.name == "approval" and step.ended_at for step in operation.steps)


def _accept(seen: SeenSet, response: Response, *, created: bool) -> SetAccepted:
    response.headers["Location"] = f"{SETS}/{seen.view.id}"
    return SetAccepted.of(seen, created=created)
