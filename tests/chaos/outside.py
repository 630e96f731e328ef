"""The outside world of a worker: the fake cluster, and everything else in the test's process; each has passed its contract tests."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import UUID

import httpx

from blocks.catalog.artefacts import Artefacts
from blocks.catalog.database import open_database
from blocks.catalog.journal import Journal
from blocks.catalog.leases import Leases
from blocks.catalog.operations import Operations
from blocks.catalog.plugin_sets import PluginSets
from blocks.catalog.quarantine import Quarantines
from blocks.catalog.waivers import Waivers
from blocks.cluster.live import open_cluster
from blocks.domain.findings import Database, Kind
from blocks.domain.recipe import PROJECT_FILE
from blocks.domain.resolution import Gap, Listing, Published
from blocks.fence import Fence
from blocks.ports.sources import Access, Locked
from blocks.settings import Settings
from blocks.storage import FolderStorage
from blocks.toolchain import Toolchain, open_seals
from tests.chaos.far import Far, open_far
from tests.fakes.metrics import MemoryMetrics
from tests.fakes.releases import INTEGRITY, MemoryReleases
from tests.fakes.scanners import FakeScanner

# Every life has a plugin of its own, so that each builds its own images.
SCOPE = "@chaos/"
VERSIONS = ("1.0.0", "2.0.0")
BASES = dict.fromkeys(("BASE_IMAGE", "NODE_IMAGE"), f"registry.test/base@sha256:{'b' * 64}")
ADVISORIES = Database("local advisories", "2026-01-01", "sha256:1", official=True)
LOOKED_FOR = {"trivy": (Kind.VULNERABILITY, Kind.MISCONFIGURATION, Kind.LICENCE), "trufflehog": (Kind.SECRET,)}


class FarBuilder(Far):
    """A builder in the test's process; what it builds on is known here."""

    bases: Mapping[str, str] = BASES


class TwoReleases(MemoryReleases):
    """A source with two releases of every plugin, so that there is one to go back to."""

    def __init__(self) -> None:
        super().__init__("")

    async def releases(self, name: str) -> Listing:
        """Both."""
        return Listing(name, tuple(Published(one, INTEGRITY, f"{self.address}{name}-{one}.tgz") for one in VERSIONS))

    async def lock(self, project: Mapping[str, str], access: Access) -> Locked | Gap:
        """A lock with the plugin alone, in the version that the project asks for."""
        asked = json.loads(project[PROJECT_FILE])["dependencies"]
        ((name, version),) = [one for one in asked.items() if one[0].startswith(SCOPE)]
        locked = f"  '{name}@{version}':\n    resolution: {{integrity: {INTEGRITY}}}\n"
        return Locked(f"lockfileVersion: '9.0'\n\npackages:\n\n{locked}\nsnapshots:\n")


class Alike(MemoryMetrics):
    """Every revision has answered a hundred requests well, so that of two none is better."""

    async def ask(self, query: str, at: float) -> float:
        """The hundred."""
        return 100.0


@asynccontextmanager
async def open_outside(settings: Settings, operation: UUID, address: str) -> AsyncIterator[Toolchain]:
    """The toolchain of one operation in this process, with the world at the address behind it."""
    async with AsyncExitStack() as stack:
        engine = open_database(settings.database_url)
        stack.push_async_callback(engine.dispose)
        far, fence = await stack.enter_async_context(open_far(address)), Fence()
        cluster = await stack.enter_async_context(open_cluster(settings.kubeconfig, fence))
        yield Toolchain(
            settings=settings,
            journal=Journal(engine, open_seals(settings)),
            leases=Leases(engine, settings.lease_ttl),
            operations=Operations(engine),
            sets=PluginSets(engine, open_seals(settings)),
            quarantines=Quarantines(engine),
            waivers=Waivers(engine),
            artefacts=Artefacts(engine, operation),
            storage=FolderStorage(settings.storage_dir),
            scanners={name: FakeScanner(name, kinds, database=ADVISORIES) for name, kinds in LOOKED_FOR.items()},
            off={},
            cluster=cluster,
            fence=fence,
            **_told_of(far),
        )


def _told_of(far: httpx.AsyncClient) -> dict[str, Any]:
    releases = TwoReleases()
    beside = {name: Far(far, name) for name in ("registry", "databases", "web")}
    return {"sources": releases, "packages": releases, "images": FarBuilder(far, "images"), "metrics": Alike(), **beside}
