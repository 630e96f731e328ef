"""Flows told on a real record (SQLite and PostgreSQL) with an outside world in memory, put in place of the toolchain."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col

import blocks.work
from blocks.catalog.artefacts import Artefacts
from blocks.catalog.database import statement
from blocks.catalog.journal import Journal
from blocks.catalog.leases import Leases
from blocks.catalog.plugin_sets import PluginSets
from blocks.catalog.quarantine import Quarantines
from blocks.catalog.seals import FolderSeals
from blocks.catalog.tables import Operation
from blocks.catalog.waivers import Waivers
from blocks.cluster.live import open_cluster
from blocks.domain.findings import Database, Kind
from blocks.domain.manifest import InstallRequest
from blocks.domain.status import InstallationView
from blocks.fence import Fence
from blocks.ports.cluster import Reply
from blocks.settings import Settings
from blocks.storage import FolderStorage
from blocks.toolchain import Toolchain
from tests.builders import make_request
from tests.fakes.cluster import FakeCluster, open_fake_cluster
from tests.fakes.databases import MemoryDatabases
from tests.fakes.images import MemoryBuilder, MemoryRegistry
from tests.fakes.metrics import MemoryMetrics
from tests.fakes.releases import MemoryReleases
from tests.fakes.scanners import FakeScanner
from tests.flows.teller import Teller, hurry, use_settings_of
from tests.tasks.carried import ScriptedWeb

PLUGIN = "@a/b"
BASES = dict.fromkeys(("BASE_IMAGE", "NODE_IMAGE"), f"registry.test/base@sha256:{'b' * 64}")
ADVISORIES = Database("local advisories", "2026-01-01", "sha256:1", official=False)
LOOKED_FOR = {"trivy": (Kind.VULNERABILITY, Kind.MISCONFIGURATION, Kind.LICENCE), "trufflehog": (Kind.SECRET,)}
# On a busy machine a lease of seconds would be lost, rightly.
PATIENT = 120
# The canary's own tests try on both databases what they could differ in; what is the same to the record is tried on the quicker one.
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
# The record has its contract on both databases; what flows tell it is tried on both in `make e2e`, and on the quicker one always.
MOSTLY_ON_SQLITE = pytest.mark.parametrize(
    "database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)], indirect=True
)


class Outside(Teller):
    """The world around the flows, in memory; the parts of it are told to fail by the tests."""

    def __init__(self, engine: AsyncEngine, cluster: FakeCluster, folder: Path) -> None:
        settings = Settings(
            database_url=engine.url.render_as_string(hide_password=False),
            storage_dir=folder / "storage",
            kubeconfig=cluster.kubeconfig(folder),
            progress_deadline=20,
            lease_ttl=PATIENT,
            closed_address="10.0.0.1:8082",
        )
        super().__init__(engine, settings, FolderSeals(folder / "seals", folder / "seals.key"))
        self.cluster = cluster
        self.databases, self.registry, self.releases = MemoryDatabases(), MemoryRegistry(), MemoryReleases(PLUGIN)
        self.images = MemoryBuilder(self.registry, BASES)
        self.scanners = {name: FakeScanner(name, kinds, database=ADVISORIES) for name, kinds in LOOKED_FOR.items()}
        self.web = ScriptedWeb([Reply(200, {"x-plugin-release": f"{PLUGIN}@1.2.3"}, "")])
        self.metrics = MemoryMetrics()

    @asynccontextmanager
    async def open(self, settings: Settings, operation: UUID) -> AsyncIterator[Toolchain]:
        """The toolchain of one operation, with this world behind it."""
        async with open_cluster(settings.kubeconfig) as cluster:
            yield Toolchain(
                settings=settings,
                journal=Journal(self.engine, self.seals),
                leases=Leases(self.engine, settings.lease_ttl),
                operations=self.operations,
                sets=PluginSets(self.engine, self.seals),
                quarantines=Quarantines(self.engine),
                waivers=Waivers(self.engine),
                fence=Fence(),
                artefacts=Artefacts(self.engine, operation),
                storage=FolderStorage(settings.storage_dir),
                sources=self.releases,
                packages=self.releases,
                images=self.images,
                registry=self.registry,
                scanners=self.scanners,
                off={},
                cluster=cluster,
                databases=self.databases,
                web=self.web,
                metrics=self.metrics,
            )

    async def carry_on(self, seen: InstallationView) -> InstallationView:
        """The installation after another run took up its newest operation; whoever carried it until now has died a while ago."""
        await self.let_leases_run_out(seen.operation.id)
        return await super().carry_on(seen)

    async def let_leases_run_out(self, *operations: UUID) -> None:
        """Whoever carried these has died a while ago."""
        mine = update(Operation).where(col(Operation.id).in_(operations)).values(expires=0)
        async with statement(self.engine) as database:
            await database.execute(mine)

    def request(self, **changes: Any) -> InstallRequest:
        """A request for the one plugin that the source knows, for a tenant of its own unless one is named."""
        plugin = {"name": PLUGIN, "version": "1.2.3", "runtime": {"type": "backend"}}
        return make_request(**{"tenant": f"t{secrets.token_hex(4)}", "plugin": plugin} | changes)

    def release(self, version: str) -> None:
        """Let the source know this version only, and the plugin answer that it is what was put up last."""
        self.releases.version = version
        self.web.answers = [Reply(200, {"x-plugin-release": f"{PLUGIN}@{version}"}, "")]

    async def inventory(self) -> tuple[Any, ...]:
        """Everything outside the record that an operation may leave: objects, databases and images."""
        return (
            self.cluster.names(),
            await self.databases.names(),
            {name: dict(tags) for name, tags in self.registry.images.items() if tags},
        )


@pytest.fixture
async def outside(
    engine: AsyncEngine, prefect_server: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Outside]:
    """A world in memory that flows run on; only the pauses of verify are shortened."""
    async with open_fake_cluster() as cluster:
        made = Outside(engine, cluster, tmp_path)
        stand_in_place(made, monkeypatch)
        yield made


def stand_in_place(made: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let flows find this world, with the pauses of verify shortened."""
    monkeypatch.setattr(blocks.work, "open_toolchain", made.open)
    use_settings_of(made, monkeypatch)
    hurry(monkeypatch)
