"""How the whole stands."""

import asyncio
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import httpx
import pytest

from blocks.domain.errors import Refused, Transient
from deployments.api import probes
from deployments.api.probes import ask_component, page_probe, record_probe
from tests.deployments.builders import Desk, make_body


async def test_status_says_what_answers_and_how_much_there_is() -> None:
    desk = Desk()
    async with desk.client() as client:
        await client.post("/api/v1/plugins/install", json=make_body())
        told = (await client.get("/api/v1/status")).json()
    assert (told["status"], told["components"]) == ("ok", [{"name": "database", "reachable": True, "message": "answers"}])
    assert told["counts"] == {"installations": {"requested": 1}, "operations": {"install": {"requested": 1}}}
    assert set(told["versions"]) == {"pluginPipeline", "prefect", "python"}


async def test_status_answers_without_the_database_and_does_not_call_that_zero() -> None:
    desk = Desk()
    desk.record.broken = Transient("the database did not answer", "see whether it runs")
    async with desk.client() as client:
        answer = await client.get("/api/v1/status")
    told = answer.json()
    assert (answer.status_code, told["status"], told["counts"]) == (200, "degraded", None)
    assert told["components"][0]["message"] == "the database did not answer (see whether it runs)"


async def refuse() -> str:
    """A component that says no."""
    raise Refused("no", "ask somebody")


async def hang() -> str:
    """A component that never answers."""
    await asyncio.Event().wait()
    return "never"


async def test_no_answer_in_time_is_a_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "PATIENCE", 0.01)
    answered = await ask_component("slow", hang)
    assert (answered.reachable, answered.message) == (False, "no answer within 0 seconds")


async def test_a_no_is_a_no() -> None:
    answered = await ask_component("strict", refuse)
    assert (answered.reachable, answered.message) == (False, "no (ask somebody)")


async def test_the_database_answers_when_its_tables_do() -> None:
    assert await record_probe(Desk().record)() == "answers"


class Page(BaseHTTPRequestHandler):
    """A page that answers with the status that its path names."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(int(self.path[1:]))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def page() -> Iterator[str]:
    """The address of a real server on this machine."""
    server = HTTPServer(("127.0.0.1", 0), Page)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("status", [200, 401, 404])
async def test_a_page_that_answers_is_there(page: str, status: int) -> None:
    assert await page_probe(f"{page}/{status}", httpx.AsyncClient)() == "answers"


@pytest.mark.parametrize("status", [500, 503])
async def test_a_page_that_breaks_is_not(page: str, status: int) -> None:
    with pytest.raises(Transient, match=str(status)):
        await page_probe(f"{page}/{status}", httpx.AsyncClient)()


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://[", "nonsense"])
async def test_a_page_that_is_not_reached_is_not(url: str) -> None:
    with pytest.raises(Transient, match="no answer"):
        await page_probe(url, httpx.AsyncClient)()
