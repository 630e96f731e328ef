"""The record's own steps: an operation begins, a revision serves, nothing serves."""

import hashlib
from dataclasses import replace
from uuid import UUID

from prefect.runtime import flow_run

from blocks.catalog.database import open_database
from blocks.catalog.operations import needs_of
from blocks.catalog.requests import Asked, Requested, Requests
from blocks.catalog.starts import Starts
from blocks.catalog.tables import Revision
from blocks.domain.asking import NotInstalled
from blocks.domain.errors import Refused
from blocks.domain.manifest import InstallRequest
from blocks.domain.plan import Plan
from blocks.settings import Settings
from blocks.work import Work
from tasks.kinds import Undo, step
from tasks.plan import plan_of

ANONYMOUS = "prefect-ui"


async def record_install(settings: Settings, request: InstallRequest) -> UUID:
    """Record an installation begun in the Prefect UI; the flow run's id is the key, so a retried run records nothing new.

    Nobody signs in there, so such a run is anonymous and raises `Refused` in prod.
    """
    if request.environment == "prod":
        raise Refused("a run begun in the Prefect UI is anonymous", "install in prod through the API or pluginctl")
    return await _record(settings, request, "install")


async def record_plan(settings: Settings, request: InstallRequest) -> UUID:
    """Record a plan asked for in the Prefect UI; it changes nothing, so anybody may ask in every environment."""
    return await _record(settings, request, "plan")


async def _record(settings: Settings, request: InstallRequest, verb: str) -> UUID:
    engine, by = open_database(settings.database_url), Asked(ANONYMOUS, f"flow-run:{flow_run.id}")
    try:
        requests = Requests(engine)
        asked: Requested = await (requests.request_plan if verb == "plan" else requests.request_install)(request, by)
        if asked.created:
            # It is started already: this run is to carry it, and no other is sent for it.
            starts = Starts(engine)
            await starts.note(await starts.upcoming(asked.operation), str(flow_run.id))
    finally:
        await engine.dispose()
    return asked.operation


@step(Undo.REVERSIBLE)
async def serve_revision(work: Work, plan: Plan) -> int:
    """Record what serves from now on; returns the revision's number."""
    made = Revision(
        installation=work.installation,
        number=plan.revision,
        operation=work.operation,
        release=plan.target,
        integrity=plan.integrity,
        image=plan.image,
        plan=plan.document,
        url=plan.url,
        needs=needs_of(work.order.request),
        created_at=0,
        served_at=0,
    )
    await work.tools.operations.serve_revision(made)
    return plan.revision


@serve_revision.undo
async def _serve_before(work: Work, plan: Plan) -> None:
    await work.tools.operations.unserve_revision((work.installation, plan.revision), work.operation, plan.previous)


@step(Undo.NEEDLESS)
async def recall_plan(work: Work) -> Plan:
    """The plan by which the installation was last put up, under a hash of its own for this verb; `NotInstalled` if it never had one."""
    served = await work.tools.operations.serving(work.installation)
    maker = served.operation if served else await work.tools.operations.last_install(work.installation)
    plan = await plan_of(work, maker)
    if plan is None:
        raise NotInstalled("the installation never got as far as a plan", "there is nothing to uninstall")
    meant = f"{work.order.verb} {plan.hash} {work.order.wish.drop_data}"
    # To take something away is another thing to agree to than to put it up.
    return replace(plan, hash=f"sha256:{hashlib.sha256(meant.encode()).hexdigest()}", verb=work.order.verb)


@step(Undo.REVERSIBLE)
async def serve_nothing(work: Work, plan: Plan) -> None:
    """Record that nothing serves any more; the installation's records stay."""
    await work.tools.operations.serve_again(work.installation, 0)


@serve_nothing.undo
async def _serve_again(work: Work, plan: Plan) -> None:
    await work.tools.operations.serve_again(work.installation, plan.revision)
