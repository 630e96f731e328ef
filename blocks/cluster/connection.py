"""One connection to one API server: requests and streams, patient with a busy server, and with errors of ours when it is away."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import aiohttp
from kubernetes.aio import client, config

from blocks.cluster.paths import Ask
from blocks.cluster.translate import BROKEN, FAILURE, TOO_MANY, Answer
from blocks.domain.errors import Refused, Transient

BRIEFLY = aiohttp.ClientTimeout(total=30, connect=5)
# The server is asked to end a stream after a minute, so a stream that is silent for longer has lost its server.
STREAM_SECONDS = 60
STREAMING = aiohttp.ClientTimeout(total=None, connect=5, sock_read=STREAM_SECONDS + 15)
TRIES = 5
LONGEST_WAIT = 30.0
AWAY = (aiohttp.ClientError, TimeoutError, OSError)


class Connection:
    """Requests to one API server; the address is for messages."""

    def __init__(self, api: client.ApiClient) -> None:
        self._api = api

    @property
    def address(self) -> str:
        """Where the API server is."""
        return str(self._api.configuration.host)

    async def ask(self, ask: Ask) -> Answer:
        """The answer, yes or no; a busy server is asked again when it says so, and one that is away raises `Transient`."""
        for _ in range(TRIES):
            answer = await self._ask_once(ask)
            if answer.status != TOO_MANY:
                break
            await asyncio.sleep(min(answer.retry_after, LONGEST_WAIT))
        if answer.status == TOO_MANY or answer.status >= BROKEN:
            raise Transient(f"the cluster at {self.address} cannot answer now: {answer.sentence}", "", answer.retry_after)
        return answer

    async def read_text(self, ask: Ask) -> str:
        """The body as text, or nothing where there is none."""
        async with self._send(ask, BRIEFLY) as response:
            return await response.text(errors="replace") if response.status < FAILURE else ""

    @asynccontextmanager
    async def stream(self, ask: Ask) -> AsyncIterator[aiohttp.ClientResponse]:
        """An answer whose body is still coming."""
        async with self._send(ask, STREAMING) as response:
            yield response

    async def _ask_once(self, ask: Ask) -> Answer:
        async with self._send(ask, BRIEFLY) as response:
            return await answer_of(response)

    @asynccontextmanager
    async def _send(self, ask: Ask, bounds: aiohttp.ClientTimeout) -> AsyncIterator[aiohttp.ClientResponse]:
        try:
            method, url, headers, body, _ = await self._api.param_serialize(
                ask.method,
                ask.path,
                query_params=[*ask.query.items()],
                header_params={"Content-Type": ask.content_type, "Accept": "application/json"},
                body=ask.body,
                auth_settings=["BearerToken"],
            )
            # The package says of itself that it is typed, and is not everywhere.
            rest: Any = self._api.rest_client
            sent = await rest.request(method, url, headers=headers, body=body, _request_timeout=bounds)
            async with sent.response as response:
                yield response
        except aiohttp.ClientSSLError as problem:
            raise Refused(
                f"the cluster at {self.address} is not the one that the kubeconfig trusts: {problem}", "take a fresh kubeconfig"
            ) from problem
        except AWAY as problem:
            why = str(problem) or type(problem).__name__
            raise Transient(f"the cluster at {self.address} does not answer: {why}", "see that the API server runs") from problem


@asynccontextmanager
async def open_connection(kubeconfig: Path | None) -> AsyncIterator[Connection]:
    """A connection as the kubeconfig says, or, without one, as a pod of the cluster; raises `Refused` if that cannot be read."""
    settings, loaders = client.Configuration(), cast("Any", config)
    try:
        if kubeconfig is None:
            loaders.load_incluster_config(client_configuration=settings)
        else:
            await loaders.load_kube_config(config_file=str(kubeconfig), client_configuration=settings, persist_config=False)
        api = client.ApiClient(settings)
    except (config.ConfigException, OSError) as problem:
        raise Refused(f"there is no usable access to a cluster: {problem}", "set KUBECONFIG to a kubeconfig file") from problem
    async with api:
        api.user_agent = "plugin-pipeline"
        yield Connection(api)


async def answer_of(response: aiohttp.ClientResponse) -> Answer:
    """The answer as it came; a body that is no JSON object is kept as its message."""
    text = await response.text(errors="replace")
    return Answer(response.status, _object(text), _seconds(response.headers.get("Retry-After", "")))


def _object(text: str) -> Mapping[str, Any]:
    try:
        body = json.loads(text)
    except ValueError:
        return {"message": text.strip()[:500]}
    return body if isinstance(body, dict) else {"message": text[:500]}


def _seconds(text: str) -> float:
    return float(text) if text.isdecimal() else 1.0
