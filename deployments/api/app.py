"""The API as one application: recorded outside, guarded next, strict about bodies, then the routes.

To add a resource: write a file with a `router` beside the others and name it in `ROUTERS`.
"""

from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware

from deployments.api import (
    approvals,
    audit,
    dependencies,
    deployments,
    docs,
    installations,
    operations,
    plugin_sets,
    plugins,
    quarantine,
    reports,
    status,
    timeline,
    waivers,
    watches,
    wishes,
    words,
)
from deployments.api.guard import Guard
from deployments.api.identity import Verifier
from deployments.api.ports import Ports
from deployments.api.problems import MEDIA_TYPE, Problem, install_problems
from deployments.api.recorded import Count, Recorded
from deployments.api.release import own_version
from deployments.api.strictness import StrictBodies
from deployments.api.visit import describe_bearer

ROUTERS: tuple[APIRouter, ...] = (
    wishes.router,
    words.router,
    approvals.router,
    operations.router,
    installations.router,
    quarantine.router,
    watches.router,
    waivers.router,
    timeline.router,
    reports.router,
    plugins.router,
    plugin_sets.router,
    deployments.router,
    dependencies.router,
    audit.router,
    status.router,
)
DESCRIPTION = """Installs, updates, rolls back and removes plugins of a developer portal on Kubernetes, each operation as one transaction.

Every call needs a bearer token (JWT) with the claims sub, tenants and roles. What is not a success is application/problem+json
(RFC 9457): a sentence in detail, what to do in hint, and each wrong field in errors."""
WRONG: dict[int | str, dict[str, Any]] = {
    status_code: {"model": Problem, "content": {MEDIA_TYPE: {}}, "description": described}
    for status_code, described in (
        (401, "No valid token"),
        (403, "The token does not allow this"),
        (404, "Not there, or not yours to see"),
        (409, "It does not fit how the installation stands"),
        (422, "A field is wrong"),
        (503, "Something needed does not answer now"),
    )
}


def make_app(ports: Ports, verifier: Verifier, count: Count) -> FastAPI:
    """The application; `count` is told of every answered request."""
    app = FastAPI(
        title="Plugin Pipeline",
        description=DESCRIPTION,
        version=own_version(),
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[Middleware(Recorded, count=count), Middleware(Guard, verifier=verifier), Middleware(StrictBodies)],
    )
    app.state.ports = ports
    install_problems(app)
    app.include_router(docs.router)
    for router in ROUTERS:
        app.include_router(router, responses=WRONG, dependencies=[describe_bearer()])
    return app
