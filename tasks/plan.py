"""From what was resolved, built and judged to what will happen: every object tried, nothing touched."""

from collections.abc import Mapping
from dataclasses import replace
from math import ceil
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import TypeAdapter

from blocks.domain.agreed import agree_on, policy_of, recall_revision
from blocks.domain.errors import PlanStale, Refused, Terminal
from blocks.domain.journal import Kind
from blocks.domain.manifest import InstallRequest, Runtime
from blocks.domain.mesh import Mesh
from blocks.domain.objects.blueprint import RUNTIMES, Blueprint, Object, Serving, Site, serving_of
from blocks.domain.objects.names import Name
from blocks.domain.objects.phases import Phase, every
from blocks.domain.packages import Moved, compare_packages, read_lock
from blocks.domain.plain import refuse_impossible
from blocks.domain.plan import (
    Plan,
    canonical,
    compose_plan,
    describe_revision,
    hash_plan,
    objects_of,
    read_document,
    read_hashed,
    write_document,
)
from blocks.domain.plugin_yaml import read_plugin_yaml
from blocks.domain.release import Image, Release, Resolution
from blocks.domain.replaced import Replaced, is_same, read_replaced, see_live
from blocks.domain.staleness import tell_differences
from blocks.domain.verdict import Verdict
from blocks.settings import Settings
from blocks.work import Work
from tasks.foresee import foresee
from tasks.gates import check_waivers
from tasks.kinds import Undo, step
from tasks.metrics import try_metrics
from tasks.preview import read_all
from tasks.routes import check_routes, look_up_mesh

AGAIN = "ask again, and read the new plan"


@step(Undo.NEEDLESS)
async def make_plan(work: Work, resolution: Resolution, image: Image, verdict: Verdict) -> Plan:
    """The plan of the revision, its document in storage.

    Raises `Refused` and `DoesNotFit` where the cluster would not take it, `PlanStale` where it is not the plan that was asked for by hash.
    """
    request = await work.request()
    blueprint = Blueprint(
        request=request,
        release=resolution.release,
        image=image.pinned,
        installation=work.installation,
        revision=work.revision,
        serving=await look_up_serving(work, request, resolution.release),
        site=replace(site_of(work.tools.settings), mesh=await look_up_mesh(work)),
    )
    if blueprint.site.mesh is Mesh.SERVICES:
        refuse_impossible(request)
    replaced = await look_back(work)
    revision = describe_revision(blueprint, resolution.lock, verdict.told())
    if is_same(revision, replaced):
        # There is nothing to do, and so there is no new revision.
        revision = describe_revision(replace(blueprint, revision=replaced.number), resolution.lock, verdict.told())
    return await settle(work, revision, replaced, "update" if replaced.number else "install")


@step(Undo.NEEDLESS)
async def plan_return(work: Work, number: int) -> Plan:
    """The plan of going back to a revision that served before, as it was recorded; `Refused` if it never did, or nothing serves."""
    past, replaced = await work.tools.operations.revision(work.installation, number), await look_back(work)
    if past is None or not replaced.number:
        raise Refused(f"there is no way back to revision {number}", "see which revisions there are")
    recorded = read_hashed((await work.tools.storage.get(past.document)).decode())
    return await settle(work, recall_revision(recorded, replaced.objects), replaced, "rollback")


@step(Undo.NEEDLESS)
async def confirm_plan(work: Work, plan: Plan) -> None:
    """The world is still as the plan was made for; otherwise `PlanStale` names what is not, or `Refused` who holds its host by now."""
    hashed = read_hashed((await work.tools.storage.get(plan.document)).decode())
    replaced = await look_back(work)
    policy = policy_of(hashed["inputs"]["request"], hashed["verb"])
    now = hashed | {"previous": replaced.number, "policy": policy, "live": await look_around(work, hashed, replaced)}
    if hash_plan(now) != plan.hash:
        raise PlanStale(f"the plan is no longer true: {'; '.join(tell_differences(hashed, now))}", AGAIN)
    await check_waivers(work, hashed)
    await check_routes(work, hashed, replaced)


