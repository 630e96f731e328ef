"""A world in which one revision serves already: made once, and copied for each play that goes on from there."""

import asyncio
import copy
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.database import open_database
from blocks.catalog.migrate import migrate
from blocks.domain.journal import Phase
from blocks.domain.status import InstallationView
from tests.fakes.cluster import FakeCluster, open_fake_cluster
from tests.flows.conftest import Outside, stand_in_place
from tests.flows.test_update import FRONTEND

RECORD = "record.db"


@dataclass(frozen=True)
class Begun:
    """The world as it was left: its folder with record and storage, its cluster, its images, and the installation."""

    folder: Path
    cluster: FakeCluster
    images: dict[str, dict[str, str]]
    first: InstallationView


def begin(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Begun:
    """A world on SQLite in which revision 1 with release 1.2.3 serves, and nobody is at work."""
    return asyncio.run(_begin(folder, monkeypatch))


async def _begin(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Begun:
    async with _open_record(folder) as engine, open_fake_cluster() as cluster:
        await migrate(engine)
        made = Outside(engine, cluster, folder)
        stand_in_place(made, monkeypatch)
        seen = await made.install(plugin=FRONTEND)
        assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason
        return Begun(folder, cluster, made.registry.images, seen)


@asynccontextmanager
async def go_on(begun: Begun, folder: Path) -> AsyncIterator[Outside]:
    """A copy of the world in the folder: what happens in it happens nowhere else."""
    shutil.copytree(begun.folder, folder, dirs_exist_ok=True)
    async with _open_record(folder) as engine, open_fake_cluster() as cluster:
        cluster.recall(begun.cluster)
        made = Outside(engine, cluster, folder)
        made.registry.images.update(copy.deepcopy(begun.images))
        yield made


@asynccontextmanager
async def _open_record(folder: Path) -> AsyncIterator[AsyncEngine]:
    engine = open_database(f"sqlite+aiosqlite:///{folder / RECORD}")
    try:
        yield engine
    finally:
        await engine.dispose()
