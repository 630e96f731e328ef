"""What is refused at the door, and how it is said: always application/problem+json, and nothing is begun."""

import asyncio
import copy
import json
from collections.abc import AsyncIterator, MutableMapping
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from blocks.domain.errors import Transient
from blocks.domain.status import InstallationView
from deployments.api import strictness
from deployments.api.guard import OPEN
from deployments.api.strictness import DEEPEST, LARGEST, Malformed, check_json
from tests.deployments.builders import Desk, bearer, make_body, read_cases

INSTALL = "/api/v1/plugins/install"
AS_JSON = {"Content-Type": "application/json"}


@pytest.fixture
def desk() -> Desk:
    """The API on an empty record in memory."""
    return Desk()


def assert_problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    """It is a whole problem of this status; returns it."""
    told: dict[str, Any] = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    assert told["status"] == status
    assert told["type"].startswith("urn:plugin-pipeline:problem:")
    assert told["title"]
    assert told["detail"]
    assert told["instance"] == answer.request.url.path
    assert "Traceback" not in answer.text
    return told


@pytest.mark.parametrize("case", read_cases("bodies.json"), ids=lambda case: case["rule"])
async def test_a_body(desk: Desk, case: dict[str, Any]) -> None:
    async with desk.client() as client:
        answer = await client.post(INSTALL, content=case["body"].encode(), headers=AS_JSON)
    assert case["says"] in assert_problem(answer, case["status"])["detail"]
    assert desk.record.asked == {}


@pytest.mark.parametrize("case", read_cases("fields.json"), ids=lambda case: case["rule"])
async def test_a_field(desk: Desk, case: dict[str, Any]) -> None:
    body = copy.deepcopy(make_body())
    (*path, last), value = case["change"]
    inner: Any = body
    for name in path:
        inner = inner[name]
    inner.pop(last, None)
    if value is not None:
        inner[last] = value
    async with desk.client() as client:
        answer = await client.post(INSTALL, json=body)
    problem = assert_problem(answer, 422)
    fields = {error["field"]: error.get("hint", "") for error in problem["errors"]}
    assert case["field"] in fields
    assert case.get("hint", "") in fields[case["field"]]
    assert desk.record.asked == {}


async def test_every_wrong_field_is_named_at_once(desk: Desk) -> None:
    async with desk.client() as client:
        answer = await client.post(INSTALL, json=make_body(tenant="A B", replicas=99, colour="red"))
    assert {error["field"] for error in assert_problem(answer, 422)["errors"]} == {"tenant", "replicas", "colour"}


async def test_what_was_sent_is_not_repeated(desk: Desk) -> None:
    async with desk.client() as client:
        answer = await client.post(INSTALL, json=make_body(tenant="hunter2 is my password"))
    assert "hunter2" not in answer.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({}, 415, id="without a type"),
        pytest.param({"Content-Type": "text/plain"}, 415, id="as text"),
        pytest.param({"Content-Type": "application/x-www-form-urlencoded"}, 415, id="as a form"),
        pytest.param({"Content-Type": "application/json; charset=latin-1"}, 415, id="in another character set"),
        pytest.param(AS_JSON | {"Content-Encoding": "gzip"}, 415, id="compressed"),
        pytest.param({"Content-Type": "application/json; charset=UTF-8"}, 202, id="with its character set named"),
    ],
)
async def test_a_body_sent(desk: Desk, headers: dict[str, str], status: int) -> None:
    async with desk.client() as client:
        answer = await client.post(INSTALL, content=json.dumps(make_body()).encode(), headers=headers)
    assert answer.status_code == status
    assert len(desk.record.asked) == (status == 202)


async def test_a_body_that_is_too_large_is_refused(desk: Desk) -> None:
    async with desk.client() as client:
        answer = await client.post(INSTALL, content=b" " * (LARGEST + 1), headers=AS_JSON)
    assert_problem(answer, 413)


async def test_a_body_that_does_not_say_its_size_is_refused_when_it_grows_too_large(desk: Desk) -> None:
    async def grow() -> Any:
        for _ in range(17):
            yield b" " * (LARGEST // 16)

    async with desk.client() as client:
        answer = await client.post(INSTALL, content=grow(), headers=AS_JSON)
    assert_problem(answer, 413)


@pytest.mark.parametrize("depth", [900, 5_000, 200_000])
def test_a_deep_body_is_refused(depth: int) -> None:
    with pytest.raises(Malformed, match="deeper"):
        check_json(b"[" * depth + b"]" * depth)


def test_a_body_is_read_down_to_the_deepest_level_and_no_further() -> None:
    check_json(b"[" * DEEPEST + b"]" * DEEPEST)
    with pytest.raises(Malformed):
        check_json(b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1))


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("GET", "/", 404, id="the root is not there"),
        pytest.param("GET", "/nope", 404, id="an unknown page is not there"),
        pytest.param("GET", "/api/v1/nope", 404, id="an unknown resource is not there"),
        pytest.param("GET", "/api/v1/installations/", 404, id="a slash too many is not there"),
        pytest.param("GET", INSTALL, 405, id="installing is not read"),
        pytest.param("DELETE", "/api/v1/plugins", 405, id="plugins are not deleted"),
        pytest.param("PUT", "/api/v1/installations", 415, id="a body of no type is refused first"),
        pytest.param("GET", "/api/v1/installations/not-an-id", 422, id="an id that is none is named"),
        pytest.param("GET", "/redoc", 404, id="there is one description"),
    ],
)
async def test_a_route(desk: Desk, method: str, path: str, status: int) -> None:
    async with desk.client() as client:
        answer = await client.request(method, path)
    assert_problem(answer, status)
    assert ("allow" in answer.headers) == (status == 405)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param([], id="no token"),
        pytest.param([("Authorization", "Bearer")], id="an empty token"),
        pytest.param([("Authorization", "Basic YTpi")], id="a password"),
        pytest.param([("Authorization", "Bearer x.y.z")], id="what is no token"),
        pytest.param([*bearer().items(), *bearer().items()], id="two tokens"),
    ],
)
@pytest.mark.parametrize(
    "path", ["/api", "/api/v1/installations", "/api/v1/plugins", "/api/v1/status", "/api/v1/nope", "/api/docs/x"]
)
async def test_below_api_nothing_is_reached_with(desk: Desk, given: list[tuple[str, str]], path: str) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(desk.app()), base_url="http://api.test") as client:
        answer = await client.get(path, headers=given)
    assert_problem(answer, 401)
    assert answer.headers["www-authenticate"].startswith("Bearer ")


