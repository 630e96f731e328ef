"""Installing, looking and removing, as a client of the API meets it."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from blocks.domain.errors import Refused, Transient
from blocks.domain.health import judge_answer
from blocks.domain.journal import Kind, Phase, Reason
from blocks.domain.traffic import Side
from tests.deployments.builders import Desk, bearer, make_body

INSTALL, LIST = "/api/v1/plugins/install", "/api/v1/installations"


@pytest.fixture
def desk() -> Desk:
    """The API on an empty record in memory."""
    return Desk()


async def install(desk: Desk, **changes: Any) -> dict[str, Any]:
    """The answer to an installation by an admin."""
    async with desk.client() as client:
        answer = await client.post(INSTALL, json=make_body(**changes))
    assert answer.status_code == 202, answer.text
    accepted: dict[str, Any] = answer.json()
    return accepted


async def test_install_is_accepted_and_a_run_is_started(desk: Desk) -> None:
    async with desk.client() as client:
        answer = await client.post(INSTALL, json=make_body())
    accepted = answer.json()
    assert (answer.status_code, accepted["status"], accepted["created"]) == (202, "requested", True)
    assert answer.headers["location"] == f"{LIST}/{accepted['id']}" == accepted["links"]["self"]
    assert desk.started == [UUID(accepted["operation"])]


async def test_install_is_accepted_while_prefect_is_away(desk: Desk) -> None:
    desk.prefect_is_away = Transient("Prefect did not start the run")
    accepted = await install(desk)
    assert (accepted["status"], desk.started) == ("requested", [])


async def test_the_same_request_again_begins_nothing(desk: Desk) -> None:
    first, second = await install(desk), await install(desk)
    assert (second["operation"], second["created"]) == (first["operation"], False)
    assert len(desk.started) == 1


async def test_the_same_key_and_body_is_the_same_operation_even_after_its_end(desk: Desk) -> None:
    async with desk.client() as client:
        first = (await client.post(INSTALL, json=make_body(), headers={"Idempotency-Key": "k"})).json()
        desk.record.withdraw(UUID(first["operation"]), Reason("unresolvable", "no such version"))
        second = (await client.post(INSTALL, json=make_body(), headers={"Idempotency-Key": "k"})).json()
    assert (second["operation"], second["created"], second["status"]) == (first["operation"], False, "withdrawn")


async def test_the_same_key_with_another_body_is_refused(desk: Desk) -> None:
    async with desk.client() as client:
        await client.post(INSTALL, json=make_body(), headers={"Idempotency-Key": "k"})
        answer = await client.post(INSTALL, json=make_body(replicas=2), headers={"Idempotency-Key": "k"})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:plugin-pipeline:problem:idempotency-key-reused")


async def test_another_request_while_one_is_on_its_way_is_a_conflict(desk: Desk) -> None:
    await install(desk)
    async with desk.client() as client:
        answer = await client.post(INSTALL, json=make_body(replicas=2))
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:plugin-pipeline:problem:busy")


@pytest.mark.parametrize(
    "key", [pytest.param("", id="empty"), pytest.param("k" * 256, id="too long"), pytest.param("a b", id="a blank")]
)
async def test_a_key_that_is_none_is_refused(desk: Desk, key: str) -> None:
    async with desk.client() as client:
        answer = await client.post(INSTALL, json=make_body(), headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "Idempotency-Key")
    assert desk.started == []


async def test_an_installation_shows_its_steps_and_what_serves(desk: Desk) -> None:
    accepted = await install(desk)
    operation = UUID(accepted["operation"])
    desk.record.tell(operation, "resolve", Kind.INTENDED)
    desk.record.tell(operation, "resolve", Kind.DONE, '{"version": "2.0.8"}')
    desk.record.tell(operation, "build", Kind.INTENDED)
    desk.record.asked[operation].view = replaced(desk, operation, flow_run="abc")
    desk.record.succeed(operation)
    async with desk.client() as client:
        seen = (await client.get(accepted["links"]["self"])).json()
    assert [(step["name"], step["state"], step["result"]) for step in seen["operation"]["steps"]] == [
        ("resolve", "done", {"version": "2.0.8"}),
        ("build", "running", None),
    ]
    assert seen["operation"]["steps"][0]["seconds"] == 1.0
    assert (seen["phase"], seen["revision"]["release"]) == ("succeeded", "@backstage/plugin-catalog@2.0.8")
    assert seen["links"]["plugin"] == seen["revision"]["url"]
    assert seen["operation"]["flowRunUrl"] == seen["links"]["flowRun"] == "http://127.0.0.1:4200/runs/flow-run/abc"
    assert seen["createdAt"].endswith("Z")


def replaced(desk: Desk, operation: UUID, **changes: Any) -> Any:
    """The operation's view, changed."""
    view = desk.record.asked[operation].view
    return type(view)(**{**vars(view), **changes})


