"""Whether this process lives, and whether it can serve; on a port of its own, without a token."""

from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from deployments.api.ports import Probe
from deployments.api.probes import ask_all


def make_health(needed: Mapping[str, Probe]) -> Starlette:
    """The app of the health port; it is ready when every part that is needed answers."""

    async def read_liveness(_: Request) -> JSONResponse:
        return JSONResponse({"status": "alive"})

    async def read_readiness(_: Request) -> JSONResponse:
        parts = await ask_all(needed)
        ready = all(part.reachable for part in parts)
        body = {"status": "ready" if ready else "not ready", "parts": [vars(part) for part in parts]}
        return JSONResponse(body, 200 if ready else 503, headers={"Cache-Control": "no-store"})

    return Starlette(routes=[Route("/health/liveness", read_liveness), Route("/health/readiness", read_readiness)])
