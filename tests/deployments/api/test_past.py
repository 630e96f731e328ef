"""Looking back, as a client of the API meets it."""

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from blocks.domain.errors import Transient
from tests.deployments.builders import Desk, bearer, make_body

JSON_LINES = {"Accept": "application/x-ndjson"}


@pytest.fixture
def desk() -> Desk:
    """The API on an empty record in memory."""
    return Desk()


async def serve(desk: Desk, **changes: Any) -> dict[str, Any]:
    """What was asked for, once it serves."""
    async with desk.client() as client:
        accepted: dict[str, Any] = (await client.post("/api/v1/plugins/install", json=make_body(**changes))).json()
    desk.make_plan(UUID(accepted["operation"]))
    desk.record.succeed(UUID(accepted["operation"]))
    return accepted


async def test_a_timeline_tells_what_happened(desk: Desk) -> None:
    accepted = await serve(desk)
    async with desk.client() as client:
        told = (await client.get(accepted["links"]["timeline"])).json()
    assert [(one["actor"], one["step"], one["kind"]) for one in told["items"]] == [
        ("ann", "operation", "requested"),
        ("worker", "make_plan", "intended"),
        ("worker", "make_plan", "done"),
        ("worker", "operation", "finished"),
    ]
    assert {one["trace"] for one in told["items"]} == {UUID(accepted["operation"]).hex}
    assert (told["items"][2]["seconds"], told["next"]) == (1.0, None)


async def test_a_timeline_goes_page_by_page(desk: Desk) -> None:
    accepted = await serve(desk)
    seen: list[int] = []
    after: int | None = 0
    async with desk.client() as client:
        while after is not None:
            page = (await client.get(accepted["links"]["timeline"], params={"limit": 3, "after": after})).json()
            seen, after = seen + [one["seq"] for one in page["items"]], page["next"]
    assert seen == [0, 1, 2, 3]


async def test_a_timeline_as_json_lines_is_whole_and_says_the_same(desk: Desk) -> None:
    accepted = await serve(desk)
    async with desk.client() as client:
        answer = await client.get(accepted["links"]["timeline"], headers=JSON_LINES)
        items = (await client.get(accepted["links"]["timeline"])).json()["items"]
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line) for line in answer.text.splitlines()] == items


async def test_a_timeline_of_another_tenant_is_not_there(desk: Desk) -> None:
    accepted = await serve(desk, tenant="other")
    async with desk.client(bearer(tenants=["acme"], roles=["viewer"])) as client:
        names = ("timeline", "revisions", "quarantine", "plan", "operation")
        answers = [await client.get(accepted["links"][name], headers=JSON_LINES) for name in names]
    assert {answer.status_code for answer in answers} == {404}


async def test_a_record_that_is_away_is_a_problem_and_no_empty_timeline(desk: Desk) -> None:
    accepted = await serve(desk)
    looked = desk.record.page

    async def falter(installation: UUID, after: int, limit: int) -> Any:
        desk.record.broken = Transient("the database did not answer")
        return await looked(installation, after, limit)

    desk.record.page = falter  # type: ignore[method-assign]
    async with desk.client() as client:
        answer = await client.get(accepted["links"]["timeline"], headers=JSON_LINES)
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")


async def test_a_whole_journal_is_said_to_be_whole(desk: Desk) -> None:
    await serve(desk)
    async with desk.client() as client:
        assert (await client.get("/api/v1/audit/verify")).json() == {"whole": True, "broken": [], "remarks": []}


async def test_a_journal_that_was_edited_is_named_with_its_entry(desk: Desk) -> None:
    accepted = await serve(desk)
    entries = desk.record.asked[UUID(accepted["operation"])].entries
    entries[1] = replace(entries[1], actor="mallory")
    async with desk.client() as client:
        told = (await client.get("/api/v1/audit/verify")).json()
    (broken,) = told["broken"]
    assert (told["whole"], broken["operation"], broken["seq"], broken["what"]) == (False, accepted["operation"], 2, "edited")


async def test_the_journal_is_copied_out_line_by_line(desk: Desk) -> None:
    accepted = await serve(desk)
    async with desk.client() as client:
        answer = await client.get("/api/v1/audit/export")
    assert answer.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [(line["operation"], line["seq"]) for line in lines] == [(accepted["operation"], seq) for seq in (1, 2, 3)]
    assert {"hash", "prev", "payload", "actor", "at", "token"} <= set(lines[0])


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        pytest.param({"roles": ["security"], "tenants": "*"}, 200, id="security of all tenants may"),
        pytest.param({"roles": ["admin"], "tenants": []}, 200, id="an admin may"),
        pytest.param({"roles": ["security"], "tenants": ["acme"]}, 403, id="security of one tenant may not"),
        pytest.param({"roles": ["viewer", "developer", "approver"], "tenants": "*"}, 403, id="others may not"),
    ],
)
@pytest.mark.parametrize("path", ["verify", "export"])
async def test_an_audit(desk: Desk, claims: dict[str, Any], status: int, path: str) -> None:
    await serve(desk)
    async with desk.client(bearer(**claims)) as client:
        assert (await client.get(f"/api/v1/audit/{path}")).status_code == status