@pytest.mark.parametrize("path", sorted(OPEN))
async def test_the_description_is_open(desk: Desk, path: str) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(desk.app()), base_url="http://api.test") as client:
        assert (await client.get(path)).status_code == 200


async def test_what_nobody_foresaw_is_a_problem_without_its_details(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def explode() -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(desk.record, "counts", explode)
    async with desk.client() as client:
        answer = await client.get("/api/v1/status", headers={"X-Request-ID": "req-7"})
    told = assert_problem(answer, 500)
    assert "secret" not in answer.text
    assert "req-7" in told["hint"]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["npm", "folder", "1Gi", "100m", "http"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(max_size=8) | st.sampled_from([*make_body(), "source", "config", "type", "name", "egress"]), inner, max_size=5
        )
    ),
    max_leaves=20,
)
CHANGED = st.builds(
    lambda field, value: make_body(**{field: value}),
    st.sampled_from(["plugin", "source", "config", "egress", "secretRefs", "tenant", "options"]),
    JSON,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=(JSON | CHANGED).map(lambda value: json.dumps(value).encode()) | st.binary(max_size=64))
@example(body=b'{"plugin":{"name":"a","runtime":{"type":"frontend"}},"config":{"\\u0000":"\\u0000"}}')
async def test_no_body_at_all_breaks_the_api(body: bytes) -> None:
    desk = Desk()
    async with desk.client() as client:
        answer = await client.post(INSTALL, content=body, headers=AS_JSON)
    assert answer.status_code in (202, 400, 413, 422)
    assert len(desk.record.asked) == (answer.status_code == 202)


@settings(max_examples=60, deadline=None)
@given(
    path=st.text(max_size=30), query=st.text(max_size=30), method=st.sampled_from(["GET", "DELETE", "HEAD", "OPTIONS", "PATCH"])
)
async def test_no_address_breaks_the_api(path: str, query: str, method: str) -> None:
    url = f"/api/v1/installations/{quote(path)}?{quote(query)}"
    async with Desk().client() as client:
        answer = await client.request(method, url)
    assert answer.status_code in (200, 404, 405, 415, 422)


async def send_raw(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the API says to a client that sends these messages and then nothing more."""
    sent: list[dict[str, Any]] = []
    waiting = iter(messages)

    async def receive() -> dict[str, Any]:
        message = next(waiting, None)
        if message is None:
            await asyncio.Event().wait()
        return message or {}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(dict(message))

    headers = [(name.lower().encode(), value.encode()) for name, value in (bearer() | AS_JSON).items()]
    scope = {
        "type": "http",
        "method": "POST",
        "path": INSTALL,
        "raw_path": INSTALL.encode(),
        "query_string": b"",
        "headers": headers,
    }
    await Desk().app()(
        scope | {"http_version": "1.1", "scheme": "http", "root_path": "", "server": ("api.test", 80)}, receive, send
    )
    return sent


async def test_a_body_that_never_ends_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strictness, "SECONDS_TO_SEND", 0.01)
    start, *_ = await send_raw([{"type": "http.request", "body": b"{", "more_body": True}])
    assert start["status"] == 408


async def test_a_client_that_goes_away_is_not_answered() -> None:
    assert await send_raw([{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]) == []


async def test_an_answer_that_breaks_off_is_not_ended_as_if_it_were_whole(desk: Desk) -> None:
    async def break_off(_: InstallationView, __: int) -> AsyncIterator[str]:
        yield "line 1\n"
        raise Transient("the cluster is gone")

    desk.logs = break_off  # type: ignore[assignment,method-assign]
    async with desk.client() as client:
        accepted = (await client.post(INSTALL, json=make_body())).json()
    transport = httpx.ASGITransport(desk.app())
    async with httpx.AsyncClient(transport=transport, base_url="http://api.test", headers=bearer()) as client:
        with pytest.raises(RuntimeError, match="already started"):
            await client.get(accepted["links"]["logs"])