async def test_a_long_result_is_left_out(desk: Desk) -> None:
    accepted = await install(desk)
    desk.record.tell(UUID(accepted["operation"]), "resolve", Kind.INTENDED)
    desk.record.tell(UUID(accepted["operation"]), "resolve", Kind.DONE, f'"{"x" * 10_000}"')
    async with desk.client() as client:
        seen = (await client.get(accepted["links"]["self"])).json()
    assert seen["operation"]["steps"][0]["result"] is None


async def test_why_a_step_came_to_its_result_is_shown_however_long_that_is(desk: Desk) -> None:
    accepted = await install(desk)
    told = json.dumps({"why": "success rate 1", "looks": ["x" * 10_000]})
    desk.record.tell(UUID(accepted["operation"]), "watch_stage:1", Kind.INTENDED)
    desk.record.tell(UUID(accepted["operation"]), "watch_stage:1", Kind.DONE, told)
    async with desk.client() as client:
        (step,) = (await client.get(accepted["links"]["self"])).json()["operation"]["steps"]
    assert (step["result"], step["why"]) == (None, "success rate 1")


async def test_a_failed_installation_says_why(desk: Desk) -> None:
    accepted = await install(desk)
    desk.record.withdraw(UUID(accepted["operation"]), Reason("unresolvable", "there is no 99", "ask for 2"))
    async with desk.client() as client:
        seen = (await client.get(accepted["links"]["self"])).json()
    assert (seen["phase"], seen["revision"]) == ("withdrawn", None)
    assert seen["operation"]["reason"] == {"code": "unresolvable", "message": "there is no 99", "hint": "ask for 2"}


async def test_an_installation_that_is_not_there_is_not_found(desk: Desk) -> None:
    async with desk.client() as client:
        answer = await client.get(f"{LIST}/{uuid4()}")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


async def test_lists_go_page_by_page(desk: Desk) -> None:
    made = {(await install(desk, tenant=f"t{number}"))["id"] for number in range(5)}
    seen: list[str] = []
    url: str | None = f"{LIST}?limit=2"
    async with desk.client() as client:
        while url:
            answer = await client.get(url)
            seen += [one["id"] for one in answer.json()["items"]]
            url = answer.links.get("next", {}).get("url")
    assert (len(seen), set(seen)) == (5, made)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        pytest.param({}, 3, id="all"),
        pytest.param({"tenant": "acme"}, 2, id="of a tenant"),
        pytest.param({"environment": "prod"}, 1, id="of an environment"),
        pytest.param({"tenant": "acme", "environment": "prod"}, 1, id="of both"),
        pytest.param({"phase": "requested"}, 2, id="in a phase"),
        pytest.param({"tenant": "nobody"}, 0, id="of nobody"),
    ],
)
async def test_lists_are_filtered(desk: Desk, query: dict[str, str], count: int) -> None:
    await install(desk, tenant="acme")
    await install(desk, tenant="acme", environment="prod")
    other = await install(desk, tenant="other")
    desk.record.succeed(UUID(other["operation"]))
    async with desk.client() as client:
        assert len((await client.get(LIST, params=query)).json()["items"]) == count


@pytest.mark.parametrize(
    ("query", "field"),
    [
        pytest.param("limt=3", "limt", id="a name that is not known"),
        pytest.param("limit=0", "limit", id="no limit"),
        pytest.param("limit=1000", "limit", id="a limit that is too large"),
        pytest.param("phase=done", "phase", id="a phase there is not"),
        pytest.param("after=x", "after", id="a cursor that is none"),
        pytest.param("tenant=A%20B", "tenant", id="a tenant that is none"),
        pytest.param("environment=qa", "environment", id="an environment there is not"),
    ],
)
async def test_a_query_is_refused_for(desk: Desk, query: str, field: str) -> None:
    async with desk.client() as client:
        answer = await client.get(f"{LIST}?{query}")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_an_installed_plugin_is_taken_away(desk: Desk) -> None:
    accepted = await install(desk)
    desk.record.succeed(UUID(accepted["operation"]))
    async with desk.client() as client:
        answer = await client.delete(accepted["links"]["self"], params={"dropData": "true"})
        seen = (await client.get(accepted["links"]["self"])).json()
    assert (answer.status_code, answer.json()["status"]) == (202, "requested")
    assert seen["operation"]["verb"] == "uninstall"
    (_, asked) = desk.record.asked.values()
    assert asked.view.wish.drop_data
    assert desk.started[-1] == UUID(answer.json()["operation"])


