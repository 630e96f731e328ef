"""From what was resolved, built and judged to what will happen: every object, and nothing touched."""

from dataclasses import asdict
from math import ceil
from urllib.parse import urlsplit

from blocks.domain.manifest import InstallRequest, Runtime
from blocks.domain.objects.blueprint import RUNTIMES, Blueprint, Object, Serving, Site, serving_of
from blocks.domain.objects.phases import Phase
from blocks.domain.plan import Plan, compose_plan, read_document, write_document
from blocks.domain.plugin_yaml import read_plugin_yaml
from blocks.domain.release import Image, Release, Resolution
from blocks.domain.verdict import Verdict
from blocks.settings import Settings
from blocks.work import Work
from tasks.kinds import Undo, step


@step(Undo.NEEDLESS)
async def make_plan(work: Work, resolution: Resolution, image: Image, verdict: Verdict) -> Plan:
    """The plan of the revision, its document in storage; raises `Refused` where the request's configuration contradicts itself."""
    request = await work.request()
    blueprint = Blueprint(
        request=request,
        release=resolution.release,
        image=image.pinned,
        installation=work.installation,
        operation=work.operation,
        revision=work.revision,
        serving=await look_up_serving(work, request, resolution.release),
        site=site_of(work.tools.settings),
    )
    text = write_document(blueprint, asdict(verdict))
    return compose_plan(blueprint, text, await work.tools.storage.put(text))


async def look_up_serving(work: Work, request: InstallRequest, release: Release) -> Serving:
    """How the plugin is reached: a service says so in its manifest, the others as their runtime does."""
    if request.plugin.runtime.type is not Runtime.SERVICE:
        return RUNTIMES[request.plugin.runtime.type]
    source = await work.tools.sources.open(request.source)
    return serving_of(read_plugin_yaml(await source.manifest(release)))


async def read_plan(work: Work, plan: Plan) -> dict[Phase, list[Object]]:
    """Every object of the plan, by phase, as its document in storage says."""
    return read_document((await work.tools.storage.get(plan.document)).decode())


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
    )
