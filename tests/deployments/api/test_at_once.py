"""Many identical requests at the same moment with one Idempotency-Key are one operation, on each database, whatever they ask for."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.requests import Asked, Requested
from blocks.catalog.seals import FolderSeals
from deployments.api.app import make_app
from deployments.api.deployed import DEPLOYMENTS
from tests.deployments.api.records import Live, ask, fail, freeze, install, intended, leave_undecided, serve, watch
from tests.deployments.builders import HASH, VERIFIER, Desk, bearer, make_body

Prepare = Callable[[Live], Awaitable[Requested]]
# So many begin something; as many ask for anything else as wait for more connections than the database gives out at once.
FIFTY, AT_ONCE = 50, 16


@pytest.fixture
def live(engine: AsyncEngine, tmp_path: Path) -> Live:
    """An empty record in a database."""
    return Live(engine, FolderSeals(tmp_path / "seals", tmp_path / "seals.key"))


def client_of(live: Live) -> httpx.AsyncClient:
    """A client of the API on that record: bob, who did not ask for what stands there."""
    desk = Desk()
    ports = replace(
        desk.ports(desk.record),
        requests=live.requests,
        words=live.words,
        views=live.views,
        timelines=live.timelines,
        audit=live.audit,
        orders=live.orders,
        neighbours=live.neighbours,
    )
    app = make_app(ports, VERIFIER, desk.traffic.count)
    headers = bearer(sub="bob") | {"Idempotency-Key": "k"}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api.test", headers=headers)


async def two_served(live: Live) -> Requested:
    """Two revisions, the second of which serves."""
    await serve(live)
    return await serve(live, plugin={"version": "2.0.9"})


async def disabled(live: Live) -> Requested:
    """What serves, switched off."""
    asked = await serve(live)
    await live.succeed(await live.requests.request_switch(asked.installation, Asked("ann"), "disable"))
    return asked


async def begun(live: Live) -> Requested:
    """What is on its way."""
    asked = await install(live)
    await live.tell(asked.operation, intended("resolve"))
    return asked


async def frozen(live: Live) -> Requested:
    """What stands still."""
    asked = await install(live)
    await freeze(live, asked)
    return asked


async def failed(live: Live) -> Requested:
    """What failed before it had a plan."""
    asked = await install(live)
    await fail(live, asked)
    return asked


async def asking(live: Live) -> Requested:
    """What waits for an approval."""
    asked = await install(live)
    await ask(live, asked)
    return asked


async def watched(live: Live) -> Requested:
    """A canary whose stage is watched."""
    asked = await install(live)
    await watch(live, asked)
    return asked


async def undecided(live: Live) -> Requested:
    """A canary of which only a person can say how to go on."""
    asked = await install(live)
    await leave_undecided(live, asked)
    return asked


async def nothing(live: Live) -> Requested:
    """Nothing at all."""
    return Requested(UUID(int=0), UUID(int=0), created=False)


WHY = {"reason": "because"}
VOTE = {"hash": HASH, "comment": "fine"}
HERE = "/api/v1/installations/{asked.installation}"


@pytest.mark.parametrize(
    ("prepare", "path", "body", "kind"),
    [
        pytest.param(nothing, "/api/v1/plugins/install", make_body(), "requested", id="an install"),
        pytest.param(serve, "/api/v1/plugins/install", make_body(replicas=2), "requested", id="an update"),
        pytest.param(nothing, "/api/v1/plugins/plan", make_body(), "requested", id="a plan"),
        pytest.param(two_served, f"{HERE}/rollback", WHY, "requested", id="a rollback"),
        pytest.param(serve, f"{HERE}/disable", WHY, "requested", id="a disable"),
        pytest.param(disabled, f"{HERE}/enable", WHY, "requested", id="an enable"),
        pytest.param(serve, f"{HERE}/reload", WHY, "requested", id="a reload"),
        pytest.param(failed, f"{HERE}/retry", WHY, "requested", id="a retry of what failed"),
        pytest.param(frozen, f"{HERE}/retry", WHY, "resumed", id="a retry of what froze"),
        pytest.param(frozen, f"{HERE}/unfreeze", WHY, "resumed", id="an unfreeze"),
        pytest.param(begun, f"{HERE}/cancel", WHY, "cancelled", id="a cancel"),
        pytest.param(begun, f"{HERE}/freeze", WHY, "halted", id="a freeze"),
        pytest.param(watched, f"{HERE}/promote", WHY, "promoted", id="a promotion"),
        pytest.param(undecided, f"{HERE}/promote", WHY | {"fully": True}, "promoted", id="a promotion of what waits"),
        pytest.param(asking, f"{HERE}/operations/{{asked.operation}}/approve", VOTE, "approved", id="an approval"),
        pytest.param(asking, f"{HERE}/operations/{{asked.operation}}/refuse", VOTE, "refused", id="a refusal"),
    ],
)
async def test_many_times(live: Live, prepare: Prepare, path: str, body: Any, kind: str) -> None:
    asked = await prepare(live)
    before = await told(live, asked, kind)
    async with client_of(live) as client:
        sent = [client.post(path.format(asked=asked), json=body) for _ in range(FIFTY if prepare is nothing else AT_ONCE)]
        answers = await asyncio.gather(*sent)
    assert {answer.status_code for answer in answers} == {202}, {answer.text for answer in answers}
    ((installation, operation),) = {(answer.json()["id"], answer.json()["operation"]) for answer in answers}
    assert await told(live, Requested(UUID(installation), UUID(operation), created=True), kind) == before + 1


async def test_uninstalling_many_times(live: Live) -> None:
    asked = await serve(live)
    async with client_of(live) as client:
        url = HERE.format(asked=asked)
        answers = await asyncio.gather(*(client.delete(url, params={"dropData": "true"}) for _ in range(AT_ONCE)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["operation"] for answer in answers}) == 1
    assert await told(live, asked, "requested") == 2


async def test_deploying_and_rolling_back_many_times(live: Live) -> None:
    asked = await two_served(live)
    words = {
        "pluginId": "@backstage/plugin-catalog",
        "pluginVersion": "2.1.0",
        "tenantId": "default",
        "environment": "Development",
    }
    async with client_of(live) as client:
        made = await asyncio.gather(*(client.post(DEPLOYMENTS, json=words) for _ in range(AT_ONCE)))
        (deployment,) = {answer.json()["deploymentId"] for answer in made}
        own = f"{DEPLOYMENTS}/{deployment}"
        await live.succeed(Requested(asked.installation, UUID(deployment), created=True))
        # The client's key stands for the deployment by now.
        key = {"Idempotency-Key": "another"}
        gone_back = await asyncio.gather(*(client.post(f"{own}/rollback", json=WHY, headers=key) for _ in range(AT_ONCE)))
        (operation,) = {answer.json()["operation"] for answer in gone_back}
        await live.succeed(Requested(asked.installation, UUID(operation), created=True))
        shown, back = (await client.get(own)).json(), (await client.get(f"{DEPLOYMENTS}/{operation}")).json()
    assert {answer.status_code for answer in (*made, *gone_back)} == {202}
    assert [shown["status"], back["status"], back["pluginVersion"]] == ["RolledBack", "Completed", "2.0.9"]
    # Two to begin with, one deployment and one rollback.
    assert await told(live, asked, "requested") == 4


async def told(live: Live, asked: Requested, kind: str) -> int:
    """How often something of this kind happened on the installation."""
    page = await live.timelines.page(asked.installation, 0, 1000)
    return len([one for one in page.items if one.kind == kind])
