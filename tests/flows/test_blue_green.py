"""One switch after a look at what is coming: on both databases, with the world in memory."""

from typing import Any

import pytest

from blocks.domain.journal import Phase
from blocks.domain.objects.routes import PREVIEW
from blocks.domain.status import InstallationView
from blocks.ports.cluster import Reply
from tests.flows.conftest import MOSTLY_ON_SQLITE, PLUGIN, Outside
from tests.flows.standing import wanted, weights
from tests.flows.test_canary import ANALYSIS, GOOD, steps, update
from tests.flows.test_update import FRONTEND, installed

pytestmark = MOSTLY_ON_SQLITE

SWITCH = {"stageInterval": 1, "analysis": ANALYSIS}
ASKED = ["open_preview", "smoke_test", "route_stage:1", "watch_stage:1"]


async def switch(outside: Outside, first: InstallationView, **config: Any) -> InstallationView:
    """The installation after the next release was switched to."""
    return await update(outside, first, GOOD, strategy="blue-green", strategyConfig=SWITCH | config)


def names(seen: InstallationView) -> list[str]:
    """The steps that this strategy has and others have not."""
    return [one.name for one in seen.operation.steps if one.name in ASKED]


async def test_the_preview_is_asked_and_then_all_requests_are_switched_in_one_write(outside: Outside) -> None:
    first = await installed(outside)
    seen = await switch(outside, first, smokeTest={"path": "/hello"})
    assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason
    assert names(seen) == ASKED
    assert ("/hello", {PREVIEW: f"{seen.slug}-r2"}) in zip((path for _, path in outside.web.asked), outside.web.sent, strict=True)
    assert weights(outside.cluster) == {f"{seen.slug}-r2": 100}


async def test_what_fails_in_its_preview_is_met_by_nobody(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.smoke.PAUSES", (0.0,))
    first = await installed(outside)
    before = wanted(outside.cluster)
    outside.web.answers = [Reply(500, {"x-plugin-release": f"{PLUGIN}@2.0.0"}, "")]
    seen = await switch(outside, first, smokeTest={"path": "/hello"})
    assert seen.operation.phase is Phase.WITHDRAWN
    assert seen.operation.reason is not None
    assert "/hello answered 500, 200 wanted" in seen.operation.reason.message
    assert names(seen) == ASKED[:2]
    assert wanted(outside.cluster) == before


async def test_the_release_before_does_not_pass_for_the_new_one(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.smoke.PAUSES", (0.0,))
    first = await installed(outside)
    outside.web.answers = [Reply(200, {"x-plugin-release": f"{PLUGIN}@1.2.3"}, "")]
    seen = await switch(outside, first)
    assert seen.operation.reason is not None
    assert (seen.operation.phase, seen.operation.reason.code) == (Phase.WITHDRAWN, "verification-failed")


async def test_a_first_revision_has_a_preview_too(outside: Outside) -> None:
    seen = await outside.install(plugin=FRONTEND, strategy="blue-green", strategyConfig=SWITCH | {"analysis": {"enabled": False}})
    assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason
    assert (names(seen), steps(seen)) == (ASKED, ASKED[2:])
    assert weights(outside.cluster) == {f"{seen.slug}-r1": 100}
