"""Approvals: what waits for the caller, and the caller's word on exactly one plan."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import APIRouter, Body, Response

from blocks.domain.errors import NotAllowed
from blocks.domain.status import InstallationView
from deployments.api.accepting import accept_word
from deployments.api.asked import Key
from deployments.api.asked import Vote as VoteAsked
from deployments.api.examples import VOTE_EXAMPLES
from deployments.api.identity import Caller, Forbidden
from deployments.api.shapes import Accepted, InstallationList, InstallationShown
from deployments.api.visit import OfOperation, OpenVisit

router = APIRouter(prefix="/api/v1", tags=["approvals"])
BELOW = "/installations/{installation}/operations/{operation}"
Voted = Annotated[VoteAsked, Body(openapi_examples=VOTE_EXAMPLES)]


@router.get("/approvals")
async def list_approvals(visit: OpenVisit) -> InstallationList:
    """What waits for the caller's word: each installation with the operation that waits, its question and the votes so far.

    What the caller asked for, has voted on or has no role for is left out.
    """
    waiting = await visit.ports.views.waiting(visit.caller.tenants)
    mine = [view for view in waiting if awaits(view, visit.caller)]
    return InstallationList(items=tuple(InstallationShown.of(view, visit.ports.prefect_ui) for view in mine), next=None)


@router.post(f"{BELOW}/approve", status_code=202)
async def approve_plan(named: OfOperation, asked: Voted, visit: OpenVisit, response: Response, key: Key = None) -> Accepted:
    """Approve the plan with this hash and no other; when enough have, the operation goes on at once.

    403 for whoever asked for it or has none of the roles, 409 `wrong-plan`, `already-voted` or `too-late`.
    """
    await visit.find_operation(named)
    with telling_who():
        phase = await visit.ports.words.approve(named.operation, visit.speaker, asked.hash, asked.comment, key=key)
    return await accept_word(visit, named, phase, response)


@router.post(f"{BELOW}/refuse", status_code=202)
async def refuse_plan(named: OfOperation, asked: Voted, visit: OpenVisit, response: Response, key: Key = None) -> Accepted:
    """Refuse the plan with this hash: one refusal ends the operation, and what it prepared is taken back."""
    await visit.find_operation(named)
    with telling_who():
        phase = await visit.ports.words.refuse(named.operation, visit.speaker, asked.hash, asked.comment, key=key)
    return await accept_word(visit, named, phase, response)


def awaits(view: InstallationView, caller: Caller) -> bool:
    """Whether the installation's operation waits for this caller's word."""
    operation, question = view.operation, view.operation.question
    if question is None or caller.subject == question.requester:
        return False
    return bool(caller.roles & set(question.roles)) and caller.subject not in {vote.subject for vote in operation.votes}


@contextmanager
def telling_who() -> Iterator[None]:
    """What this person may not say is forbidden, not a conflict."""
    try:
        yield
    except NotAllowed as problem:
        raise Forbidden(problem.message, problem.hint) from problem
