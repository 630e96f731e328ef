"""One question, one number: of the world's Prometheus, of the one in memory, and of servers that misbehave."""

import asyncio
import json
import math
import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from blocks.domain.errors import Refused, Transient, Unreachable
from blocks.ports.metrics import Metrics
from blocks.prometheus import MOST, open_prometheus
from tests.fakes.metrics import MemoryMetrics

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

NOW = float(int(time.time()))
NOT_A_NUMBER, NOTHING, SEVERAL, MALFORMED = "vector(0) / 0", "vector(1) > 2", 'vector(1) or absent(x{a="b"})', "sum("
NO_NUMBER = "vector(1)[5m:1m]"


@pytest.fixture(params=["memory", pytest.param("world", marks=pytest.mark.world)])
async def metrics(request: pytest.FixtureRequest) -> AsyncIterator[Metrics]:
    """One in memory that was told the answers, and the real one, which knows them."""
    if request.param == "world":
        async with open_prometheus(request.getfixturevalue("world").prometheus_url) as opened:
            yield opened
        return
    memory = MemoryMetrics()
    memory.says |= {"vector(1.5)": lambda _: 1.5, "time()": lambda at: at, "vector(time())": lambda at: at}
    memory.says |= {NOT_A_NUMBER: lambda _: math.nan, NOTHING: lambda _: None}
    memory.says |= {one: Refused(f"no: {one}") for one in (SEVERAL, MALFORMED, NO_NUMBER)}
    yield memory


@pytest.mark.parametrize(
    ("query", "number"),
    [
        pytest.param("vector(1.5)", 1.5, id="one series"),
        pytest.param("time()", NOW - 60, id="a number without a series"),
        pytest.param("vector(time())", NOW - 60, id="what was then"),
        pytest.param(NOTHING, None, id="no series"),
    ],
)
async def test_the_answer_is(metrics: Metrics, query: str, number: float | None) -> None:
    assert await metrics.ask(query, NOW - 60) == number


async def test_not_a_number_is_a_number_too(metrics: Metrics) -> None:
    assert math.isnan(await metrics.ask(NOT_A_NUMBER, NOW) or 0)


@pytest.mark.parametrize(
    "query",
    [
        pytest.param(SEVERAL, id="two series"),
        pytest.param(NO_NUMBER, id="a range"),
        pytest.param(MALFORMED, id="what is no query"),
    ],
)
async def test_a_query_is_refused_that_is(metrics: Metrics, query: str) -> None:
    with pytest.raises(Refused):
        await metrics.ask(query, NOW)


async def answer(request: web.Request) -> web.StreamResponse:
    """Answer as the query says: a status and a text; some words misbehave."""
    query = request.query["query"]
    if query == "cut":
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b'{"status"')
        assert request.transport is not None
        request.transport.abort()
        return response
    if query == "endless":
        return web.Response(text="x" * (MOST + 10))
    if query == "asked":
        value = [float(request.query["time"]), request.query["time"]]
        return web.json_response({"data": {"resultType": "scalar", "result": value}})
    status, _, text = query.partition(" ")
    return web.Response(status=int(status), text=text)


@pytest.fixture
async def server() -> AsyncIterator[str]:
    """A server of this test's own, below a path."""
    application = web.Application()
    application.router.add_get("/behind/api/v1/query", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    yield f"http://me:hunter2@{host}:{port}/behind"
    await runner.cleanup()


SAYS_WHY = json.dumps({"status": "error", "errorType": "bad_data", "error": "parse error: unclosed left parenthesis"})


@pytest.mark.parametrize(
    ("query", "error", "said"),
    [
        pytest.param("cut", Unreachable, "does not answer", id="half an answer"),
        pytest.param("500 oops", Unreachable, "failed with 500", id="an error of its own"),
        pytest.param(f"503 {SAYS_WHY}", Unreachable, "failed with 503", id="a query that took too long"),
        pytest.param("429 slow down", Unreachable, "failed with 429", id="too many questions"),
        pytest.param(f"400 {SAYS_WHY}", Refused, "unclosed left parenthesis", id="no query, in its own words"),
        pytest.param(f"422 {SAYS_WHY}", Refused, "unclosed left parenthesis", id="no answer to be had, in its own words"),
        pytest.param("400 what?", Refused, "refused the query: 400", id="no query, without words"),
        pytest.param("422 []", Refused, "refused the query: 422", id="no query, in other words"),
        pytest.param("401 who?", Refused, "answered 401", id="nobody it knows"),
        pytest.param("302 elsewhere", Refused, "answered 302", id="elsewhere"),
        pytest.param("200 <html>", Transient, "something that is no answer", id="a page"),
        pytest.param("200 {}", Transient, "something that is no answer", id="an empty object"),
        pytest.param("200 []", Transient, "something that is no answer", id="a list"),
        pytest.param(
            '200 {"data": {"resultType": "scalar", "result": []}}', Transient, "no answer", id="a number without a number"
        ),
        pytest.param("endless", Refused, "larger than", id="an answer without end"),
    ],
)
async def test_a_server_that_answers(server: str, query: str, error: type[Exception], said: str) -> None:
    async with open_prometheus(server) as opened:
        with pytest.raises(error, match=said) as raised:
            await opened.ask(query, NOW)
    assert type(raised.value) is error
    assert "hunter2" not in str(raised.value)


async def test_it_is_asked_as_of_the_instant_to_the_millisecond(server: str) -> None:
    async with open_prometheus(server) as opened:
        assert await opened.ask("asked", 1795281025.4426) == 1795281025.443


async def hear_out(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take everything, say nothing, and leave when the other does."""
    await reader.read()
    writer.close()


async def test_a_server_that_never_answers_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blocks.prometheus.SECONDS", 0.2)
    async with await asyncio.start_server(hear_out, "127.0.0.1", 0) as silent:
        port = silent.sockets[0].getsockname()[1]
        async with open_prometheus(f"http://127.0.0.1:{port}") as opened:
            with pytest.raises(Unreachable, match=f"does not answer at http://127.0.0.1:{port}"):
                await asyncio.wait_for(opened.ask("slow", NOW), 30)


async def test_a_closed_port_concludes_nothing() -> None:
    async with open_prometheus("http://127.0.0.1:1") as opened:
        with pytest.raises(Unreachable, match=r"does not answer at http://127\.0\.0\.1:1"):
            await asyncio.wait_for(opened.ask("time()", NOW), 30)
