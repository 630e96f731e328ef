"""Answers that are not the API's."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest

from deployments.terminal.exits import ExitCode, Stop
from deployments.terminal.server import Server


def answering(status: int, **content: Any) -> Server:
    """A server behind an address where something answers so."""
    transport = httpx.MockTransport(lambda _: httpx.Response(status, **content))
    return Server(httpx.Client(base_url="http://somewhere.test", transport=transport))


@pytest.mark.parametrize(
    ("server", "code", "says"),
    [
        pytest.param(answering(502, text="<html>Bad Gateway</html>"), ExitCode.UNREACHABLE, "answered 502", id="a proxy's page"),
        pytest.param(answering(401, text="no"), ExitCode.NOT_ALLOWED, "answered 401", id="a proxy that wants a password"),
        pytest.param(answering(404, json=[]), ExitCode.NOT_FOUND, "answered 404", id="another service"),
        pytest.param(answering(418, json={"detail": "a teapot"}), ExitCode.WRONG_USE, "a teapot", id="a refusal nobody knows"),
        pytest.param(answering(200, text="hello"), ExitCode.UNREACHABLE, "does not understand", id="a page"),
        pytest.param(answering(200, json={"id": 1}), ExitCode.UNREACHABLE, "does not understand", id="another shape"),
        pytest.param(
            answering(302, headers={"Location": "/"}), ExitCode.UNREACHABLE, "does not understand", id="a way elsewhere"
        ),
    ],
)
def test_is_not_taken_for_an_installation(server: Server, code: ExitCode, says: str) -> None:
    with pytest.raises(Stop, match=says) as stopped:
        server.installation(UUID(int=1))
    assert stopped.value.code is code


def breaking(problem: Callable[[httpx.Request], Exception]) -> Server:
    """A server that breaks off."""

    def break_off(request: httpx.Request) -> httpx.Response:
        raise problem(request)

    return Server(httpx.Client(base_url="http://somewhere.test", transport=httpx.MockTransport(break_off)))


@pytest.mark.parametrize("kind", [httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.ConnectError])
def test_logs_that_break_off_are_not_whole(kind: type[httpx.TransportError]) -> None:
    with pytest.raises(Stop, match="broke off") as stopped:
        list(breaking(lambda _: kind("cut")).logs(UUID(int=1), 10))
    assert stopped.value.code is ExitCode.UNREACHABLE
