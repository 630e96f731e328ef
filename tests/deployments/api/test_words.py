"""Words about an operation, and the plan that they are about, as a client of the API meets them."""

import json
from typing import Any
from uuid import UUID

import httpx
import pytest

from blocks.domain.journal import Kind, Reason
from deployments.api.shown import INSTALLATIONS
from tests.deployments.api.records import STAGE, UNDECIDED
from tests.deployments.builders import HASH, Desk, bearer, make_body

WHY = {"reason": "because"}
VOTE = {"hash": HASH, "comment": "fine"}
NO_RELEASE = Reason("unresolvable", "there is no 99", "ask for 2")


@pytest.fixture
def desk() -> Desk:
    """The API on an empty record in memory."""
    return Desk()


async def begin(desk: Desk, path: str = "/api/v1/plugins/install", **changes: Any) -> tuple[dict[str, Any], UUID]:
    """The answer to ann's request, and its operation."""
    async with desk.client() as client:
        answer = await client.post(path, json=make_body(**changes))
    accepted: dict[str, Any] = answer.json()
    return accepted, UUID(accepted["operation"])


async def say(desk: Desk, accepted: dict[str, Any], word: str, body: Any, **claims: Any) -> httpx.Response:
    """The answer to bob's word, if not said otherwise."""
    async with desk.client(bearer(**{"sub": "bob"} | claims)) as client:
        return await client.post(f"{INSTALLATIONS}/{accepted['id']}/{word}", json=body)


async def see(desk: Desk, accepted: dict[str, Any]) -> dict[str, Any]:
    """The installation."""
    async with desk.client() as client:
        seen: dict[str, Any] = (await client.get(accepted["links"]["self"])).json()
    return seen


async def test_a_cancel_takes_back_and_starts_a_run_that_does(desk: Desk) -> None:
    accepted, operation = await begin(desk)
    desk.record.tell(operation, "resolve", Kind.INTENDED)
    answer = await say(desk, accepted, "cancel", WHY)
    assert (answer.status_code, answer.json()["status"]) == (202, "undoing")
    assert desk.started == [operation, operation]
    reason = (await see(desk, accepted))["operation"]["reason"]
    assert (reason["code"], reason["message"]) == ("cancelled", "bob cancelled it: because")


async def test_a_cancel_before_anything_was_begun_is_the_end(desk: Desk) -> None:
    accepted, operation = await begin(desk)
    answer = await say(desk, accepted, "cancel", WHY)
    assert (answer.json()["status"], desk.started) == ("withdrawn", [operation])
    late = await say(desk, accepted, "cancel", WHY)
    assert (late.status_code, late.json()["type"]) == (409, "urn:plugin-pipeline:problem:too-late")


async def test_a_freeze_holds_until_somebody_unfreezes(desk: Desk) -> None:
    accepted, operation = await begin(desk)
    desk.record.tell(operation, "resolve", Kind.INTENDED)
    frozen = await say(desk, accepted, "freeze", WHY)
    assert (frozen.json()["status"], desk.started) == ("frozen", [operation])
    goes_on = await say(desk, accepted, "unfreeze", WHY)
    assert (goes_on.json()["status"], desk.started) == ("applying", [operation, operation])


async def test_what_is_on_its_way_cannot_be_unfrozen_or_tried_again(desk: Desk) -> None:
    accepted, operation = await begin(desk)
    desk.record.tell(operation, "resolve", Kind.INTENDED)
    answers = [await say(desk, accepted, word, WHY) for word in ("unfreeze", "retry")]
    assert [answer.status_code for answer in answers] == [409, 409]


async def test_what_froze_is_tried_again_in_its_direction(desk: Desk) -> None:
    accepted, operation = await begin(desk)
    desk.record.tell(operation, "roll_out", Kind.INTENDED)
    desk.record.tell(operation, "operation", Kind.FAILED, '{"code": "refused", "message": "no", "hint": ""}')
    desk.record.freeze_at(operation, Reason("point-of-no-return", "the new tables stay"))
    answer = await say(desk, accepted, "retry", WHY | {"acceptRemaining": True})
    assert (answer.json()["status"], desk.started[-1]) == ("undoing", operation)
    assert desk.record.asked[operation].entries[-1].payload == '{"acceptRemaining":true,"reason":"because"}'


