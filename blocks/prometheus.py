"""Asking Prometheus for one number, as of an instant of its history."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from blocks.domain.errors import Refused, Transient, Unreachable

SECONDS = 5
# Bytes of an answer that are read at most: one number is short, and a query may find a million series.
MOST = 1_000_000
# How it says that it does not understand a query, or cannot work it out.
OUR_FAULT = (httpx.codes.BAD_REQUEST, httpx.codes.UNPROCESSABLE_ENTITY)
ONE_NUMBER = "ask for one number, as with sum()"
HINT = "see that Prometheus runs and that PROMETHEUS_URL is its address"


class Prometheus:
    """One Prometheus server; implements `blocks.ports.metrics.Metrics`."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def ask(self, query: str, at: float) -> float | None:
        """The one number that the query comes to at the instant, or None where there is no series; not a number is a number too."""
        try:
            async with asyncio.timeout(SECONDS):
                status, text = await self._read({"query": query, "time": f"{at:.3f}", "timeout": f"{SECONDS}s"})
        except (httpx.HTTPError, TimeoutError) as problem:
            said = str(problem) or type(problem).__name__
            raise Unreachable(f"Prometheus does not answer at {self._where}: {said}", HINT) from problem
        return read_number(self._check(status, text))

    async def _read(self, asked: dict[str, str]) -> tuple[int, str]:
        body = b""
        async with self._client.stream("GET", "/api/v1/query", params=asked) as response:
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MOST:
                    raise Refused(f"the answer of Prometheus is larger than {MOST} bytes", ONE_NUMBER)
        return response.status_code, body.decode(errors="replace")

    def _check(self, status: int, text: str) -> str:
        """The text of a good answer; otherwise the error that says whether another try can help."""
        if status == httpx.codes.TOO_MANY_REQUESTS or status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise Unreachable(f"Prometheus at {self._where} failed with {status}", HINT)
        if status in OUR_FAULT:
            raise Refused(f"Prometheus refused the query: {read_error(text) or status}", "see the query")
        if status != httpx.codes.OK:
            raise Refused(f"{self._where} answered {status} to a query", HINT)
        return text

    @property
    def _where(self) -> str:
        return str(self._client.base_url.copy_with(userinfo=b""))


@asynccontextmanager
async def open_prometheus(url: str, tls: ssl.SSLContext | None = None) -> AsyncIterator[Prometheus]:
    """The server at the address; no proxy of the environment comes in between, and no redirect is followed."""
    async with httpx.AsyncClient(base_url=url, trust_env=False, verify=tls or True, timeout=SECONDS) as client:
        yield Prometheus(client)


def read_number(text: str) -> float | None:
    """The one number in an answer, or None where it has no series; `Refused` for several, `Transient` for what is no answer."""
    try:
        found = json.loads(text)["data"]
        kind, result = found["resultType"], found["result"]
        numbers = (
            [float(one["value"][1]) for one in result] if kind == "vector" else [float(result[1])] if kind == "scalar" else None
        )
    except (ValueError, KeyError, TypeError, IndexError) as problem:
        raise Transient("Prometheus answered a query with something that is no answer", "try again later") from problem
    if numbers is None or len(numbers) > 1:
        what = f"{len(numbers)} series" if numbers else f"a {kind}"
        raise Refused(f"the query comes to {what}, not to one number", ONE_NUMBER)
    return numbers[0] if numbers else None


def read_error(text: str) -> str:
    """Prometheus's own words on why it said no, or nothing."""
    try:
        return str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        return ""
