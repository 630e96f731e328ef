"""Every request leaves one line in the log and one count in the metrics, and keeps its names: request id and traceparent."""

import json
import logging
import re
import secrets
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deployments.api.guard import OPEN
from deployments.api.problems import explain_crash

LOG = logging.getLogger("plugin-pipeline.access")
TRACE_PARENT = re.compile(r"00-(?P<trace>(?!0{32})[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-(?P<flags>[0-9a-f]{2})")
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
UNMATCHED = "unmatched"
# The request that is answered now, for every line that is logged meanwhile.
CURRENT: ContextVar[dict[str, str] | None] = ContextVar("CURRENT", default=None)
Count = Callable[["Served"], None]


@dataclass(frozen=True)
class Served:
    """One answered request; `endpoint` is the route's template and never the raw path, so that there are few of them."""

    endpoint: str
    method: str
    status: int
    seconds: float


class Recorded:
    """Logs and counts what the app answers, and answers for it when it breaks."""

    def __init__(self, app: ASGIApp, count: Count) -> None:
        self._app, self._count = app, count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request and record it."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        names = name_request(Headers(scope=scope))
        token, began, answer = CURRENT.set(names), perf_counter(), Answer(send, names)
        try:
            await self._answer(scope, receive, answer)
        finally:
            served = Served(endpoint_of(scope), scope["method"], answer.status, perf_counter() - began)
            self._count(served)
            LOG.info("request", extra={**vars(served), "path": scope["path"], "subject": _subject(scope)})
            CURRENT.reset(token)
        return None

    async def _answer(self, scope: Scope, receive: Receive, answer: "Answer") -> None:
        try:
            await self._app(scope, receive, answer)
        except Exception:
            LOG.exception("a request broke")
            if answer.status:
                raise  # the answer is on its way: only a broken connection can still say that it is not whole
            await explain_crash(scope["path"], answer.names["request_id"])(scope, receive, answer)


class Answer:
    """The way back to the caller: remembers the status and adds the request's names; status 0 means that none was sent."""

    def __init__(self, send: Send, names: dict[str, str]) -> None:
        self._send, self.names, self.status = send, names, 0

    async def __call__(self, message: Message) -> None:
        """Pass the message on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-ID"], headers["traceparent"] = self.names["request_id"], self.names["traceparent"]
            headers["X-Content-Type-Options"] = "nosniff"
            headers.setdefault("Cache-Control", "no-store")
        await self._send(message)


class JsonLines(logging.Formatter):
    """One JSON object a line, with what the caller gave as `extra` and the request that is being answered."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        line = {"at": self.formatTime(record), "level": record.levelname, "logger": record.name, "message": record.getMessage()}
        extra = {name: value for name, value in vars(record).items() if name not in _PLAIN}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line | (CURRENT.get() or {}) | extra, default=str)


def name_request(headers: Headers) -> dict[str, str]:
    """The request's id and trace: those it came with if they are well formed, new ones otherwise."""
    given = REQUEST_ID.fullmatch(headers.get("x-request-id", ""))
    parent = TRACE_PARENT.fullmatch(headers.get("traceparent", ""))
    trace, flags = (parent["trace"], parent["flags"]) if parent else (secrets.token_hex(16), "00")
    return {
        "request_id": given[0] if given else secrets.token_hex(8),
        "traceparent": f"00-{trace}-{secrets.token_hex(8)}-{flags}",
    }


def endpoint_of(scope: Scope) -> str:
    """The template of the route that answers, or `unmatched`."""
    return scope["path"] if scope["path"] in OPEN else str(getattr(scope.get("route"), "path", UNMATCHED))


def _subject(scope: Scope) -> str:
    caller: Any = scope.get("state", {}).get("caller")
    return caller.subject if caller else ""


_PLAIN = frozenset(vars(logging.LogRecord("", 0, "", 0, "", None, None))) | {"message", "asctime", "taskName", "color_message"}
