"""Operations whose only tools are scanners, told inside a real flow."""

import secrets
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, TypeVar, cast

from prefect import flow
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.artefacts import Artefacts
from blocks.catalog.journal import Journal
from blocks.catalog.leases import Leases
from blocks.catalog.operations import Operations
from blocks.catalog.requests import Asked, Requests
from blocks.catalog.waivers import Waivers
from blocks.domain.release import Image, Materials
from blocks.work import Work
from tests.builders import make_request
from tests.fakes.scanners import FakeScanner

T = TypeVar("T")
IMAGE = Image("registry.test:5000/plugins/hello", f"sha256:{'1' * 64}", "sha256:inputs")
MATERIALS = Materials("sha256:inputs", "context", 3)


async def open_operation(engine: AsyncEngine, *scanners: FakeScanner) -> Work:
    """An installation for a tenant of its own, held by this test, with these scanners."""
    operations, leases = Operations(engine), Leases(engine, 60)
    asked = await Requests(engine).request_install(make_request(tenant=f"t{secrets.token_hex(4)}"), Asked("ann"))
    tools = SimpleNamespace(
        journal=Journal(engine),
        leases=leases,
        operations=operations,
        waivers=Waivers(engine),
        artefacts=Artefacts(engine, asked.operation),
        scanners={scanner.name: scanner for scanner in scanners},
        settings=SimpleNamespace(max_begins=5, hold_limit=60),
        off={"snyk": "no token is configured"},
    )
    return Work(await leases.acquire(asked.operation, "test"), await operations.order(asked.operation), cast("Any", tools))


async def tell(story: Callable[[], Awaitable[T]]) -> T:
    """What the story returns, told inside a flow."""

    @flow
    async def told() -> T:
        return await story()

    return await told()
