"""What everybody hears who calls a disabled plugin."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import httpx
import pytest

from blocks.domain.asking import Wish
from blocks.domain.errors import Transient
from blocks.domain.journal import Phase
from blocks.domain.objects.closed import HEADER
from blocks.domain.status import InstallationView, OperationView
from deployments.closed import MOST, Closed

ID = UUID(int=7)
OPERATION = OperationView(
    id=UUID(int=8),
    installation=ID,
    verb="disable",
    phase=Phase.SUCCEEDED,
    actor="ann",
    attempt=1,
    flow_run="",
    reason=None,
    created_at=0,
    updated_at=0,
    wish=Wish("it leaks memory."),
)
SEEN = InstallationView(
    id=ID,
    tenant="t1",
    environment="dev",
    plugin="@a/b",
    slug="a-b",
    namespace="t1-dev",
    created_at=0,
    operation=OPERATION,
)
FOR_PROGRAMS = {HEADER: str(ID), "Accept": "application/json"}
FOR_BROWSERS = {HEADER: str(ID), "Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@dataclass
class Record:
    """A record with one installation, or one that is away; it counts how often it is asked."""

    seen: InstallationView | None = SEEN
    away: bool = False
    asked: int = 0

    async def look(self, _: UUID) -> InstallationView | None:
        """What stands there."""
        self.asked += 1
        if self.away:
            raise Transient("the database did not answer")
        return self.seen


async def call(closed: Closed, headers: Mapping[str, str], method: str = "GET", path: str = "/any/where") -> httpx.Response:
    """The answer to one request."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(closed), base_url="http://a-b.t1-dev.localhost") as client:
        return await client.request(method, path, headers=dict(headers))


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_whatever_is_asked_is_unavailable_for_now(method: str) -> None:
    answer = await call(Closed(Record().look), FOR_PROGRAMS, method)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "60"
    assert answer.headers["cache-control"] == "no-store"


async def test_programs_hear_who_disabled_it_and_why() -> None:
    answer = await call(Closed(Record().look), FOR_PROGRAMS)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:plugin-pipeline:problem:disabled",
        "title": "@a/b is disabled",
        "status": 503,
        "detail": "@a/b is switched off for t1 in dev, by ann: it leaks memory",
        "hint": "It answers again once somebody enables it",
    }


async def test_browsers_get_a_page_in_which_nothing_runs() -> None:
    nasty = replace(SEEN, operation=replace(OPERATION, wish=Wish("<script>alert(1)</script>")))
    answer = await call(Closed(Record(nasty).look), FOR_BROWSERS)
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "<h1>@a/b is disabled</h1>" in answer.text
    assert "by ann: &lt;script&gt;alert(1)&lt;/script&gt;." in answer.text


@pytest.mark.parametrize(
    ("record", "headers", "detail"),
    [
        pytest.param(Record(away=True), FOR_PROGRAMS, "What used to answer here is switched off", id="record away"),
        pytest.param(Record(None), FOR_PROGRAMS, "What used to answer here is switched off", id="never heard of"),
        pytest.param(Record(), {}, "What used to answer here is switched off", id="no word of the gateway"),
        pytest.param(Record(), {HEADER: "x"}, "What used to answer here is switched off", id="nonsense"),
        pytest.param(
            Record(replace(SEEN, operation=replace(OPERATION, verb="uninstall", actor="eve"))),
            FOR_PROGRAMS,
            "@a/b is switched off for t1 in dev",
            id="something came after it",
        ),
        pytest.param(
            Record(replace(SEEN, operation=replace(OPERATION, wish=Wish()))),
            FOR_PROGRAMS,
            "@a/b is switched off for t1 in dev, by ann",
            id="without a reason",
        ),
    ],
)
async def test_says_no_more_than_is_known(record: Record, headers: dict[str, str], detail: str) -> None:
    answer = await call(Closed(record.look), headers)
    assert (answer.status_code, answer.json()["detail"]) == (503, detail)


async def test_traffic_to_a_disabled_plugin_is_not_traffic_to_the_database() -> None:
    record = Record()
    closed = Closed(record.look)
    for _ in range(50):
        await call(closed, FOR_PROGRAMS)
    assert record.asked == 1


async def test_what_is_remembered_is_bounded() -> None:
    record = Record()
    closed = Closed(record.look)
    for number in range(MOST + 1):
        await call(closed, {HEADER: str(UUID(int=number))})
    await call(closed, {HEADER: str(UUID(int=0))})
    assert record.asked == MOST + 2


async def test_a_socket_is_refused_with_the_same_words() -> None:
    told: list[Mapping[str, Any]] = []

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message: Mapping[str, Any]) -> None:
        told.append(message)

    headers = [(name.lower().encode(), value.encode()) for name, value in FOR_PROGRAMS.items()]
    scope = {"type": "websocket", "path": "/socket", "headers": headers, "extensions": {"websocket.http.response": {}}}
    await Closed(Record().look)(scope, receive, send)
    assert told[0]["type"] == "websocket.http.response.start"
    assert told[0]["status"] == 503
    assert json.loads(told[1]["body"])["title"] == "@a/b is disabled"
