"""What people say about the newest operation of an installation: cancel, freeze, unfreeze, promote, retry.

A word needs nobody who carries it.
"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Response

from blocks.catalog.requests import Asked as By
from blocks.domain.asking import KeyReused
from blocks.domain.errors import NotAllowed
from blocks.domain.journal import Phase
from blocks.domain.status import InstallationView, OperationView
from deployments.api.accepting import accept, accept_word
from deployments.api.asked import Key, PromoteAsked, RetryAsked, Why
from deployments.api.examples import PROMOTE_EXAMPLES, RETRY_EXAMPLES, WHY_EXAMPLES
from deployments.api.operations import planned
from deployments.api.shapes import Accepted
from deployments.api.visit import Named, OpenVisit, Visit

router = APIRouter(prefix="/api/v1/installations/{installation}", tags=["operations"])
Reasoned = Annotated[Why, Body(openapi_examples=WHY_EXAMPLES)]


@router.post("/cancel", status_code=202)
async def cancel_operation(
    installation: UUID, asked: Reasoned, visit: OpenVisit, response: Response, key: Key = None
) -> Accepted:
    """Take the operation back, in whatever phase it is: whoever carries it loses it, and what was done is undone."""
    view = await visit.find_to_change(installation)
    phase = await visit.ports.words.cancel(view.operation.id, visit.speaker, asked.reason, key=key)
    return await accept_word(visit, _newest(view), phase, response)


@router.post("/freeze", status_code=202)
async def freeze_operation(
    installation: UUID, asked: Reasoned, visit: OpenVisit, response: Response, key: Key = None
) -> Accepted:
    """Stop the operation where it stands: nothing more is done and nothing is taken back until somebody says so."""
    view = await visit.find_to_change(installation)
    phase = await visit.ports.words.freeze(view.operation.id, visit.speaker, asked.reason, key=key)
    return await accept_word(visit, _newest(view), phase, response)


@router.post("/unfreeze", status_code=202)
async def unfreeze_operation(
    installation: UUID, asked: Reasoned, visit: OpenVisit, response: Response, key: Key = None
) -> Accepted:
    """Let the operation go on in the direction in which it was frozen."""
    view = await visit.find_to_change(installation)
    phase = await visit.ports.words.unfreeze(view.operation.id, visit.speaker, asked.reason, key=key)
    return await accept_word(visit, _newest(view), phase, response)


@router.post("/promote", status_code=202)
async def promote_stage(
    installation: UUID,
    asked: Annotated[PromoteAsked, Body(openapi_examples=PROMOTE_EXAMPLES)],
    visit: OpenVisit,
    response: Response,
    key: Key = None,
) -> Accepted:
    """Let the stage of a canary that is watched now be good enough, whatever is still missing; `fully`: the last stage is next."""
    view = await visit.find_to_change(installation)
    phase = await visit.ports.words.promote(view.operation.id, visit.speaker, asked.reason, fully=asked.fully, key=key)
    return await accept_word(visit, _newest(view), phase, response)


@router.post("/retry", status_code=202)
async def retry_operation(
    installation: UUID,
    asked: Annotated[RetryAsked, Body(openapi_examples=RETRY_EXAMPLES)],
    visit: OpenVisit,
    response: Response,
    key: Key = None,
) -> Accepted:
    """Try again what froze, or ask once more for what failed before it had a plan.

    Where the way back met something that cannot be taken back, `acceptRemaining` leaves that as it is and goes on with the rest.
    """
    view = await visit.find_to_change(installation)
    if can_be_asked_again(view.operation):
        return await _ask_again(visit, view, By(visit.caller.subject, key, asked.reason), response)
    words, accept_remaining = visit.ports.words, asked.accept_remaining
    try:
        phase = await words.retry(view.operation.id, visit.speaker, asked.reason, accept_remaining=accept_remaining, key=key)
    except KeyReused:
        # Somebody was faster with the same key: what was to be asked for again is what stands there now.
        return await _ask_again(visit, view, By(visit.caller.subject, key, asked.reason), response)
    return await accept_word(visit, _newest(view), phase, response)


async def _ask_again(visit: Visit, view: InstallationView, by: By, response: Response) -> Accepted:
    return await accept(visit, await visit.ports.requests.request_again(view.operation.id, by), response)


def can_be_asked_again(operation: OperationView) -> bool:
    """Whether the operation failed before it had a plan; `NotAllowed` if it had one, because that was taken back for a reason."""
    if operation.phase is not Phase.WITHDRAWN:
        return False
    if planned(operation):
        raise NotAllowed(f"this {operation.verb} failed after its plan was made, and was taken back", "ask for it anew")
    return True


def _newest(view: InstallationView) -> Named:
    return Named(view.id, view.operation.id)
