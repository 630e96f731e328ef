"""Everything before the world is changed: the same inputs lead to the same plan, and done once is done."""

from blocks.domain.plan import Plan
from blocks.work import Work
from tasks.admit import admit_release
from tasks.build import build
from tasks.fetch import fetch
from tasks.gates import judge
from tasks.plan import make_plan
from tasks.resolve import resolve
from tasks.scan import scan_all


async def prepare(work: Work) -> Plan:
    """The plan of what was asked for: resolved, built, scanned and judged."""
    request = await work.request()
    resolution = await resolve(work)
    await admit_release(work, resolution)
    materials = await fetch(work, resolution)
    image = await build(work, resolution, materials)
    verdict = await judge(work, await scan_all(work, image, materials), request.environment)
    return await make_plan(work, resolution, image, verdict)
