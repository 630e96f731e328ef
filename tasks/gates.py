"""Judge what the scanners said by the gates of the environment, and by what somebody answers for."""

from collections.abc import Mapping
from typing import Any

from blocks.domain.errors import PlanStale
from blocks.domain.findings import ScanReport
from blocks.domain.verdict import Verdict, reach_verdict
from blocks.domain.watch import Spot
from blocks.work import Work
from tasks.kinds import Undo, step


@step(Undo.NEEDLESS)
async def judge(work: Work, report: ScanReport, environment: str) -> Verdict:
    """The verdict, or `GateRefused` with all objections at once, each with its remedy."""
    return reach_verdict(report, environment, await work.tools.waivers.standing(await _spot(work)))


async def check_waivers(work: Work, hashed: Mapping[str, Any]) -> None:
    """Every waiver that the plan's verdict rests on still stands, or `PlanStale`.

    What is gone back to was let through when it came: a way back in need is not closed by a day that has passed since.
    """
    used = {one["finding"] for one in hashed["verdict"].get("waived", ())} if hashed["verb"] != "rollback" else set()
    gone = used - {one.finding for one in await work.tools.waivers.standing(await _spot(work))} if used else used
    if gone:
        said = f"the plan is no longer true: the waiver of {', '.join(sorted(gone))} has run out or was revoked"
        raise PlanStale(said, "mend the finding, or let it be waived anew; then ask again")


async def _spot(work: Work) -> Spot:
    request = await work.request()
    return Spot(request.tenant, request.environment, request.plugin.name)
