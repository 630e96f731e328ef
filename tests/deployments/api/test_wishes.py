"""Verbs on what serves, as a client of the API meets them."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from deployments.api.shown import INSTALLATIONS
from tests.deployments.builders import Desk, bearer, make_body

INSTALL, PLAN = "/api/v1/plugins/install", "/api/v1/plugins/plan"
WHY = {"reason": "because"}


@pytest.fixture
def desk() -> Desk:
    """The API on an empty record in memory."""
    return Desk()


async def serve(desk: Desk, **changes: Any) -> dict[str, Any]:
    """The answer to a request, once what was asked for serves."""
    async with desk.client() as client:
        answer = await client.post(INSTALL, json=make_body(**changes))
    assert answer.status_code == 202, answer.text
    accepted: dict[str, Any] = answer.json()
    desk.record.succeed(UUID(accepted["operation"]))
    return accepted


def released(version: str) -> dict[str, Any]:
    """The change of a body to this release."""
    return {"plugin": make_body()["plugin"] | {"version": version}}


async def say(desk: Desk, accepted: dict[str, Any], verb: str, body: Any, **claims: Any) -> httpx.Response:
    """The answer to a verb on the installation."""
    async with desk.client(bearer(**claims)) as client:
        return await client.post(f"{INSTALLATIONS}/{accepted['id']}/{verb}", json=body)


async def test_another_request_where_something_serves_is_an_update(desk: Desk) -> None:
    await serve(desk)
    accepted = await serve(desk, replicas=2)
    async with desk.client() as client:
        seen = (await client.get(accepted["links"]["self"])).json()
    assert (seen["operation"]["verb"], seen["revision"]["number"]) == ("update", 2)


async def test_a_plan_that_was_read_goes_with_the_request(desk: Desk) -> None:
    digest = f"sha256:{'ab' * 32}"
    async with desk.client() as client:
        accepted = (await client.post(INSTALL, json=make_body(), params={"planHash": digest})).json()
        wrong = await client.post(INSTALL, json=make_body(), params={"planHash": "abc"})
    assert desk.record.asked[UUID(accepted["operation"])].view.wish.plan_hash == digest
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "planHash")


async def test_a_plan_is_an_operation_that_hinders_nobody(desk: Desk) -> None:
    async with desk.client() as client:
        planned = (await client.post(PLAN, json=make_body())).json()
        installed = await client.post(INSTALL, json=make_body())
        seen = (await client.get(planned["links"]["operation"])).json()
    assert (seen["verb"], seen["phase"], installed.status_code) == ("plan", "requested", 202)
    assert desk.started == [UUID(planned["operation"]), UUID(installed.json()["operation"])]


@pytest.mark.parametrize("verb", ["disable", "reload", "rollback"])
async def test_what_serves_can(desk: Desk, verb: str) -> None:
    await serve(desk)
    accepted = await serve(desk, **released("2.0.9"))
    answer = await say(desk, accepted, verb, WHY)
    assert (answer.status_code, answer.json()["created"]) == (202, True)
    (asked,) = [one for one in desk.record.asked.values() if one.view.verb == verb]
    assert (asked.view.wish.reason, asked.view.actor) == ("because", "ann")
    assert desk.started[-1] == asked.view.id == UUID(answer.json()["operation"])


async def test_a_rollback_to_a_named_revision(desk: Desk) -> None:
    for version in ("2.0.7", "2.0.8", "2.0.9"):
        accepted = await serve(desk, **released(version))
    answer = await say(desk, accepted, "rollback", WHY | {"revision": 1})
    assert desk.record.asked[UUID(answer.json()["operation"])].revision == 1
    desk.record.succeed(UUID(answer.json()["operation"]))
    async with desk.client() as client:
        past = (await client.get(f"{accepted['links']['self']}/revisions")).json()["items"]
        seen = (await client.get(accepted["links"]["self"])).json()
    assert [(one["number"], one["serving"], one["quarantined"]) for one in past] == [
        (1, True, False),
        (3, False, True),
        (2, False, False),
    ]
    assert seen["revision"]["release"] == "@backstage/plugin-catalog@2.0.7"


async def test_what_is_disabled_is_shown_so_and_can_be_enabled(desk: Desk) -> None:
    accepted = await serve(desk)
    desk.record.succeed(UUID((await say(desk, accepted, "disable", WHY)).json()["operation"]))
    async with desk.client() as client:
        seen = (await client.get(accepted["links"]["self"])).json()
        refused = await client.post(INSTALL, json=make_body(replicas=2))
    assert (seen["enabled"], refused.status_code, refused.json()["type"].rsplit(":")[-1]) == (False, 409, "not-allowed")
    assert (await say(desk, accepted, "enable", {})).status_code == 202


async def test_what_others_need_is_not_taken_away(desk: Desk) -> None:
    accepted = await serve(desk)
    await serve(desk, plugin=make_body()["plugin"] | {"name": "other"}, dependsOn=["@backstage/plugin-catalog"])
    async with desk.client() as client:
        answer = await client.delete(accepted["links"]["self"])
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:plugin-pipeline:problem:needed")
    assert "other cannot do without it" in answer.json()["detail"]


async def test_what_is_in_quarantine_is_not_gone_back_to_until_that_is_lifted(desk: Desk) -> None:
    await serve(desk)
    accepted = await serve(desk, **released("2.0.9"))
    desk.record.succeed(UUID((await say(desk, accepted, "rollback", WHY)).json()["operation"]))
    refused = await say(desk, accepted, "rollback", WHY | {"revision": 2})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:plugin-pipeline:problem:quarantined")
    bad = "@backstage/plugin-catalog@2.0.9"
    lifted = await say(desk, accepted, "quarantine/lift", {"release": bad, "reason": "mended"}, sub="bob")
    (one,) = lifted.json()["items"]
    assert (lifted.status_code, one["release"], one["liftedBy"], one["liftedWhy"]) == (200, bad, "bob", "mended")
    again = await say(desk, accepted, "quarantine/lift", {"release": bad, "reason": "mended"})
    assert again.status_code == 409
    assert (await say(desk, accepted, "rollback", WHY | {"revision": 2})).status_code == 202


@pytest.mark.parametrize(
    ("verb", "body", "field"),
    [
        pytest.param("rollback", {}, "reason", id="a rollback without a reason"),
        pytest.param("rollback", {"reason": " "}, "reason", id="a reason of nothing"),
        pytest.param("rollback", {"reason": "a\x1b[2J"}, "reason", id="a reason that clears screens"),
        pytest.param("rollback", {"reason": "x" * 1001}, "reason", id="a reason that is a book"),
        pytest.param("rollback", WHY | {"revision": 0}, "revision", id="a revision there never is"),
        pytest.param("rollback", WHY | {"revision": "1"}, "revision", id="a revision in quotes"),
        pytest.param("rollback", WHY | {"to": 1}, "to", id="a field that is not known"),
        pytest.param("disable", {}, "reason", id="a disable without a reason"),
        pytest.param("enable", {"reason": None}, "reason", id="a reason that is null"),
        pytest.param("cancel", {}, "reason", id="a cancel without a reason"),
        pytest.param("freeze", {}, "reason", id="a freeze without a reason"),
        pytest.param("unfreeze", {}, "reason", id="an unfreeze without a reason"),
        pytest.param("promote", {}, "reason", id="a promotion without a reason"),
        pytest.param("promote", WHY | {"fully": "yes"}, "fully", id="a yes that is a word"),
        pytest.param("retry", WHY | {"acceptRemaining": 1}, "acceptRemaining", id="a yes that is a number"),
        pytest.param("quarantine/lift", WHY | {"release": "catalog"}, "release", id="a release without its version"),
    ],
)
async def test_refused_is(desk: Desk, verb: str, body: Any, field: str) -> None:
    accepted = await serve(desk)
    answer = await say(desk, accepted, verb, body)
    assert (answer.status_code, [one["field"] for one in answer.json()["errors"]]) == (422, [field]), answer.text
    assert len(desk.record.asked) == 1


@pytest.mark.parametrize(
    "verb",
    ["rollback", "enable", "disable", "reload", "cancel", "freeze", "unfreeze", "promote", "retry", "quarantine/lift"],
)
@pytest.mark.parametrize(
    ("claims", "status"),
    [
        pytest.param({"tenants": ["default"], "roles": ["viewer", "approver", "security"]}, 403, id="without the role"),
        pytest.param({"tenants": ["other"], "roles": ["developer"]}, 404, id="of another tenant"),
    ],
)
async def test_nobody_changes_anything(desk: Desk, verb: str, claims: dict[str, Any], status: int) -> None:
    accepted = await serve(desk)
    body = WHY | ({"release": "x@1"} if verb == "quarantine/lift" else {})
    answer = await say(desk, accepted, verb, body, **claims)
    assert answer.status_code == status
    assert (len(desk.record.asked), len(desk.record.asked[UUID(accepted["operation"])].entries)) == (1, 1)
