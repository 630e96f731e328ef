"""The judge's verdict is journaled, and a refusal names everything that is wrong; in real flows."""

import time

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.requests import Asked
from blocks.domain.errors import GateRefused, PlanStale
from blocks.domain.findings import Severity
from blocks.domain.waivers import DAY_MS, Waiving
from blocks.domain.watch import Spot
from tasks.gates import check_waivers, judge
from tests.blocks.domain.scans import LOCAL, make_finding, make_report, make_secret
from tests.tasks.scanned import open_operation, tell

pytestmark = pytest.mark.usefixtures("prefect_server")


async def test_verdict_is_recorded(engine: AsyncEngine) -> None:
    """Word for word, so that a run that comes back does not judge anew."""
    work = await open_operation(engine)
    report = make_report(make_finding(severity=Severity.HIGH), database=LOCAL)

    async def twice() -> bool:
        return await judge(work, report, "dev") == await judge(work, report, "dev")

    assert await tell(twice)
    state = await work.look()
    assert '"environment":"dev"' in state.results["judge"]
    assert "local advisories" in state.results["judge"]


async def test_what_somebody_answers_for_is_let_through_and_named(engine: AsyncEngine) -> None:
    work = await open_operation(engine)
    report = make_report(make_finding(), database=LOCAL)
    request = await work.request()
    spot = Spot(request.tenant, "dev", request.plugin.name)
    what = Waiving(make_finding().identity, "team-search", int(time.time() * 1000) + DAY_MS)
    made = await work.tools.waivers.waive(spot, what, Asked("sue", reason="never called"))
    verdict = await tell(lambda: judge(work, report, "dev"))
    assert verdict.waived == (made.used,)
    hashed = {"verb": "install", "verdict": verdict.told()}
    await check_waivers(work, hashed)
    await work.tools.waivers.revoke(made.id, Asked("tom", reason="it is called"))
    with pytest.raises(PlanStale, match=f"the waiver of {make_finding().identity}"):
        await check_waivers(work, hashed)
    # What is gone back to was let through when it came.
    await check_waivers(work, hashed | {"verb": "rollback"})


async def test_refusal_has_all_objections_and_no_verdict(engine: AsyncEngine) -> None:
    """Each with its remedy."""
    work = await open_operation(engine)
    report = make_report(make_finding(), make_secret(), database=LOCAL)
    with pytest.raises(GateRefused) as refused:
        await tell(lambda: judge(work, report, "prod"))
    assert len(refused.value.objections) == 3
    assert all("(remedy: " in objection for objection in refused.value.objections)
    assert "judge" not in (await work.look()).results
