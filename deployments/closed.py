"""What everybody hears who calls a disabled plugin: 503, in words, as HTML for browsers and as problem+json for programs.

The gateway sends the plugin's host here (blocks/domain/objects/closed.py) and says in a header of its own which installation it was.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from html import escape
from time import monotonic
from uuid import UUID

from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from blocks.domain.errors import PipelineError
from blocks.domain.objects.closed import HEADER
from blocks.domain.status import InstallationView

Look = Callable[[UUID], Awaitable[InstallationView | None]]
RETRY_AFTER = "60"
# Seconds that an answer is remembered, and how many: traffic to a disabled plugin must not become traffic to the database.
REMEMBERED, MOST = 2.0, 1000
PAGE = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>"
    "<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:36em;margin:15vh auto;padding:0 1em}}</style>"
    "<h1>{title}</h1><p>{detail}.</p><p>{hint}.</p></html>"
)


@dataclass(frozen=True)
class Told:
    """What is said of one plugin, in the fields of RFC 9457."""

    title: str
    detail: str
    status: int = 503
    type: str = "urn:plugin-pipeline:problem:disabled"
    hint: str = "It answers again once somebody enables it"


UNKNOWN = Told("This plugin is disabled", "What used to answer here is switched off")


class Closed:
    """The application behind every disabled plugin's host; `look` finds an installation in the record."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._known: dict[UUID, tuple[float, Told]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer whatever is asked with the same 503."""
        asked = HTTPConnection(scope)
        answer = _answer(await self._tell(asked.headers.get(HEADER, "")), asked.headers.get("accept", ""))
        if scope["type"] == "websocket":
            await WebSocket(scope, receive, send).send_denial_response(answer)
        else:
            await answer(scope, receive, send)

    async def _tell(self, header: str) -> Told:
        try:
            installation = UUID(header)
        except ValueError:
            return UNKNOWN
        since, told = self._known.get(installation, (-REMEMBERED, UNKNOWN))
        if monotonic() - since < REMEMBERED:
            return told
        return await self._look_up(installation)

    async def _look_up(self, installation: UUID) -> Told:
        try:
            seen = await self._look(installation)
        except PipelineError:
            # That it is disabled is known without the record, because the gateway sent the request here.
            return UNKNOWN
        told = tell(seen) if seen else UNKNOWN
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[installation] = (monotonic(), told)
        return told


def tell(seen: InstallationView) -> Told:
    """Which plugin it is and, while nothing came after it, who disabled it and why."""
    title = f"{seen.plugin} is disabled"
    where = f"{seen.plugin} is switched off for {seen.tenant} in {seen.environment}"
    if seen.operation.verb != "disable":
        return Told(title, where)
    why = f": {seen.operation.wish.reason.rstrip('.')}" if seen.operation.wish.reason else ""
    return Told(title, f"{where}, by {seen.operation.actor}{why}")


def _answer(told: Told, accept: str) -> Response:
    headers = {"Retry-After": RETRY_AFTER, "Cache-Control": "no-store", "Vary": "Accept"}
    if "text/html" in accept:
        headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
        page = PAGE.format(**{name: escape(str(value)) for name, value in asdict(told).items()})
        return Response(page, told.status, headers, "text/html")
    return Response(json.dumps(asdict(told)), told.status, headers, "application/problem+json")
