"""The real world and the product running on it; installations are made through the API and taken away at the end. Nothing is faked."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.database import open_database
from tests.conftest import World, make_record
from tests.e2e.api import Product
from tests.e2e.folders import Service, make_service
from tests.e2e.left import take_inventory
from tests.empty_databases import drop_database, make_database, plain

NOTHING = frozenset[str]()
# So many leave at the same time.
MOST_LEAVING = 20


class Tenant:
    """A tenant of this folder's own, in which plugins are installed when somebody first asks for them."""

    def __init__(self, product: Product, kind: str = "e2e") -> None:
        self.product, self.name = product, f"{kind}-{secrets.token_hex(4)}"
        self._seen: dict[str, dict[str, Any]] = {}
        self._installations: dict[str, None] = {}

    def plugin(self, name: str, **changes: Any) -> dict[str, Any]:
        """The installation of the request of this name; it succeeded."""
        if name not in self._seen:
            self._seen[name] = self.install(self.product.request(name, self.name, **changes))
        assert self._seen[name]["phase"] == "succeeded", self._seen[name]["operation"]
        return self._seen[name]

    def install(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The installation after its operation has ended, well or not."""
        accepted = self.product.ask(request)
        self.adopt(accepted["id"])
        return self.product.await_end(accepted)

    def adopt(self, installation: str) -> None:
        """Take this installation away at the end too."""
        self._installations[installation] = None

    def leave(self) -> None:
        """Take everything away with its data, and see that nothing of the tenant is left.

        What came last goes first: it may need what came before.
        """
        for one in self._installations:
            if self.product.see(one)["phase"] == "parked":
                # A test that failed left a question that nobody will answer.
                self.product.api.post(f"/api/v1/installations/{one}/cancel", json={"reason": "the test is over"})
        serving = [self.product.await_rest(one) for one in reversed(self._installations)]
        ends = [self.product.uninstall(one["id"])["phase"] for one in serving if one["revision"]]
        left = take_inventory(self.product, self.name, "none")
        assert (left.objects, left.databases) == (NOTHING, NOTHING)
        assert dict(left.rows)["revisions that serve"] == dict(left.rows)["operations that have not ended"] == 0
        assert set(ends) <= {"succeeded"}


@pytest.fixture(scope="package")
def product(world: World) -> Iterator[Product]:
    """The running product."""
    opened = Product(world)
    yield opened
    opened.close()


@pytest.fixture(scope="package")
def tenant(product: Product) -> Iterator[Tenant]:
    """The tenant that most tests look at; they change nothing in it."""
    made = Tenant(product)
    yield made
    made.leave()


class Leaving:
    """Tenants that are taken away while the next test begins: a namespace takes its time to go, and nobody need watch."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=MOST_LEAVING)
        self._going: list[Future[None]] = []

    def see_off(self, tenant: Tenant) -> None:
        """The tenant begins to leave."""
        self._going.append(self._pool.submit(tenant.leave))

    def settle(self) -> None:
        """Everybody has left, and left nothing; otherwise what was wrong with the first that did not is raised."""
        going, self._going = self._going, []
        for one in going:
            one.result()


@pytest.fixture(scope="package")
def leaving(product: Product) -> Iterator[Leaving]:
    """Who is on the way out; at the end nobody is."""
    door = Leaving()
    yield door
    door.settle()


@pytest.fixture
def alone(leaving: Leaving) -> None:
    """Nothing else goes on: for tests that stop a part of the product, or count what all of it does."""
    leaving.settle()


@pytest.fixture
def own_tenant(product: Product, leaving: Leaving) -> Iterator[Tenant]:
    """A tenant for one test, which may do with it what it likes."""
    made = Tenant(product)
    yield made
    leaving.see_off(made)


@pytest.fixture
def service(product: Product) -> Iterator[Service]:
    """A plugin of this test's own."""
    with make_service(Path(product.world.plugin_dir)) as made:
        yield made


@pytest.fixture
def jobs_tenant(product: Product, leaving: Leaving) -> Iterator[Tenant]:
    """A tenant whose operations are carried by Jobs."""
    made = Tenant(product, "jobs")
    yield made
    leaving.see_off(made)


@pytest.fixture(scope="module")
def record(world: World) -> Iterator[str]:
    """A record of one file's own for flows told in this process, on PostgreSQL: what was built and scanned for one is known to the next."""
    made = asyncio.run(make_database(world.plugin_database_admin_url, "told"))
    asyncio.run(make_record(plain(made)))
    yield plain(made)
    asyncio.run(drop_database(world.plugin_database_admin_url, made))


@pytest.fixture
async def remembering(record: str) -> AsyncIterator[AsyncEngine]:
    """The record, opened in the test's own loop."""
    opened = open_database(record)
    yield opened
    await opened.dispose()


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where flows told in this process keep their artefacts and seals."""
    return tmp_path_factory.mktemp("told")
