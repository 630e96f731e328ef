"""An operation that resolves, fetches and builds: a registry on 127.0.0.1, the real pnpm, images in memory, a record in SQLite."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.artefacts import Artefacts
from blocks.catalog.database import open_database
from blocks.catalog.migrate import migrate
from blocks.domain.manifest import InstallRequest
from blocks.domain.release import Image, Materials, Resolution
from blocks.package_manager import Pnpm
from blocks.settings import Settings
from blocks.sources.known import open_sources
from blocks.storage import FolderStorage
from blocks.work import Work
from tasks.build import build
from tasks.fetch import fetch
from tasks.resolve import resolve
from tests.fakes.images import MemoryBuilder, MemoryRegistry
from tests.tasks.carried import body

BASE = f"registry.test/node@sha256:{'1' * 64}"


@dataclass
class Making:
    """What is asked for, with which tools, and what was made of it."""

    asked: InstallRequest
    tools: Any

    @property
    def work(self) -> Work:
        """As the steps see it."""
        return cast("Work", self)

    async def request(self) -> InstallRequest:
        """What is asked for."""
        return self.asked

    @property
    def images(self) -> MemoryBuilder:
        """The builder."""
        builder: MemoryBuilder = self.tools.images
        return builder

    @property
    def registry(self) -> MemoryRegistry:
        """The image registry."""
        registry: MemoryRegistry = self.tools.registry
        return registry

    async def resolve(self) -> Resolution:
        """The first step."""
        resolution: Resolution = await body(resolve)(self.work)
        return resolution

    async def fetch(self, resolution: Resolution) -> Materials:
        """The second step."""
        materials: Materials = await body(fetch)(self.work, resolution)
        return materials

    async def build(self, resolution: Resolution, materials: Materials) -> Image:
        """The third step."""
        image: Image = await body(build)(self.work, resolution, materials)
        return image

    async def make(self) -> Image:
        """All three."""
        resolution = await self.resolve()
        return await self.build(resolution, await self.fetch(resolution))


@asynccontextmanager
async def open_record(folder: Path) -> AsyncIterator[AsyncEngine]:
    """An empty record in SQLite: what it remembers is its own business, and tested elsewhere on both databases."""
    engine = open_database(f"sqlite+aiosqlite:///{folder}/record.db")
    await migrate(engine)
    yield engine
    await engine.dispose()


@asynccontextmanager
async def open_making(engine: AsyncEngine, folder: Path, asked: InstallRequest, **changes: Any) -> AsyncIterator[Making]:
    """An operation of its own on the record, with a storage in the folder; `changes` are settings."""
    settings = Settings(storage_dir=folder / "storage", store_dir=folder / "store", registry="registry.test", **changes)
    registry, packages = MemoryRegistry(), Pnpm(settings.pnpm, settings.store_dir)
    async with open_sources(settings, packages.default_registry) as sources:
        tools = SimpleNamespace(settings=settings, sources=sources, packages=packages, registry=registry)
        tools.storage, tools.images = FolderStorage(settings.storage_dir), MemoryBuilder(registry, {"NODE_IMAGE": BASE})
        tools.artefacts = Artefacts(engine, uuid4())
        yield Making(asked, tools)


def another_operation(making: Making, engine: AsyncEngine, operation: UUID) -> Making:
    """The same request once more, on the same record and storage."""
    return Making(making.asked, SimpleNamespace(**{**vars(making.tools), "artefacts": Artefacts(engine, operation)}))
