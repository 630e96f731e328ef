"""Waivers, as a client of the API meets them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from deployments.api.examples import WAIVER_EXAMPLES
from tests.deployments.builders import Desk, bearer

WAIVERS = "/api/v1/waivers"
NAME = "@backstage/plugin-catalog"
FINDING = "vulnerability:CVE-2026-0001:lodash"


@pytest.fixture
def desk() -> Desk:
    """The API on an empty record in memory."""
    return Desk()


def said(days: int = 30, **changes: Any) -> dict[str, Any]:
    """A finding that somebody answers for, so many days long."""
    expires = (datetime.now(UTC) + timedelta(days=days)).isoformat()
    whole = {"plugin": NAME, "finding": FINDING, "owner": "team-search", "reason": "never called", "expiresAt": expires}
    return whole | changes


async def post(desk: Desk, **changes: Any) -> dict[str, Any]:
    """The waiver that was set."""
    async with desk.client() as client:
        answer = await client.post(WAIVERS, json=said(**changes))
    assert answer.status_code == 201, answer.text
    shown: dict[str, Any] = answer.json()
    assert answer.headers["location"] == shown["links"]["self"] == f"{WAIVERS}/{shown['id']}"
    return shown


async def test_a_waiver_is_set_shown_listed_and_revoked(desk: Desk) -> None:
    made = await post(desk)
    assert (made["tenant"], made["environment"], made["plugin"], made["finding"]) == ("default", "dev", NAME, FINDING)
    assert (made["owner"], made["actor"], made["reason"], made["revokedAt"]) == ("team-search", "ann", "never called", None)
    async with desk.client() as client:
        assert (await client.get(made["links"]["self"])).json() == made
        assert (await client.get(WAIVERS, params={"tenant": "default"})).json() == {"items": [made], "next": None}
        revoked = (await client.post(f"{made['links']['self']}/revoke", json={"reason": "it is called"})).json()
    assert (revoked["revokedBy"], revoked["revokedWhy"], revoked["revokedAt"] is None) == ("ann", "it is called", False)


async def test_the_example_of_the_page_is_a_waiver_but_for_its_day(desk: Desk) -> None:
    example: Any = WAIVER_EXAMPLES["vulnerability"]
    async with desk.client() as client:
        answer = await client.post(WAIVERS, json=example["value"])
        assert (answer.status_code, answer.json()["hint"]) == (409, "name an earlier day, and look again then")
        assert (await client.post(WAIVERS, json=said() | {"finding": example["value"]["finding"]})).status_code == 201


@pytest.mark.parametrize(
    ("changes", "status", "where"),
    [
        pytest.param({"finding": "CVE-2026-0001"}, 422, "finding", id="an id alone"),
        pytest.param({"finding": "no-answer:trivy:x"}, 422, "finding", id="what nobody looked for"),
        pytest.param({"owner": ""}, 422, "owner", id="nobody answers"),
        pytest.param({"reason": " "}, 422, "reason", id="no reason"),
        pytest.param({"expiresAt": "2099-01-01T00:00:00"}, 422, "expiresAt", id="a time of nowhere"),
        pytest.param({"days": 400}, 409, None, id="for ever"),
        pytest.param({"days": -1}, 409, None, id="run out already"),
    ],
)
async def test_what_cannot_be_waived_is_refused_and_nothing_is_kept(
    desk: Desk, changes: dict[str, Any], status: int, where: str | None
) -> None:
    async with desk.client() as client:
        answer = await client.post(WAIVERS, json=said(**changes))
        assert answer.status_code == status, answer.text
        assert where is None or [where in str(one) for one in answer.json()["errors"]] == [True]
        assert (await client.get(WAIVERS)).json()["items"] == []


@pytest.mark.parametrize(
    ("claims", "statuses"),
    [
        pytest.param({"tenants": ["default"], "roles": ["security"]}, [200, 201, 200], id="who looks after security"),
        pytest.param({"tenants": ["default"], "roles": ["developer", "approver"]}, [200, 403, 403], id="who wants to install"),
        pytest.param({"tenants": ["default"], "roles": ["viewer"]}, [200, 403, 403], id="a viewer may look"),
        pytest.param({"tenants": ["other"], "roles": ["security"]}, [404, 403, 404], id="another tenant sees nothing"),
    ],
)
async def test_only_who_looks_after_security_waives_and_revokes(desk: Desk, claims: dict[str, Any], statuses: list[int]) -> None:
    made = (await post(desk))["links"]["self"]
    async with desk.client() as client:
        by = bearer(**claims)
        answers = [
            await client.get(made, headers=by),
            await client.post(WAIVERS, json=said(), headers=by),
            await client.post(f"{made}/revoke", json={"reason": "because"}, headers=by),
        ]
    assert [one.status_code for one in answers] == statuses


async def test_what_is_not_there_is_not_found(desk: Desk) -> None:
    async with desk.client() as client:
        assert (await client.get(f"{WAIVERS}/{UUID(int=7)}")).status_code == 404
        assert (await client.post(f"{WAIVERS}/{UUID(int=7)}/revoke", json={"reason": "because"})).status_code == 404