@pytest.mark.parametrize(
    ("said", "payload"),
    [
        pytest.param(WHY, '{"fully":false,"reason":"because"}', id="alone"),
        pytest.param(WHY | {"fully": True}, '{"fully":true,"reason":"because"}', id="and all that would follow"),
    ],
)
async def test_a_stage_that_waits_is_promoted(desk: Desk, said: dict[str, Any], payload: str) -> None:
    accepted, operation = await begin(desk)
    desk.record.tell(operation, STAGE, Kind.INTENDED, "[1]")
    desk.record.tell(operation, STAGE, Kind.PARKED, json.dumps({"why": vars(UNDECIDED)}))
    reason = (await see(desk, accepted))["operation"]["reason"]
    assert (reason["code"], reason["message"], reason["hint"]) == tuple(vars(UNDECIDED).values())
    answer = await say(desk, accepted, "promote", said)
    assert (answer.status_code, answer.json()["status"], desk.started) == (202, "applying", [operation, operation])
    assert desk.record.asked[operation].entries[-1].payload == payload
    assert (await see(desk, accepted))["operation"]["reason"] is None


async def test_only_a_stage_that_is_watched_is_promoted(desk: Desk) -> None:
    accepted, operation = await begin(desk)
    early = await say(desk, accepted, "promote", WHY)
    desk.record.tell(operation, "roll_out", Kind.INTENDED)
    before = await say(desk, accepted, "promote", WHY)
    desk.record.succeed(operation)
    late = await say(desk, accepted, "promote", WHY)
    kinds = [answer.json()["type"].rsplit(":")[-1] for answer in (early, before, late)]
    assert ({early.status_code, before.status_code, late.status_code}, kinds) == ({409}, ["too-late", "not-allowed", "too-late"])


async def test_what_failed_before_its_plan_is_asked_for_again(desk: Desk) -> None:
    accepted, operation = await begin(desk)
    desk.record.withdraw(operation, NO_RELEASE)
    answer = await say(desk, accepted, "retry", WHY)
    assert (answer.status_code, answer.json()["created"], answer.json()["operation"] != str(operation)) == (202, True, True)
    assert desk.record.asked[UUID(answer.json()["operation"])].view.actor == "bob"


async def test_what_failed_after_its_plan_is_asked_for_anew(desk: Desk) -> None:
    accepted, operation = await begin(desk)
    desk.make_plan(operation)
    desk.record.withdraw(operation, NO_RELEASE)
    answer = await say(desk, accepted, "retry", WHY)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:plugin-pipeline:problem:not-allowed")
    assert len(desk.record.asked) == 1


async def test_the_place_in_the_queue_is_shown(desk: Desk) -> None:
    first, operation = await begin(desk)
    urgent, _ = await begin(desk, tenant="acme", options={"priority": 9})
    assert [(await see(desk, one))["operation"]["place"] for one in (first, urgent)] == [2, 1]
    desk.record.tell(operation, "resolve", Kind.INTENDED)
    assert (await see(desk, first))["operation"]["place"] is None


async def read_plan(desk: Desk, accepted: dict[str, Any]) -> httpx.Response:
    """The answer to the question for the plan."""
    async with desk.client() as client:
        return await client.get(accepted["links"]["plan"])


async def test_a_plan_is_shown_with_its_document_once_it_is_made(desk: Desk) -> None:
    accepted, operation = await begin(desk, "/api/v1/plugins/plan")
    early = await read_plan(desk, accepted)
    assert (early.status_code, early.json()["type"]) == (409, "urn:plugin-pipeline:problem:not-planned-yet")
    assert early.headers["retry-after"] == "2"
    desk.make_plan(operation)
    plan = (await read_plan(desk, accepted)).json()
    assert (plan["hash"], plan["changes"], plan["summary"]) == (HASH, 1, "1 object is created")
    assert plan["document"]["hashed"]["releases"]["plugin"]["after"] == "@backstage/plugin-catalog@2.0.8"


async def test_a_plan_that_never_came_to_be_says_why(desk: Desk) -> None:
    accepted, operation = await begin(desk, "/api/v1/plugins/plan")
    desk.record.withdraw(operation, NO_RELEASE)
    told = (await read_plan(desk, accepted)).json()
    assert (told["type"].rsplit(":")[-1], told["detail"], told["hint"]) == ("not-planned", "there is no 99", "ask for 2")


async def test_what_has_no_plan_by_its_nature_says_so(desk: Desk) -> None:
    accepted, operation = await begin(desk)
    desk.record.succeed(operation)
    answer = await read_plan(desk, accepted)
    assert (answer.status_code, answer.json()["detail"]) == (409, "this install has no plan")


@pytest.mark.parametrize(
    ("drop", "database", "says"),
    [
        pytest.param("true", "", "no data", id="without a database there is none to keep or drop"),
        pytest.param("false", "plugin_catalog", "its database stays", id="what there is stays"),
        pytest.param("true", "plugin_catalog", "its database goes too", id="unless it is to go"),
    ],
)
async def test_what_an_uninstall_takes_away_is_the_plan_that_put_it_up(desk: Desk, drop: str, database: str, says: str) -> None:
    accepted, operation = await begin(desk)
    desk.record.succeed(operation)
    async with desk.client() as client:
        away = (await client.delete(accepted["links"]["self"], params={"dropData": drop})).json()
    desk.database = database
    desk.make_plan(UUID(away["operation"]), step="recall_plan")
    plan = (await read_plan(desk, away)).json()
    assert (plan["verb"], plan["objects"], plan["changes"]) == ("uninstall", ["Service/catalog"], 1)
    assert plan["summary"].endswith(says)


