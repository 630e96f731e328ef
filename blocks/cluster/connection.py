"""One connection to one API server: requests and streams, patient with a busy server, and with errors of ours when it is away."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, cast

import aiohttp
from kubernetes.aio import client, config

from blocks.cluster.paths import Ask
from blocks.cluster.translate import FAILURE, TOO_MANY, Answer
from blocks.domain.errors import Refused, Unreachable

LONGEST_WAIT = 30.0
AWAY = (aiohttp.ClientError, TimeoutError, OSError)
# Awaited right before every write; it raises if the writer may write no more.
Fence: TypeAlias = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Bounds:
    """How long we wait for the server, in seconds: for a connection, for an answer, and between the tries of one request."""

    connect: float = 5
    answer: float = 30
    pauses: tuple[float, ...] = (0.2, 0.5, 1)
    # The server is asked to end a stream after so long, with a word; a stream that is silent for longer has lost its server.
    stream: int = 20
    silence: float = 30

    @property
    def briefly(self) -> aiohttp.ClientTimeout:
        """For a request and its answer."""
        return aiohttp.ClientTimeout(total=self.answer, connect=self.connect)

    @property
    def streaming(self) -> aiohttp.ClientTimeout:
        """For an answer that keeps coming."""
        return aiohttp.ClientTimeout(total=None, connect=self.connect, sock_read=self.silence)


class Unheard(Unreachable):
    """The server did nothing of what was asked, so anything may be asked again."""


class Connection:
    """Requests to one API server; the address is for messages."""

    def __init__(self, api: client.ApiClient, fence: Fence | None = None, bounds: Bounds | None = None) -> None:
        self._api, self._fence, self.bounds = api, fence, bounds or Bounds()

    @property
    def address(self) -> str:
        """Where the API server is."""
        return str(self._api.configuration.host)

    async def ask(self, ask: Ask) -> Answer:
        """The answer, yes or no; a server that cannot be seen raises `Unreachable` after a few tries.

        A busy server is asked again when it says so. A write whose answer was lost is not repeated here: it may have happened, and
        whoever wrote must look.
        """
        for pause in self.bounds.pauses:
            try:
                return await self._ask_once(ask)
            except Unreachable as problem:
                if not _may_be_repeated(ask, problem):
                    raise
                await asyncio.sleep(max(pause, min(problem.retry_after, LONGEST_WAIT)))
        return await self._ask_once(ask)

    async def write(self, ask: Ask) -> Answer | Unreachable:
        """The answer, or what went wrong when it was lost: the write may have happened, so whoever wrote looks again."""
        try:
            return await self.ask(ask)
        except Unheard:
            raise
        except Unreachable as problem:
            await asyncio.sleep(self.bounds.pauses[0])
            return problem

    async def read_text(self, ask: Ask) -> str:
        """The body as text, or nothing where there is none."""
        async with self._send(ask, self.bounds.briefly) as response:
            return await response.text(errors="replace") if response.status < FAILURE else ""

    @asynccontextmanager
    async def stream(self, ask: Ask) -> AsyncIterator[aiohttp.ClientResponse]:
        """An answer whose body is still coming."""
        async with self._send(ask, self.bounds.streaming) as response:
            yield response

    @asynccontextmanager
    async def visit(self, ask: Ask, headers: Mapping[str, str]) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer of somebody behind the server, as it came.

        No redirect is followed: it would be with our credentials, to wherever whoever answers likes.
        """
        rest: Any = self._api.rest_client
        try:
            method, url, own, _, _ = await self._serialize(ask)
            known = {"ssl": rest.ssl_context, "proxy": rest.proxy, "server_hostname": rest.configuration.tls_server_name or None}
            options: Any = {"timeout": self.bounds.briefly, "allow_redirects": False} | known
            async with (
                aiohttp.ClientSession(trust_env=True) as session,
                session.request(method, url, headers={**own, **headers}, **options) as response,
            ):
                yield response
        except AWAY as problem:
            raise _translated(problem, self.address) from problem

    async def _serialize(self, ask: Ask) -> Any:
        return await self._api.param_serialize(
            ask.method,
            ask.path,
            query_params=[*ask.query.items()],
            header_params={"Content-Type": ask.content_type, "Accept": "application/json"},
            body=ask.body,
            auth_settings=["BearerToken"],
        )

    async def _ask_once(self, ask: Ask) -> Answer:
        if self._fence and not ask.only_looks:
            await self._fence()
        async with self._send(ask, self.bounds.briefly) as response:
            answer = await answer_of(response)
        if answer.status == TOO_MANY:
            raise Unheard(f"the cluster at {self.address} is busy: {answer.sentence}", "", answer.retry_after)
        # Whatever stands between us and the server may answer in its place, with a page that is no object of the server's.
        if answer.is_trouble or (answer.ok and "kind" not in answer.body):
            raise Unreachable(f"the cluster at {self.address} cannot answer now: {answer.sentence}", "", answer.retry_after)
        return answer

    @asynccontextmanager
    async def _send(self, ask: Ask, bounds: aiohttp.ClientTimeout) -> AsyncIterator[aiohttp.ClientResponse]:
        try:
            method, url, headers, body, _ = await self._serialize(ask)
            # The package says of itself that it is typed, and is not everywhere.
            rest: Any = self._api.rest_client
            sent = await rest.request(method, url, headers=headers, body=body, _request_timeout=bounds)
            async with sent.response as response:
                yield response
        except AWAY as problem:
            raise _translated(problem, self.address) from problem


@asynccontextmanager
async def open_connection(
    kubeconfig: Path | None, fence: Fence | None = None, bounds: Bounds | None = None
) -> AsyncIterator[Connection]:
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
        yield Connection(api, fence, bounds)


async def answer_of(response: aiohttp.ClientResponse) -> Answer:
    """The answer as it came; a body that is no JSON object is kept as its message."""
    text = await response.text(errors="replace")
    return Answer(response.status, _object(text), _seconds(response.headers.get("Retry-After", "")))


def _may_be_repeated(ask: Ask, problem: Unreachable) -> bool:
    # Who has waited for an answer for as long as we do has been patient enough.
    return isinstance(problem, Unheard) or (ask.only_looks and not isinstance(problem.__cause__, TimeoutError))


def _translated(problem: Exception, address: str) -> Refused | Unreachable:
    why = str(problem) or type(problem).__name__
    if isinstance(problem, aiohttp.ClientConnectorCertificateError):
        return Refused(f"the cluster at {address} is not the one that the kubeconfig trusts: {why}", "take a fresh kubeconfig")
    never_sent = isinstance(problem, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
    kind = Unheard if never_sent and not isinstance(problem, TimeoutError) else Unreachable
    return kind(f"the cluster at {address} does not answer: {why}", "see that the API server runs")


def _object(text: str) -> Mapping[str, Any]:
    try:
        body = json.loads(text)
    except ValueError:
        return {"message": text.strip()[:500]}
    return body if isinstance(body, dict) else {"message": text[:500]}


def _seconds(text: str) -> float:
    return float(text) if text.isdecimal() else 0.0
