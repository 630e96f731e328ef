"""What may enter as a body: I-JSON (RFC 7493) of bounded size and depth, so that all behind can canonicalise and store it.

Python's own parser takes more than JSON: NaN, two members of one name (the last wins in silence), lone surrogates, numbers that
no other program reads back. Each of those would fail later, in the middle of an installation.
"""

import asyncio
import json
import math
from collections import Counter
from email.message import Message
from http import HTTPStatus
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from blocks.domain.errors import Terminal
from deployments.api.problems import problem_response

LARGEST = 1024 * 1024
DEEPEST = 64
# RFC 8785 writes numbers as IEEE doubles: whole numbers beyond this cannot be told from their neighbours.
LARGEST_INTEGER = 2**53 - 1
SECONDS_TO_SEND = 30.0
# Document 001 sends its JSON by curl's `-d`, which names everything a form: below this path it is read as JSON all the same.
# A token is never a cookie here, so no page of somebody else's can send such a form for a person.
FORGIVING = "/api/v1/plugin-deployments"
FORM, JSON = b"application/x-www-form-urlencoded", b"application/json"
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


class Malformed(Terminal):
    """The body is not JSON as we read it."""

    code = "malformed-json"


class Unacceptable(Terminal):
    """The body is refused unread; `status` says why."""

    def __init__(self, status: HTTPStatus, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.args = (message, hint, status)

    @property
    def status(self) -> HTTPStatus:
        """The answer's status."""
        return HTTPStatus(self.args[2])


class StrictBodies:
    """Lets a request with a body through only if the body is strict JSON, and answers it otherwise."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read, check and hand on the body."""
        if scope["type"] != "http" or scope["method"] not in WITH_BODY:
            return await self._app(scope, receive, send)
        if scope["path"].startswith(FORGIVING):
            scope["headers"] = [
                (name, JSON if (name, value) == (b"content-type", FORM) else value) for name, value in scope["headers"]
            ]
        try:
            check_headers(Headers(scope=scope))
            body = await _read_body(receive)
            if body:
                check_json(body)
        except Unacceptable as refused:
            code = refused.status.phrase.lower().replace(" ", "-")
            return await problem_response(scope["path"], refused.status, code, refused)(scope, receive, send)
        except Malformed as refused:
            return await problem_response(scope["path"], HTTPStatus.BAD_REQUEST, refused.code, refused)(scope, receive, send)
        if body is not None:
            await self._app(scope, _replay(body, receive), send)
        return None


def check_headers(headers: Headers) -> None:
    """Nothing if the headers announce plain JSON of bounded size, or `Unacceptable`."""
    sent = Message()
    sent["content-type"] = headers.get("content-type", "")
    kind, charset = sent.get_content_type(), str(sent.get_param("charset", "utf-8")).lower()
    if "content-type" not in headers or kind != "application/json" or charset not in {"utf-8", "utf8"}:
        raise Unacceptable(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the body must be JSON in UTF-8", "send Content-Type: application/json"
        )
    if headers.get("content-encoding", "identity") != "identity":
        raise Unacceptable(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "a compressed body is not read", "send it without Content-Encoding")
    if headers.get("content-length", "0").isdecimal() and int(headers.get("content-length", "0")) > LARGEST:
        raise _too_large()


def check_json(raw: bytes) -> None:
    """Nothing if the text is I-JSON of bounded depth, or `Malformed` with the place or the reason."""
    try:
        value = json.loads(
            raw.decode(),
            parse_constant=_refuse_constant,
            parse_float=_refuse_infinite,
            parse_int=_refuse_large,
            object_pairs_hook=_refuse_duplicates,
        )
        json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as problem:
        raise Malformed(f"the body is not JSON: {problem.msg} at line {problem.lineno} column {problem.colno}") from problem
    except UnicodeError as problem:
        raise Malformed("the body is not UTF-8 text, or holds half a character", "send UTF-8") from problem
    except RecursionError as problem:
        raise _too_deep() from problem
    _check_depth(value)


async def _read_body(receive: Receive) -> bytes | None:
    # None means that the client went away: nobody is left to answer.
    body = bytearray()
    try:
        async with asyncio.timeout(SECONDS_TO_SEND):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                body += message.get("body", b"")
                if len(body) > LARGEST:
                    raise _too_large()
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError as problem:
        raise Unacceptable(
            HTTPStatus.REQUEST_TIMEOUT, f"the body did not arrive within {SECONDS_TO_SEND:.0f} seconds"
        ) from problem


def _replay(body: bytes, receive: Receive) -> Receive:
    parts = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def again() -> Any:
        return next(parts, None) or await receive()

    return again


def _check_depth(value: object) -> None:
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return
    raise _too_deep()


def _inside(value: object) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def _refuse_constant(name: str) -> None:
    raise Malformed(f"{name} is not a JSON value", "leave it out or send null")


def _refuse_infinite(text: str) -> float:
    if math.isinf(number := float(text)):
        raise Malformed("a number is too large to be kept", "send it as text")
    return number


def _refuse_large(text: str) -> int:
    if len(text) > len(str(LARGEST_INTEGER)) + 1 or abs(number := int(text)) > LARGEST_INTEGER:
        raise Malformed(f"a whole number is beyond {LARGEST_INTEGER}", "send it as text")
    return number


def _refuse_duplicates(members: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(members)
    if len(read) < len(members):
        twice = next(name for name, times in Counter(name for name, _ in members).items() if times > 1)
        raise Malformed(f"{twice[:200]!r} stands twice in one object", "leave one of them")
    return read


def _too_large() -> Unacceptable:
    return Unacceptable(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is larger than {LARGEST} bytes", "put large values into a Secret"
    )


def _too_deep() -> Malformed:
    return Malformed(f"the body is nested deeper than {DEEPEST} levels", "make it flatter")
