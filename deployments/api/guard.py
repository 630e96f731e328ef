"""The door: below /api nothing is reached without a valid token, except the description of the API."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from deployments.api.identity import Unauthenticated, Verifier
from deployments.api.problems import explain_error

GUARDED = "/api"
OPEN = frozenset({"/api/docs", "/api/openapi.json"})


class Guard:
    """Puts the caller into the request's state, or answers 401; it stands before the routes, so that no route can forget it."""

    def __init__(self, app: ASGIApp, verifier: Verifier) -> None:
        self._app, self._verifier = app, verifier

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through with its caller, or answer it."""
        if scope["type"] != "http" or is_open(scope["path"]):
            return await self._app(scope, receive, send)
        try:
            scope.setdefault("state", {})["caller"] = self._verifier.verify(read_token(Headers(scope=scope)))
        except Unauthenticated as problem:
            return await explain_error(scope["path"], problem)(scope, receive, send)
        return await self._app(scope, receive, send)


def is_open(path: str) -> bool:
    """Whether nobody needs a token for this path."""
    return path in OPEN or not (path == GUARDED or path.startswith(f"{GUARDED}/"))


def read_token(headers: Headers) -> str:
    """The bearer token of the request, or `Unauthenticated`."""
    given = headers.getlist("authorization")
    scheme, _, token = (given[0] if given else "").partition(" ")
    if len(given) != 1 or scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("a bearer token is needed", "send Authorization: Bearer TOKEN; make run leaves one for pluginctl")
    return token.strip()
