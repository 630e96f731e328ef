"""The real world: the cluster, registry, engine, scanners and gateway of `make up`, with a record of the tests' own."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import docker
import httpx

from blocks.catalog.database import open_database
from blocks.catalog.migrate import migrate
from blocks.catalog.requests import Asked
from blocks.cluster.live import LiveCluster, open_cluster
from blocks.domain.manifest import InstallRequest
from blocks.domain.objects.names import Name
from blocks.image_registry import open_image_registry
from blocks.ports.cluster import View
from blocks.settings import Settings
from tests.chaos.ground import TTL, Ground, Order, Word, make_name
from tests.chaos.worker import warm_up

SAMPLE = Path(__file__).parents[1] / "cases" / "plugins" / "hello"
SMALL = {"cpu": {"request": "10m", "limit": "500m"}, "memory": {"request": "32Mi", "limit": "128Mi"}}
# In prod the scanners' database of this world is not accepted.
ENVIRONMENT = "dev"
ANN = Asked("ann", reason="because")
# Objects that nobody but us writes to: their version moves only when we change them. Of the others the generation does.
OURS_ALONE = ("ConfigMap", "LimitRange", "NetworkPolicy", "Role", "RoleBinding", "Service")
SHARED = ("Deployment", "HTTPRoute", "PodDisruptionBudget")
PAUSE = 0.02


@dataclass
class RealGround(Ground):
    """The real world with a record of its own."""

    cluster: LiveCluster = field(kw_only=True)
    configured: Settings = field(kw_only=True)

    def pushed(self, since: float, name: str) -> int:
        """How often an image of the plugin was pushed."""
        engine = docker.DockerClient(self.configured.docker_host, timeout=60)
        try:
            told = engine.events(since=int(since), until=int(time.time()) + 1, decode=True)
            return sum(one["Action"] == "push" and name in one["Actor"]["Attributes"]["name"] for one in told)
        finally:
            engine.close()


@dataclass
class Client:
    """Somebody who uses the plugin all the time; `failed` are the answers that were no good."""

    host: str
    asked: int = 0
    failed: list[str] = field(default_factory=list)

    async def use(self, gateway: str) -> None:
        """Ask one request after the other until cancelled."""
        async with httpx.AsyncClient(base_url=gateway, trust_env=False, timeout=30) as client:
            while True:
                self.asked += 1
                try:
                    answer = await client.get("/hello", headers={"Host": self.host})
                    self.failed += [f"{answer.status_code} {answer.text[:80]}"] if answer.status_code != 200 else []
                except httpx.HTTPError as problem:
                    self.failed.append(repr(problem))
                await asyncio.sleep(PAUSE)


@dataclass
class RealLife:
    """One tenant with one service of its own on the real cluster."""

    ground: RealGround
    name: str = field(default_factory=make_name)
    installation: UUID | None = None
    began: float = field(default_factory=time.time)

    @property
    def namespace(self) -> str:
        """Where it lives."""
        return f"{self.name}-{ENVIRONMENT}"

    def write(self) -> None:
        """Both versions of the service stand in the plugin folder."""
        for version in (1, 2):
            folder = self.ground.configured.plugin_dir / f"{self.name}-{version}"
            shutil.copytree(SAMPLE, folder)
            manifest = folder / "plugin.yaml"
            text = manifest.read_text().replace("id: hello", f"id: {self.name}")
            manifest.write_text(text.replace("version: 1.0.0", f"version: {version}.0.0"))

    def request(self, version: int) -> InstallRequest:
        """The request for this version."""
        plugin = {"name": self.name, "runtime": {"type": "service"}, "resources": SMALL}
        source = {"type": "folder", "path": f"{self.name}-{version}"}
        return InstallRequest.model_validate(
            {"plugin": plugin, "source": source, "tenant": self.name, "environment": ENVIRONMENT}
        )

    async def ask(self, verb: str) -> Order:
        """Ask for what the act is about: version 1 first, then version 2, then back, then nothing."""
        requests, first = self.ground.requests, self.request(1)
        if verb in ("install", "update"):
            wanted = first if verb == "install" else self.request(2)
            asked = await requests.request_install(wanted, ANN)
            self.installation = asked.installation
            return Order(verb, asked.operation, wanted)
        assert self.installation is not None
        if verb == "rollback":
            return Order(verb, (await requests.request_rollback(self.installation, ANN)).operation, first)
        return Order(verb, (await requests.request_uninstall(self.installation, ANN, drop_data=True)).operation, first)

    async def versions(self) -> Mapping[str, str]:
        """What identifies each of our objects, and how often it was changed, as far as that is our doing."""
        made: dict[str, str] = {}
        for kind in (*OURS_ALONE, *SHARED):
            for one in await self.ground.cluster.find(View(kind, self.namespace)):
                about = one["metadata"]
                version = about["resourceVersion"] if kind in OURS_ALONE else about.get("generation", "")
                made[f"{kind}/{about['name']}"] = f"{about['uid']} {version}"
        return {name: said for name, said in made.items() if not name.endswith("/kube-root-ca.crt")}

    async def host(self) -> str:
        """Where it answers."""
        assert self.installation is not None
        seen = await self.ground.views.installation(self.installation)
        assert seen is not None
        assert seen.revision is not None
        return httpx.URL(seen.revision.url).host

    async def pushed(self) -> int:
        """How many images of it were pushed so far."""
        return await asyncio.to_thread(self.ground.pushed, self.began, self.name)

    async def left(self) -> list[str]:
        """What is left of it; the namespace goes last."""
        namespace = await self.ground.cluster.read(Name("Namespace", "", self.namespace))
        return [f"namespace {self.namespace} is left"] if namespace else []

    async def forget(self) -> None:
        """Nothing of its images stays in the registry, nor its namespace if something went wrong."""
        await self.ground.cluster.remove(Name("Namespace", "", self.namespace), lambda _: True)
        settings = self.ground.configured
        async with open_image_registry(frozenset(settings.plain_registries)) as registry:
            repository = f"{settings.registry}/plugins/{self.name}"
            for tag in await registry.tags(repository):
                if digest := await registry.digest(repository, tag):
                    await registry.delete(repository, digest)


@asynccontextmanager
async def open_real_ground(database_url: str, folder: Path) -> AsyncIterator[RealGround]:
    """The real world with an empty record at the address and a plugin folder, storage and secrets of its own."""
    own: dict[str, Any] = {name: folder / name.removesuffix("_dir") for name in ("storage_dir", "secrets_dir", "plugin_dir")}
    own["plugin_dir"].mkdir()
    configured = Settings(database_url=database_url, lease_ttl=TTL, lease_renew=TTL / 3, **own)
    engine = open_database(database_url)
    await asyncio.gather(migrate(engine), asyncio.to_thread(warm_up))
    settings = {name.upper(): str(value) for name, value in own.items()}
    settings |= {"DATABASE_URL": database_url, "LEASE_TTL": str(TTL), "LEASE_RENEW": str(TTL / 3)}
    async with open_cluster(configured.kubeconfig) as cluster:
        ground = RealGround(engine, settings, "", folder, Word(), is_real=True, cluster=cluster, configured=configured)
        yield ground
    await engine.dispose()


@asynccontextmanager
async def used(life: RealLife, host: str) -> AsyncIterator[Client]:
    """Somebody uses the plugin while the block runs."""
    client = Client(host)
    using = asyncio.create_task(client.use(life.ground.configured.gateway_url))
    try:
        yield client
    finally:
        using.cancel()
        await asyncio.wait({using})