async def test_what_is_not_installed_cannot_be_taken_away(desk: Desk) -> None:
    accepted = await install(desk)
    desk.record.withdraw(UUID(accepted["operation"]), Reason("unresolvable", "no"))
    async with desk.client() as client:
        answer = await client.delete(accepted["links"]["self"])
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:plugin-pipeline:problem:not-installed")


async def test_logs_are_streamed_as_text(desk: Desk) -> None:
    accepted = await install(desk)
    async with desk.client() as client:
        answer = await client.get(accepted["links"]["logs"], params={"tail": 1})
    assert (answer.text, answer.headers["content-type"]) == ("ready\n", "text/plain; charset=utf-8")


async def test_no_logs_are_an_empty_answer(desk: Desk) -> None:
    desk.lines = ()
    accepted = await install(desk)
    async with desk.client() as client:
        answer = await client.get(accepted["links"]["logs"])
    assert (answer.status_code, answer.text) == (200, "")


async def test_logs_that_cannot_be_read_are_a_problem(desk: Desk) -> None:
    desk.logs_are_away = Refused("the cluster said no")
    accepted = await install(desk)
    async with desk.client() as client:
        answer = await client.get(accepted["links"]["logs"])
    assert (answer.status_code, answer.json()["detail"]) == (502, "the cluster said no")


async def test_a_record_that_does_not_answer_is_said_and_may_be_asked_again(desk: Desk) -> None:
    desk.record.broken = Transient("the database did not answer", "see whether it runs", 2.5)
    async with desk.client() as client:
        answer = await client.post(INSTALL, json=make_body())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
    assert answer.json()["hint"] == "see whether it runs"


async def test_a_tenant_never_sees_another(desk: Desk) -> None:
    theirs = await install(desk, tenant="other")
    desk.record.succeed(UUID(theirs["operation"]))
    mine = bearer(tenants=["acme"], roles=["developer"])
    async with desk.client(mine) as client:
        seen = [await client.get(theirs["links"][name]) for name in ("self", "logs")]
        seen.append(await client.delete(theirs["links"]["self"]))
        lists = [(await client.get(LIST, params=query)).json()["items"] for query in ({}, {"tenant": "other"})]
        plugins = (await client.get("/api/v1/plugins")).json()["items"]
        counts = (await client.get("/api/v1/status")).json()["counts"]
    assert [answer.status_code for answer in seen] == [404, 404, 404]
    assert (lists, plugins) == ([[], []], [])
    assert counts == {"installations": {}, "operations": None}
    assert [one.view.phase for one in desk.record.asked.values()] == [Phase.SUCCEEDED]


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        pytest.param({"tenants": ["acme"], "roles": ["viewer"]}, 403, id="a viewer may not"),
        pytest.param({"tenants": ["acme"], "roles": ["approver", "security"]}, 403, id="an approver may not"),
        pytest.param({"tenants": ["acme"], "roles": []}, 403, id="nobody may not"),
        pytest.param({"tenants": ["other"], "roles": ["developer"]}, 403, id="a developer of another tenant may not"),
        pytest.param({"tenants": [], "roles": ["developer"]}, 403, id="a developer of no tenant may not"),
        pytest.param({"tenants": ["acme"], "roles": ["developer"]}, 202, id="a developer may"),
        pytest.param({"tenants": "*", "roles": ["developer"]}, 202, id="a developer of all tenants may"),
        pytest.param({"tenants": [], "roles": ["admin"]}, 202, id="an admin may"),
    ],
)
async def test_installing_for_acme(desk: Desk, claims: dict[str, Any], status: int) -> None:
    async with desk.client(bearer(**claims)) as client:
        answer = await client.post(INSTALL, json=make_body(tenant="acme"))
    assert answer.status_code == status
    assert ("insufficient_scope" in answer.headers.get("www-authenticate", "")) == (status == 403)
    assert len(desk.record.asked) == (status == 202)


async def test_a_viewer_reads_and_does_not_remove(desk: Desk) -> None:
    accepted = await install(desk, tenant="acme")
    desk.record.succeed(UUID(accepted["operation"]))
    async with desk.client(bearer(tenants=["acme"], roles=["viewer"])) as client:
        read, removed = await client.get(accepted["links"]["self"]), await client.delete(accepted["links"]["self"])
    assert (read.status_code, removed.status_code) == (200, 403)


