"""What tests share. Databases are real (SQLite and PostgreSQL), the world is the one of `make up`; nothing here is faked."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dotenv import dotenv_values
from hypothesis import settings
from prefect.settings import (
    PREFECT_LOGGING_TO_API_ENABLED,
    PREFECT_SERVER_ANALYTICS_ENABLED,
    PREFECT_SERVER_SERVICES_DB_VACUUM_LOOP_SECONDS,
    PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED,
    temporary_settings,
)
from prefect.testing.utilities import prefect_test_harness
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.database import open_database
from blocks.catalog.migrate import migrate
from blocks.settings import WORLD
from tests.empty_databases import drop_database, make_database, plain
from tests.outcomes import Outcomes

A_DAY = 86_400
INFRA = Path(__file__).parent / "infra"


def pytest_configure(config: pytest.Config) -> None:
    """What the kinds of rollouts came to is written at the end; no example is a failure because the machine is busy."""
    config.pluginmanager.register(Outcomes())
    settings.register_profile("unhurried", deadline=None)
    settings.load_profile("unhurried")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that stop and start the local world come last: the others need it as it is."""
    items.sort(key=lambda item: item.path.is_relative_to(INFRA))


class World(SimpleNamespace):
    """The addresses of the local world, by their names in lower case."""

    def __getattr__(self, name: str) -> str:
        raise AttributeError(f"the world does not say {name.upper()}")


@pytest.fixture(scope="session")
def world() -> World:
    """The running local world; a test that needs it fails without it, because silence is not a pass."""
    if not WORLD.exists():
        pytest.fail("the local world is not up: run `make up`")
    return read_world()


def read_world() -> World:
    """What the running world says of itself."""
    return World(**{name.lower(): value for name, value in dotenv_values(WORLD).items()})


@pytest.fixture
def fresh_postgresql(world: World, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of an empty PostgreSQL database, dropped afterwards; for the record it is a copy of one that was migrated."""
    template = {"template": request.getfixturevalue("record_on_postgresql")} if "engine" in request.fixturenames else {}
    made = asyncio.run(make_database(world.plugin_database_admin_url, **template))
    yield plain(made)
    asyncio.run(drop_database(world.plugin_database_admin_url, made))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database of each kind."""
    if request.param == "sqlite":
        if "engine" in request.fixturenames:
            shutil.copy(request.getfixturevalue("record_on_sqlite"), tmp_path / "record.db")
        return f"sqlite+aiosqlite:///{tmp_path}/record.db"
    return str(request.getfixturevalue("fresh_postgresql"))


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An empty record on each database."""
    opened = open_database(database_url)
    yield opened
    await opened.dispose()


@pytest.fixture(scope="session")
def record_on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an empty record, to be copied."""
    file = tmp_path_factory.mktemp("record") / "record.db"
    asyncio.run(make_record(f"sqlite+aiosqlite:///{file}"))
    return file


@pytest.fixture(scope="session")
def record_on_postgresql(world: World) -> Iterator[str]:
    """The name of a database with an empty record, to be copied."""
    made = asyncio.run(make_database(world.plugin_database_admin_url))
    asyncio.run(make_record(plain(made)))
    yield str(made.database)
    asyncio.run(drop_database(world.plugin_database_admin_url, made))


async def make_record(url: str) -> None:
    """The empty database has the tables of the record."""
    opened = open_database(url)
    await migrate(opened)
    await opened.dispose()


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[None]:
    """A real Prefect server of this session's own, on SQLite: 10 s once, and only for tests that run flows."""
    # It is gone before there is anything to tidy up, and no test of it has a schedule: what looks for these would only be in the way.
    quiet: dict[Any, Any] = {
        PREFECT_SERVER_ANALYTICS_ENABLED: False,
        PREFECT_LOGGING_TO_API_ENABLED: False,
        PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED: False,
        PREFECT_SERVER_SERVICES_DB_VACUUM_LOOP_SECONDS: A_DAY,
    }
    with temporary_settings(quiet), prefect_test_harness(server_startup_timeout=300):
        yield
