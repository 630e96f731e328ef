"""The record's own steps: an operation begins, a revision serves, nothing serves."""

from uuid import UUID

from prefect.runtime import flow_run
from pydantic import TypeAdapter

from blocks.catalog.database import open_database
from blocks.catalog.operations import Operations
from blocks.catalog.tables import Revision
from blocks.domain.asking import NotInstalled
from blocks.domain.errors import Refused
from blocks.domain.journal import Kind
from blocks.domain.manifest import InstallRequest
from blocks.domain.plan import Plan
from blocks.domain.release import Resolution
from blocks.settings import Settings
from blocks.work import Work
from tasks.kinds import Undo, step
from tasks.plan import make_plan

ANONYMOUS = "prefect-ui"


async def record_install(settings: Settings, request: InstallRequest) -> UUID:
    """Record an installation begun in the Prefect UI; the flow run's id is the key, so a retried run records nothing new.

    Nobody signs in there, so such a run is anonymous and raises `Refused` in prod.
    """
    if request.environment == "prod":
        raise Refused("a run begun in the Prefect UI is anonymous", "install in prod through the API or pluginctl")
    engine = open_database(settings.database_url)
    try:
        operations = Operations(engine)
        asked = await operations.request_install(request, ANONYMOUS, f"flow-run:{flow_run.id}")
        if asked.created:
            await operations.note_run(asked.operation, str(flow_run.id))
    finally:
        await engine.dispose()
    return asked.operation


@step(Undo.REVERSIBLE)
async def serve_revision(work: Work, plan: Plan, resolution: Resolution) -> int:
    """Record what serves from now on; returns the revision's number."""
    release = resolution.release
    made = Revision(
        installation=work.installation,
        number=work.revision,
        operation=work.operation,
        release=f"{release.name}@{release.version}",
        integrity=release.integrity,
        image=plan.image,
        plan=plan.document,
        url=plan.url,
        created_at=0,
    )
    await work.tools.operations.serve_revision(made)
    return work.revision


@serve_revision.undo
async def _serve_none(work: Work, plan: Plan, resolution: Resolution) -> None:
    await work.tools.operations.serve_nothing(work.installation)


@step(Undo.NEEDLESS)
async def recall_plan(work: Work) -> Plan:
    """The plan by which the installation was last put up, from the journal of that operation; `NotInstalled` if it never had one."""
    for entry in reversed(await work.tools.journal.read(await work.tools.operations.last_install(work.installation))):
        if (entry.step, entry.kind) == (make_plan.name, Kind.DONE):
            return TypeAdapter(Plan).validate_json(entry.payload)
    raise NotInstalled("the installation never got as far as a plan", "there is nothing to uninstall")


@step(Undo.FINAL)
async def serve_nothing(work: Work) -> None:
    """Record that nothing serves any more; the installation's records stay."""
    await work.tools.operations.serve_nothing(work.installation)