async def test_a_token_without_a_role_reads_nothing(desk: Desk) -> None:
    async with desk.client(bearer(roles=[])) as client:
        answers = [await client.get(path) for path in (LIST, "/api/v1/plugins", "/api/v1/status")]
    assert [answer.status_code for answer in answers] == [403, 403, 403]


async def test_the_actor_is_who_the_token_names(desk: Desk) -> None:
    async with desk.client(bearer(sub="bob")) as client:
        accepted = (await client.post(INSTALL, json=make_body())).json()
    assert desk.record.asked[UUID(accepted["operation"])].view.actor == "bob"


async def test_an_earlier_operation_can_still_be_seen_on_its_own_installation_alone(desk: Desk) -> None:
    first = await install(desk)
    desk.record.withdraw(UUID(first["operation"]), Reason("unresolvable", "no"))
    await install(desk)
    other = await install(desk, tenant="other")
    async with desk.client() as client:
        seen = await client.get(f"{LIST}/{first['id']}/operations/{first['operation']}")
        missing = [
            await client.get(f"{LIST}/{installation}/operations/{operation}")
            for installation, operation in ((other["id"], first["operation"]), (first["id"], str(uuid4())))
        ]
    assert (seen.status_code, seen.json()["phase"]) == (200, "withdrawn")
    assert [answer.status_code for answer in missing] == [404, 404]


async def test_health_is_unknown_until_somebody_has_asked(desk: Desk) -> None:
    accepted = await install(desk)
    async with desk.client() as client:

        async def read() -> dict[str, Any]:
            told: dict[str, Any] = (await client.get(accepted["links"]["health"])).json()
            return told

        assert (await read())["message"] == "nothing serves here, or it is disabled"
        desk.record.succeed(UUID(accepted["operation"]))
        assert (await read())["message"] == "nobody has asked yet"
        desk.record.check(UUID(accepted["id"]), judge_answer(1_700_000_000_000, "/ready", 200))
        told = await read()
        assert (await client.get(accepted["links"]["self"])).json()["health"] == told
    at = "2023-11-14T22:13:20Z"
    assert told | {"since": at, "checkedAt": at} == told
    assert (told["status"], told["failures"], told["tried"], told["message"]) == ("healthy", 0, "nothing", "/ready answered 200")


async def test_health_of_another_tenant_is_not_there(desk: Desk) -> None:
    accepted = await install(desk, tenant="other")
    async with desk.client(bearer(tenants=["acme"], roles=["viewer"])) as client:
        assert (await client.get(accepted["links"]["health"])).status_code == 404


async def test_a_report_tells_the_story(desk: Desk) -> None:
    accepted = await install(desk)
    desk.record.withdraw(UUID(accepted["operation"]), Reason("unresolvable", "there is no 99", "ask for 2"))
    async with desk.client() as client:
        answer = await client.get(accepted["links"]["report"])
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    assert "**unresolvable**: there is no 99" in answer.text
    assert f"http://api.test{accepted['links']['self']}" in answer.text


async def test_a_report_of_results_that_nobody_can_read_says_so(desk: Desk) -> None:
    accepted = await install(desk)
    desk.record.tell(UUID(accepted["operation"]), "resolve", Kind.INTENDED)
    desk.record.tell(UUID(accepted["operation"]), "resolve", Kind.DONE, '{"of": "another release"}')
    async with desk.client() as client:
        answer = await client.get(accepted["links"]["report"])
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:plugin-pipeline:problem:unreadable-result")


async def test_who_answers_people_is_shown_where_it_is_asked_for_and_known(desk: Desk) -> None:
    accepted = await install(desk)
    desk.sides = (Side(1, 75, 4, 4), Side(2, 25, 1, 2))
    async with desk.client() as client:
        unasked = (await client.get(accepted["links"]["self"])).json()
        seen = (await client.get(accepted["links"]["self"], params={"traffic": "true"})).json()
        desk.logs_are_away = Transient("the cluster does not answer")
        unknown = await client.get(accepted["links"]["self"], params={"traffic": "true"})
    assert seen["traffic"] == [
        {"revision": 1, "weight": 75, "ready": 4, "replicas": 4},
        {"revision": 2, "weight": 25, "ready": 1, "replicas": 2},
    ]
    assert (unasked["traffic"], unknown.status_code, unknown.json()["traffic"]) == (None, 200, None)
