"""Plugin deployments: what document 001 calls them, and the same operations as everywhere else.

Words that this API does not have (where a plugin comes from, how it runs, what it may reach) are those with which it was installed.
"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from blocks.catalog.requests import Asked as By
from blocks.domain.deployment import Deployment
from blocks.domain.errors import NotAllowed, PipelineError
from blocks.domain.instances import Health, HealthWord, find_pods, see_health
from blocks.domain.journal import WORKABLE, Phase
from blocks.domain.progress import DeploymentStatus, see_status
from deployments.api.asked import Key, Why
from deployments.api.deployed import DEPLOYMENTS, Deployed, DeploymentAccepted, DeploymentHealthShown, DeploymentShown
from deployments.api.deployment_examples import BACK_EXAMPLES, DEPLOYMENT_EXAMPLES
from deployments.api.operations import planned
from deployments.api.problems import Unknown
from deployments.api.visit import OpenVisit, Visit

router = APIRouter(prefix=DEPLOYMENTS, tags=["plugin deployments"])
# The verbs that put a release up.
DEPLOYING = ("install", "update", "rollback")


@router.post("", status_code=202)
async def create_deployment(
    wanted: Annotated[Deployment, Body(openapi_examples=DEPLOYMENT_EXAMPLES)],
    visit: OpenVisit,
    response: Response,
    key: Key = None,
) -> DeploymentAccepted:
    """Deploy a release of a plugin that is installed already; where another release of it serves, this is the update.

    Everything that these words leave out stays as it was asked for. Where nothing of the plugin serves the answer is 422 `not-described`:
    install it once by `/api/v1/plugins/install`. Without `strategy` it is a canary; without `totalInstances` there are as many as before.
    """
    visit.must_change(wanted.tenant_id)
    try:
        asked = await visit.ports.requests.request_deployment(wanted, By(visit.caller.subject, key))
    except ValidationError as problem:
        # Found only beside what is installed: the same answer as for every other field that is wrong.
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in problem.errors()]) from problem
    if asked.created:
        visit.start(asked.operation)
    return _accept(await find_deployment(visit, asked.operation), asked.operation, response, created=asked.created)


@router.get("/{deployment}")
async def read_deployment(deployment: UUID, visit: OpenVisit) -> DeploymentShown:
    """One deployment: its status, the stage it is at, its share of the requests, its instances, and what was measured last."""
    seen = await find_deployment(visit, deployment)
    try:
        pods = find_pods(await visit.ports.pods(seen.view), seen.order.revision)
    except PipelineError:
        return DeploymentShown.of(seen, None, visit.ports.prefect_ui)
    updated = sum(one.ready for one in see_health(pods).instances)
    return DeploymentShown.of(seen, updated, visit.ports.prefect_ui)


@router.get("/{deployment}/health")
async def read_health(deployment: UUID, visit: OpenVisit) -> DeploymentHealthShown:
    """How the deployment's instances are now, each of them, and what is the matter if something is."""
    seen = await find_deployment(visit, deployment)
    try:
        health = see_health(find_pods(await visit.ports.pods(seen.view), seen.order.revision))
    except PipelineError as problem:
        health = Health(HealthWord.UNKNOWN, problem.message)
    return DeploymentHealthShown.of(deployment, health)


@router.post("/{deployment}/rollback", status_code=202)
async def roll_back_deployment(
    deployment: UUID,
    asked: Annotated[Why, Body(openapi_examples=BACK_EXAMPLES)],
    visit: OpenVisit,
    response: Response,
    key: Key = None,
) -> DeploymentAccepted:
    """Take a deployment back: one on its way is cancelled, one that serves is rolled back from, to the last good revision before it.

    One that was rolled back already stays so. One after which something else was deployed is refused: take that one back.
    """
    seen = await find_deployment(visit, deployment)
    visit.must_change(seen.view.tenant)
    if seen.status is DeploymentStatus.ROLLED_BACK:
        return _accept(seen, deployment, response, created=False)
    if seen.operation.phase is Phase.SUCCEEDED:
        return await _return(visit, seen, By(visit.caller.subject, key, asked.reason), response)
    phase = await visit.ports.words.cancel(deployment, visit.speaker, asked.reason, key=key)
    if phase in WORKABLE:
        visit.start(deployment)
    return _accept(await find_deployment(visit, deployment), deployment, response, created=True)


async def find_deployment(visit: Visit, deployment: UUID) -> Deployed:
    """The deployment, or `Unknown` if there is none or it is of a tenant that the caller does not see."""
    operation = await visit.ports.views.operation(deployment)
    view = await visit.ports.views.installation(operation.installation) if operation else None
    if operation is None or view is None or operation.verb not in DEPLOYING or not visit.caller.sees(view.tenant):
        raise Unknown(f"there is no deployment {deployment}", "its id is that of the operation: pluginctl status names it")
    order, plan = await visit.ports.orders.order(deployment), planned(operation)
    made = [past for past in await visit.ports.views.revisions(view.id) if past.number == order.revision]
    serves = any(past.serving for past in made)
    left = not serves and any(past.quarantined for past in made)
    return Deployed(view, operation, order, plan, see_status(operation, plan, left=left), serves)


async def _return(visit: Visit, seen: Deployed, by: By, response: Response) -> DeploymentAccepted:
    if not seen.serves:
        raise NotAllowed(f"deployment {seen.operation.id} does not serve any more", "take back the one that came after it")
    asked = await visit.ports.requests.request_rollback(seen.view.id, by)
    if asked.created:
        visit.start(asked.operation)
    return _accept(seen, asked.operation, response, created=asked.created)


def _accept(seen: Deployed, operation: UUID, response: Response, *, created: bool) -> DeploymentAccepted:
    response.headers["Location"] = seen.links["self"]
    status = seen.status if operation == seen.operation.id else DeploymentStatus.ROLLING_BACK
    return DeploymentAccepted(
        deployment_id=seen.operation.id, status=status, created=created, operation=operation, links=seen.links
    )
