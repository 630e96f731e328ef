"""What a request leaves behind: its names, and one line."""

import json
import logging

import pytest

from blocks.domain.errors import Transient
from deployments.api.recorded import CURRENT, JsonLines
from tests.deployments.builders import Desk, make_body

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        pytest.param("req-1.A_b", True, id="a plain name is kept"),
        pytest.param("x" * 65, False, id="one that is too long is not"),
        pytest.param("a\tb", False, id="one that would break the log is not"),
        pytest.param("", False, id="none is made up for"),
    ],
)
async def test_the_request_id(given: str, kept: bool) -> None:  # noqa: FBT001 (a table)
    async with Desk().client() as client:
        answer = await client.get("/api/v1/status", headers={"X-Request-ID": given})
    assert (answer.headers["x-request-id"] == given) == kept
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("parent", "kept"),
    [
        pytest.param(f"00-{TRACE}-00f067aa0ba902b7-01", True, id="a trace goes on"),
        pytest.param(f"00-{TRACE}-0000000000000000-01", False, id="a span of nothing begins a trace"),
        pytest.param(f"ff-{TRACE}-00f067aa0ba902b7-01", False, id="an unknown version begins a trace"),
        pytest.param("nonsense", False, id="nonsense begins a trace"),
    ],
)
async def test_the_trace(parent: str, kept: bool) -> None:  # noqa: FBT001 (a table)
    async with Desk().client() as client:
        answer = await client.get("/api/v1/status", headers={"traceparent": parent})
    _, trace, span, flags = answer.headers["traceparent"].split("-")
    assert (trace == TRACE, flags == "01") == (kept, kept)
    assert span != "00f067aa0ba902b7"
    assert len(span) == 16


async def test_every_request_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "plugin-pipeline.access")
    async with Desk().client() as client:
        await client.get("/api/v1/status")
        await client.get("/api/v1/status", headers={"Authorization": "Bearer x"})
    lines = [vars(record) for record in caplog.records if record.name == "plugin-pipeline.access"]
    assert [(line["endpoint"], line["status"], line["subject"]) for line in lines] == [
        ("/api/v1/status", 200, "ann"),
        ("unmatched", 401, ""),
    ]
    assert not [line for line in lines if "Bearer" in str(line)]


async def test_what_happens_in_a_request_carries_its_name(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, lines = Desk(), JsonLines()
    desk.prefect_is_away = Transient("Prefect is away")
    told: list[str] = []
    # The handler is one for all tests of a run: left changed, it would hear nothing for those that follow.
    monkeypatch.setattr(caplog.handler, "emit", lambda record: told.append(lines.format(record)))
    async with desk.client() as client:
        await client.post("/api/v1/plugins/install", json=make_body(), headers={"X-Request-ID": "req-9"})
    (waits,) = [line for line in map(json.loads, told) if line["message"] == "operation waits"]
    assert (waits["request_id"], waits["reason"], waits["level"]) == ("req-9", "Prefect is away", "WARNING")
    assert CURRENT.get() is None


def test_an_error_is_told_in_one_line() -> None:
    with pytest.raises(ValueError, match="two") as raised:
        int("two\nlines")
    record = logging.LogRecord("x", logging.ERROR, "f", 1, "it broke", (), raised._excinfo)
    line = JsonLines().format(record)
    assert "\n" not in line
    assert "two\\nlines" in json.loads(line)["error"]
