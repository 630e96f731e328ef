"""What looking for new releases is made of, opened together: the seam that its flow's tests replace."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from blocks.catalog.database import open_database
from blocks.catalog.discovered import Discoveries
from blocks.catalog.requests import Requests
from blocks.domain.manifest import Source
from blocks.package_manager import Pnpm
from blocks.ports.sources import ReleaseSource, Sources
from blocks.settings import Settings
from blocks.sources.known import open_sources


class Discovery:
    """The watches, the sources, and the door at which updates are asked for; a plain class, because Prefect walks through dataclasses."""

    def __init__(self, discoveries: Discoveries, requests: Requests, sources: Sources) -> None:
        self.discoveries, self.requests = discoveries, requests
        self._sources, self._one_by_one = sources, asyncio.Lock()
        self._opened: dict[Source, ReleaseSource] = {}

    async def open_source(self, source: Source) -> ReleaseSource:
        """The source, opened when it is first asked for: to find out where npm's own registry is takes a program."""
        async with self._one_by_one:
            if source not in self._opened:
                self._opened[source] = await self._sources.open(source)
            return self._opened[source]


@asynccontextmanager
async def open_discovery(settings: Settings) -> AsyncIterator[Discovery]:
    """The blocks of one round of looking; everything that was opened is closed at the end."""
    async with AsyncExitStack() as stack:
        engine = open_database(settings.database_url)
        stack.push_async_callback(engine.dispose)
        packages = Pnpm(settings.pnpm, settings.store_dir, settings.extra_ca_bundle)
        sources = await stack.enter_async_context(open_sources(settings, packages.default_registry))
        yield Discovery(Discoveries(engine), Requests(engine), sources)
