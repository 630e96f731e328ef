"""Whether a release's needs are met, as a client of the API asks it."""

from typing import Any
from uuid import UUID

import pytest

from deployments.api.deployed import DEPLOYMENTS
from deployments.api.deployment_examples import DEPENDENCIES_EXAMPLES
from tests.deployments.builders import Desk, bearer, make_body

VALIDATE = f"{DEPLOYMENTS}/validate-dependencies"
WORDS: dict[str, Any] = DEPENDENCIES_EXAMPLES["release"]["value"] or {}
TENANT = "tenant-acme-corp"


async def install(desk: Desk, name: str, version: str = "1.0.0", **changes: Any) -> UUID:
    """The installation of a plugin that serves."""
    plugin = {"name": name, "version": version, "runtime": {"type": "backend"}}
    async with desk.client() as client:
        body = make_body(plugin=plugin, tenant=TENANT, environment="prod") | changes
        accepted = (await client.post("/api/v1/plugins/install", json=body)).json()
    desk.record.succeed(UUID(accepted["operation"]))
    return UUID(accepted["id"])


async def validate(desk: Desk, **changes: Any) -> dict[str, Any]:
    """The answer; asking begins nothing."""
    before = len(desk.record.asked)
    async with desk.client(bearer(tenants=[TENANT], roles=["viewer"])) as client:
        answer = await client.post(VALIDATE, json=WORDS | changes)
    assert answer.status_code == 200, answer.text
    assert len(desk.record.asked) == before
    shown: dict[str, Any] = answer.json()
    return shown


@pytest.fixture
async def desk() -> Desk:
    """The API on a record in which the plugin of document 001 serves, with one that it needs and one that needs it."""
    desk = Desk()
    await install(desk, "ledger", "3.1.0")
    await install(desk, "payment-stripe", dependsOn=["ledger"])
    await install(desk, "shop", dependsOn=["payment-stripe"])
    desk.started.clear()
    return desk


async def test_what_is_needed_and_there_is_shown_with_who_needs_it(desk: Desk) -> None:
    shown = await validate(desk)
    assert (shown["valid"], shown["environment"], shown["conflicts"]) == (True, "Production", [])
    assert shown["requires"] == [{"pluginId": "ledger", "release": "ledger@3.1.0", "available": True}]
    assert shown["requiredBy"] == ["shop"]
    assert "POST /api/v1/plugins/plan" in shown["message"]


async def test_what_is_missing_elsewhere_is_read_from_where_it_serves(desk: Desk) -> None:
    shown = await validate(desk, environment="Staging")
    assert (shown["valid"], shown["conflicts"]) == (False, ["ledger does not serve there"])
    assert shown["message"].startswith("read from what serves in Production")


async def test_of_what_serves_nowhere_nothing_is_known(desk: Desk) -> None:
    shown = await validate(desk, pluginId="mail")
    assert (shown["valid"], shown["requires"], shown["conflicts"]) == (None, [], [])
    assert "not recorded" in shown["message"]


async def test_a_release_that_was_rolled_back_there_is_a_conflict(desk: Desk) -> None:
    installation = await install(desk, "payment-stripe", "2.0.0", dependsOn=["ledger"])
    async with desk.client() as client:
        back = await client.post(f"/api/v1/installations/{installation}/rollback", json={"reason": "slow"})
        desk.record.succeed(UUID(back.json()["operation"]))
        bad, other = await validate(desk), await validate(desk, pluginVersion="2.0.1")
        lift = {"release": "payment-stripe@2.0.0", "reason": "it was the network"}
        assert (await client.post(f"/api/v1/installations/{installation}/quarantine/lift", json=lift)).is_success
    assert (bad["valid"], bad["conflicts"]) == (False, ["payment-stripe@2.0.0 was rolled back there: slow"])
    assert (other["valid"], (await validate(desk))["valid"]) == (True, True)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        pytest.param({"pluginId": "No Name"}, "pluginId", id="a name that is none"),
        pytest.param({"pluginVersion": 2}, "pluginVersion", id="a version that is no text"),
        pytest.param({"tenantId": ""}, "tenantId", id="no tenant"),
        pytest.param({"environment": "QA"}, "environment", id="an environment there is not"),
        pytest.param({"version": "2.0.0"}, "version", id="a field that is misspelt"),
    ],
)
async def test_a_question_is_refused_with(desk: Desk, wrong: dict[str, Any], field: str) -> None:
    async with desk.client() as client:
        answer = await client.post(VALIDATE, json=WORDS | wrong)
    assert (answer.status_code, [one["field"] for one in answer.json()["errors"]]) == (422, [field])


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"tenants": ["other"], "roles": ["developer"]}, id="another tenant"),
        pytest.param({"roles": []}, id="nobody without a role"),
    ],
)
async def test_what_a_tenant_has_is_told_to_nobody_else(desk: Desk, claims: dict[str, Any]) -> None:
    async with desk.client(bearer(**claims)) as client:
        assert (await client.post(VALIDATE, json=WORDS)).status_code == 403
