"""The blocks of one environment, opened together: the one seam that flow tests replace.

To add a block: give it a protocol in `blocks/ports/`, a field here, and a line in `open_toolchain`.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from blocks.catalog.artefacts import Artefacts
from blocks.catalog.database import open_database
from blocks.catalog.journal import Journal
from blocks.catalog.leases import Leases
from blocks.catalog.operations import Operations
from blocks.catalog.plugin_sets import PluginSets
from blocks.catalog.quarantine import Quarantines
from blocks.catalog.seals import FolderSeals
from blocks.catalog.waivers import Waivers
from blocks.cluster.live import open_cluster
from blocks.databases import PluginDatabases
from blocks.fence import Fence
from blocks.image_builder import DockerBuilder
from blocks.image_registry import open_image_registry
from blocks.package_manager import Pnpm
from blocks.plugin_web import open_plugin_web
from blocks.ports.cluster import Cluster, Databases, Web
from blocks.ports.images import ImageBuilder, ImageRegistry
from blocks.ports.metrics import Metrics
from blocks.ports.scanners import Scanner
from blocks.ports.sources import Packages, Sources, Storage
from blocks.prometheus import open_prometheus
from blocks.scanners.configured import open_scanners
from blocks.settings import Settings
from blocks.sources.known import open_sources, trust
from blocks.storage import FolderStorage


@dataclass(frozen=True)
class Toolchain:
    """What the steps of one operation work with."""

    settings: Settings
    journal: Journal
    leases: Leases
    operations: Operations
    sets: PluginSets
    quarantines: Quarantines
    waivers: Waivers
    artefacts: Artefacts
    storage: Storage
    sources: Sources
    packages: Packages
    images: ImageBuilder
    registry: ImageRegistry
    scanners: Mapping[str, Scanner]
    off: Mapping[str, str]
    fence: Fence
    cluster: Cluster
    databases: Databases
    web: Web
    metrics: Metrics


def open_seals(settings: Settings) -> FolderSeals:
    """Where the heads of the journals are kept, signed, outside the database; the key is a secret beside the others."""
    return FolderSeals(settings.storage_dir / "seals", settings.secrets_dir / "seals.key")


def open_builder(settings: Settings) -> DockerBuilder:
    """The engine that builds images, on this machine or far away; nothing is asked of it before there is something to build."""
    bases = {"BASE_IMAGE": settings.base_image, "NODE_IMAGE": settings.node_image}
    return DockerBuilder(settings.docker_host, bases, settings.docker_cert_path)


@asynccontextmanager
async def open_toolchain(settings: Settings, operation: UUID) -> AsyncIterator[Toolchain]:
    """The toolchain for one operation; everything that was opened is closed at the end."""
    async with AsyncExitStack() as stack:
        engine, fence = open_database(settings.database_url), Fence()
        stack.push_async_callback(engine.dispose)
        scanners, off = open_scanners(settings)
        packages = Pnpm(settings.pnpm, settings.store_dir, settings.extra_ca_bundle)
        plain, tls = frozenset(settings.plain_registries), trust(settings.extra_ca_bundle)
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
            sources=await stack.enter_async_context(open_sources(settings, packages.default_registry, tls)),
            packages=packages,
            images=open_builder(settings),
            registry=await stack.enter_async_context(open_image_registry(plain, tls)),
            scanners=scanners,
            off=off,
            fence=fence,
            cluster=await stack.enter_async_context(open_cluster(settings.kubeconfig, fence)),
            databases=PluginDatabases(settings.plugin_database_admin_url.get_secret_value()),
            web=await stack.enter_async_context(open_plugin_web(settings)),
            metrics=await stack.enter_async_context(open_prometheus(settings.prometheus_url, tls)),
        )
