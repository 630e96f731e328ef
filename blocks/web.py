"""Asking a plugin through the gateway, as a person's browser would."""

import asyncio
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx

from blocks.domain.errors import Transient
from blocks.ports.cluster import Reply

SECONDS = 10
# Bytes of an answer that are read at most: what says a release or how it is is short, and a plugin may say anything for ever.
MOST = 65_536


class GatewayWeb:
    """The gateway at one address; implements `blocks.ports.cluster.Web`."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def ask(self, host: str, path: str, headers: Mapping[str, str] | None = None) -> Reply:
        """What the host answers on the path to a request with these headers through the gateway, or `Transient` if there is no answer."""
        try:
            async with (
                asyncio.timeout(SECONDS),
                self._client.stream("GET", path, headers={**(headers or {}), "Host": host}) as response,
            ):
                return Reply(response.status_code, dict(response.headers), await read_text(response.aiter_bytes()))
        except (httpx.HTTPError, TimeoutError) as problem:
            where = f"http://{host}{path} through {self._client.base_url}"
            raise Transient(
                f"nothing answers at {where}: {problem or type(problem).__name__}", "see that the gateway runs"
            ) from problem


@asynccontextmanager
async def open_web(gateway_url: str, tls: ssl.SSLContext | None = None) -> AsyncIterator[GatewayWeb]:
    """The gateway at the address; no proxy of the environment comes in between, and no redirect is followed."""
    async with httpx.AsyncClient(base_url=gateway_url, trust_env=False, verify=tls or True, timeout=SECONDS) as client:
        yield GatewayWeb(client)


async def read_text(chunks: AsyncIterable[bytes]) -> str:
    """The begin of an answer, as much as is read at most."""
    body = b""
    async for chunk in chunks:
        body += chunk
        if len(body) > MOST:
            break
    return body[:MOST].decode(errors="replace")