async def test_a_plan_whose_document_is_gone_says_so(desk: Desk) -> None:
    accepted, operation = await begin(desk)
    desk.make_plan(operation)
    desk.documents.clear()
    assert (await read_plan(desk, accepted)).status_code == 409


async def list_approvals(desk: Desk, **claims: Any) -> list[dict[str, Any]]:
    """What waits for whoever the claims describe."""
    async with desk.client(bearer(**claims)) as client:
        items: list[dict[str, Any]] = (await client.get("/api/v1/approvals")).json()["items"]
    return items


async def test_what_waits_is_listed_for_whoever_may_answer(desk: Desk) -> None:
    accepted, operation = await begin(desk, tenant="acme", environment="prod")
    desk.park(operation)
    (one,) = await list_approvals(desk, sub="bob", tenants=["acme"], roles=["approver"])
    asked = one["operation"]["approval"]
    assert (one["id"], asked["hash"], asked["requester"], asked["quorum"]) == (accepted["id"], HASH, "ann", 1)
    assert (asked["roles"], asked["votes"], asked["expiresAt"][:4]) == (["admin", "approver"], [], "2100")


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"sub": "ann"}, id="who asked for it"),
        pytest.param({"sub": "bob", "tenants": ["acme"], "roles": ["developer", "security"]}, id="who has no role for it"),
        pytest.param({"sub": "bob", "tenants": ["other"], "roles": ["approver"]}, id="who does not see the tenant"),
    ],
)
async def test_nothing_waits_for(desk: Desk, claims: dict[str, Any]) -> None:
    _, operation = await begin(desk, tenant="acme")
    desk.park(operation)
    assert await list_approvals(desk, **claims) == []


async def test_an_approval_lets_it_go_on_at_once(desk: Desk) -> None:
    accepted, operation = await begin(desk)
    desk.park(operation)
    vote = VOTE
    answer = await say(desk, accepted, f"operations/{operation}/approve", vote)
    assert (answer.status_code, answer.json()["status"], desk.started) == (202, "applying", [operation, operation])
    assert (await see(desk, accepted))["operation"]["approval"] is None
    late = await say(desk, accepted, f"operations/{operation}/approve", vote)
    assert (late.status_code, late.json()["type"]) == (409, "urn:plugin-pipeline:problem:too-late")


async def test_a_refusal_is_the_way_back(desk: Desk) -> None:
    accepted, operation = await begin(desk)
    desk.park(operation)
    vote = {"hash": HASH, "comment": "too large"}
    answer = await say(desk, accepted, f"operations/{operation}/refuse", vote)
    assert (answer.json()["status"], desk.started) == ("undoing", [operation, operation])
    assert (await see(desk, accepted))["operation"]["reason"]["message"] == "bob refused it: too large"


@pytest.mark.parametrize("word", ["approve", "refuse"])
@pytest.mark.parametrize(
    ("claims", "change", "answered"),
    [
        pytest.param({"sub": "ann"}, {}, (403, "forbidden"), id="one's own plan"),
        pytest.param({"roles": ["developer"]}, {}, (403, "forbidden"), id="a plan without the role"),
        pytest.param({"roles": ["approver"], "tenants": ["x"]}, {}, (404, "not-found"), id="a plan of another tenant"),
        pytest.param({}, {"hash": f"sha256:{'00' * 32}"}, (409, "wrong-plan"), id="another plan"),
        pytest.param({}, {"hash": "abc"}, (422, "invalid-request"), id="what is no hash"),
        pytest.param({}, {"comment": ""}, (422, "invalid-request"), id="a plan without a word"),
    ],
)
async def test_nobody_answers_for(
    desk: Desk, word: str, claims: dict[str, Any], change: dict[str, str], answered: tuple[int, str]
) -> None:
    accepted, operation = await begin(desk)
    desk.park(operation)
    vote = VOTE | change
    before = len(desk.record.asked[operation].entries)
    answer = await say(desk, accepted, f"operations/{operation}/{word}", vote, **claims)
    assert (answer.status_code, answer.json()["type"].rsplit(":")[-1]) == answered
    assert len(desk.record.asked[operation].entries) == before


async def test_an_answer_to_an_operation_of_another_installation_is_not_found(desk: Desk) -> None:
    accepted, _ = await begin(desk)
    _, other = await begin(desk, tenant="acme")
    desk.park(other)
    vote = VOTE
    assert (await say(desk, accepted, f"operations/{other}/approve", vote)).status_code == 404