async def settle(work: Work, revision: Mapping[str, Any], replaced: Replaced, verb: str) -> Plan:
    """The plan that lets the revision take the place of what serves, with what people read of it, in storage."""
    moved = await compare_locks(work, revision, replaced)
    hashed = agree_on(revision, replaced, verb, moved)
    hashed |= {"live": await look_around(work, hashed, replaced)}
    if work.order.wish.plan_hash not in (None, hash_plan(hashed)):
        raise await stale(work, work.order.wish.plan_hash or "", hashed)
    await try_metrics(work, hashed)
    shown = await foresee(work, hashed, replaced, moved)
    # The hashed part stands under its own hash too, so that a later plan can say in what it differs.
    await work.tools.storage.put(canonical(hashed))
    document = await work.tools.storage.put(write_document(hashed, shown))
    return replace(compose_plan(hashed, shown, document), before=replaced.document, before_by=replaced.operation)


async def stale(work: Work, asked: str, hashed: Mapping[str, Any]) -> PlanStale:
    """The error for another plan than the one that was read, with what differs."""
    try:
        read = read_hashed(f'{{"schema": 2, "hashed": {(await work.tools.storage.get(asked)).decode()}}}')
    except Terminal:
        return PlanStale(f"there is no plan {asked}, and what is planned now is {hash_plan(hashed)}", AGAIN)
    return PlanStale(f"the plan {asked} is no longer true: {'; '.join(tell_differences(read, hashed))}", AGAIN)


async def look_back(work: Work) -> Replaced:
    """What serves now and by which plan, or an empty one."""
    served = await work.tools.operations.serving(work.installation)
    if served is None:
        return Replaced()
    text = (await work.tools.storage.get(served.document)).decode()
    return read_replaced((served.number, served.release, str(served.operation)), served.document, text)


async def look_around(work: Work, hashed: Mapping[str, Any], replaced: Replaced) -> dict[str, Any]:
    """The fields of live objects that the plan is about, as they stand now."""
    planned = every(objects_of(hashed))
    live = await read_all(work, map(Name.of, [*planned, *replaced.objects]))
    return see_live(planned, replaced.objects, live)


async def compare_locks(work: Work, revision: Mapping[str, Any], replaced: Replaced) -> tuple[Moved, ...]:
    """Every package that is not the same in the lock of what serves and in the new one."""
    new = read_lock((await work.tools.storage.get(revision["inputs"]["lock"])).decode()) if revision["inputs"]["lock"] else {}
    key = replaced.hashed["inputs"]["lock"] if replaced.hashed else ""
    return compare_packages(read_lock((await work.tools.storage.get(key)).decode()) if key else {}, new)


async def plan_of(work: Work, operation: UUID) -> Plan | None:
    """The plan that an operation made, or None if it never got so far."""
    for entry in reversed(await work.tools.journal.read(operation)):
        if entry.kind is Kind.DONE and entry.step in (make_plan.name, plan_return.name):
            return TypeAdapter(Plan).validate_json(entry.payload)
    return None


async def look_up_serving(work: Work, request: InstallRequest, release: Release) -> Serving:
    """How the plugin is reached: a service says so in its manifest, the others as their runtime does."""
    if request.plugin.runtime.type is not Runtime.SERVICE:
        return RUNTIMES[request.plugin.runtime.type]
    source = await work.tools.sources.open(request.source)
    return serving_of(read_plugin_yaml(await source.manifest(release)))


async def read_plan(work: Work, plan: Plan) -> dict[Phase, list[Object]]:
    """Every object of the plan, by phase, as this operation is to make it."""
    return read_document((await work.tools.storage.get(plan.document)).decode(), work.operation)


async def read_before(work: Work, plan: Plan) -> dict[Phase, list[Object]]:
    """Every object of the revision that the plan replaces, as made by the operation that put it up; empty phases if there is none."""
    if not plan.before:
        return {phase: [] for phase in Phase}
    return read_document((await work.tools.storage.get(plan.before)).decode(), UUID(plan.before_by))


def site_of(settings: Settings) -> Site:
    """What the settings say of the cluster and of what is around it."""
    gateway = urlsplit(settings.gateway_url)
    return Site(
        gateway_name=settings.gateway_name,
        gateway_namespace=settings.gateway_namespace,
        gateway_domain=settings.gateway_domain,
        gateway_scheme=gateway.scheme,
        gateway_port=f":{gateway.port}" if gateway.port else "",
        gateway_cidrs=settings.gateway_cidrs,
        dns_cidrs=settings.dns_cidrs,
        database_host=settings.plugin_database_host,
        database_port=settings.plugin_database_port,
        progress_deadline=ceil(settings.progress_deadline),
        pipeline_cidrs=settings.pipeline_cidrs,
    )
