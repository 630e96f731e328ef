"""The kinds of sources that a request may name, opened with the tokens and certificates of this environment."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from blocks.domain.errors import Refused
from blocks.domain.manifest import FolderSource, NpmSource, Source
from blocks.ports.sources import Access, ReleaseSource
from blocks.settings import Settings
from blocks.sources.folder import PluginFolder
from blocks.sources.npm import NpmRegistry

MEGABYTE = 1024 * 1024
TIMES = httpx.Timeout(30, connect=10)


class KnownSources:
    """Opens whatever source a request names; `default_registry` is asked when neither request nor settings name an npm registry."""

    def __init__(self, settings: Settings, web: httpx.AsyncClient, default_registry: Callable[[], Awaitable[str]]) -> None:
        self._settings, self._web, self._default_registry = settings, web, default_registry

    async def open(self, source: Source) -> ReleaseSource:
        """The source, ready to be asked; or `Refused` when its token is not there."""
        limit = self._settings.max_archive_mb * MEGABYTE
        if isinstance(source, FolderSource):
            return PluginFolder(self._settings.plugin_dir, source.path, limit)
        return NpmRegistry(self._web, await self._access(source), limit)

    async def _access(self, source: NpmSource) -> Access:
        address = source.registry or self._settings.npm_registry or await self._default_registry()
        token = await asyncio.to_thread(read_secret, self._settings.secrets_dir, source.token_ref) if source.token_ref else ""
        return Access(address.rstrip("/") + "/", token)


@asynccontextmanager
async def open_sources(
    settings: Settings, default_registry: Callable[[], Awaitable[str]], tls: ssl.SSLContext | None = None
) -> AsyncIterator[KnownSources]:
    """All sources, with one pool of connections that is closed at the end."""
    async with httpx.AsyncClient(verify=tls or trust(settings.extra_ca_bundle), timeout=TIMES, follow_redirects=True) as web:
        yield KnownSources(settings, web, default_registry)


def trust(extra: Path | None) -> ssl.SSLContext:
    """The machine's own certificates and those of the extra bundle; `Refused` if the bundle cannot be read.

    To read them takes as long as a step's whole bookkeeping: whoever opens several connections makes one context for all.
    """
    context = ssl.create_default_context()
    if extra is not None and str(extra) != ssl.get_default_verify_paths().cafile:
        try:
            context.load_verify_locations(extra)
        except OSError as problem:
            raise Refused(
                f"the extra CA bundle {extra} cannot be read", "EXTRA_CA_BUNDLE names a file with certificates in PEM"
            ) from problem
    return context


def read_secret(folder: Path, name: str) -> str:
    """The secret of that name; `Refused` if it is not there. The value never stands in an error."""
    path = folder / name
    try:
        return path.read_text().strip()
    except OSError as problem:
        raise Refused(
            f"there is no token called {name}", f"put it into the file {name} of the pipeline's secrets folder"
        ) from problem
