"""A life on the real cluster: real images, real pods, people who really ask through Envoy, and what the real Prometheus says of them.

The flows are told in the test's own process to a record of its own; nothing behind them is replaced.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractAsyncContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar
from uuid import UUID

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.cluster.live import open_cluster
from blocks.cluster.paths import KINDS
from blocks.domain.manifest import InstallRequest
from blocks.domain.objects.names import Name
from blocks.domain.objects.routes import PREVIEW
from blocks.domain.status import InstallationView
from blocks.ports.cluster import View
from blocks.settings import Settings, read_settings
from blocks.toolchain import Toolchain, open_seals, open_toolchain
from tests.e2e.api import Product
from tests.e2e.folders import Service, make_service
from tests.e2e.rollouts import FOLLOWS
from tests.e2e.traffic import NOTHING, Answer, Traffic, using
from tests.flows.life import GOOD, SILENT, Life, Nature, Pace
from tests.flows.teller import Standing, Teller
from tests.tasks.carried import KINDS as LEFT

SERVER = Path(__file__).parents[1] / "cases" / "kinds" / "server.mjs"
FIRST = "1.2.3"
# Prometheus looks every few seconds, so a sample that has no data yet has some a little later, or never.
ANALYSIS = {"interval": 5, "minRequests": 5, "errorLimit": 1, "extend": 10}
# Ten people a second meet what is new: at the second look one that fails is certainly worse; of one that is well nothing is certain.
EXPERIMENT = {"share": 20, "interval": 5, "duration": 15, "minRequests": 5, "errorLimit": 1, "undecided": "promote"}
# Nobody dies in these plays, and on a busy machine a lease of seconds would be lost, rightly.
PATIENT = 120
# Of so many requests some would show what is not as it should be.
ENOUGH = 50
# A cluster makes these by itself in every namespace.
BY_ITSELF = {("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")}


class RealTeller(Teller):
    """Flows with the real world behind them, and one plugin of theirs."""

    def __init__(self, engine: AsyncEngine, folder: Path, plugin: Service) -> None:
        settings = read_settings().model_copy(
            update={
                "database_url": engine.url.render_as_string(hide_password=False),
                "storage_dir": folder / "storage",
                "secrets_dir": folder / "secrets",
                "lease_ttl": PATIENT,
            }
        )
        super().__init__(engine, settings, open_seals(settings))
        self.plugin = plugin

    def open(self, settings: Settings, operation: UUID) -> AbstractAsyncContextManager[Toolchain]:
        """The toolchain of one operation, as a worker has it."""
        return open_toolchain(settings, operation)

    def request(self, **changes: Any) -> InstallRequest:
        """A request for the plugin."""
        return InstallRequest.model_validate({"source": {"type": "folder", "path": self.plugin.name}, **changes})


@dataclass
class RealLife(Life):
    """One installation on the real cluster."""

    pace: ClassVar[Pace] = Pace(ANALYSIS, EXPERIMENT, three_samples=15, deadline=20, followed=60, look_every=0.2)
    outside: RealTeller
    product: Product
    people: ExitStack = field(default_factory=ExitStack)
    asked: list[Traffic] = field(default_factory=list)
    is_spoiled: bool = False

    async def stands(self) -> Standing:
        """What is in its namespace now."""
        found: dict[tuple[str, str, str], dict[str, Any]] = {}
        async with open_cluster(self.outside.settings.kubeconfig) as cluster:
            for kind in LEFT[1:]:
                for one in await cluster.find(View(kind, self.first.namespace)):
                    if (kind, one["metadata"]["name"]) not in BY_ITSELF:
                        found[KINDS[kind][1], self.first.namespace, one["metadata"]["name"]] = one
        standing: Standing = SimpleNamespace(store=SimpleNamespace(objects=found))
        return standing

    def asks(self, version: str, **changes: Any) -> dict[str, Any]:
        """The same, for the plugin of this world."""
        return super().asks(version) | {"plugin": plugin_of(self.outside, self.product, version)} | changes

    async def publish(self, version: str, nature: Nature = Nature.WELL) -> None:
        """The folder holds this release."""
        self.is_spoiled |= nature is Nature.FAILING
        publish(self.outside.plugin, version, nature)

    async def answer(self, answers: Mapping[str, int]) -> None:
        """People ask through the gateway, and get what the releases answer; where silence is wanted nobody asks."""
        self.people.close()
        if answers != SILENT:
            self.asked.append(self.people.enter_context(using(self.product.world.gateway_url, self._host, "/hello")))

    def noticed(self, seen: InstallationView) -> list[Answer]:
        """What people were failed in; where something fails on purpose, only once the operation was over. Nobody asks any more."""
        since = seen.operation.updated_at / 1000 + FOLLOWS if self.is_spoiled else 0
        if self.is_spoiled:
            # That nobody asked any more by then would be no sign of anything.
            self.asked[-1].await_answers(since, ENOUGH)
        self.people.close()
        return [one for traffic in self.asked for one in traffic.answers if one.failed and one.at > since]

    async def break_down(self) -> None:
        """The one pod of the first revision is told to fail, and is not ready any more."""
        self.is_spoiled = True
        self._tell("/break")

    async def mend(self) -> None:
        """The new pod is told to say what it is, also where only those meet it who ask for its preview."""
        self._tell("/mend", {PREVIEW: self.name("Service", 2).name})

    def lose_prometheus(self) -> None:
        """It is looked for where nobody listens."""
        self.outside.settings = self.outside.settings.model_copy(update={"prometheus_url": "http://127.0.0.1:9"})

    async def read(self, name: Name) -> dict[str, Any] | None:
        """What the API server says."""
        async with open_cluster(self.outside.settings.kubeconfig) as cluster:
            return await cluster.read(name)

    async def remove(self, name: Name) -> None:
        """It is deleted with all that hangs on it."""
        self.product.kubectl("delete", name.kind, name.name, "-n", name.namespace, "--cascade=foreground", "--wait=true")

    async def create(self, name: Name, said: Mapping[str, Any]) -> None:
        """It is made."""
        self._send(name, said, "create", "--field-manager=team")

    async def write(self, name: Name, said: Mapping[str, Any]) -> None:
        """The fields are applied with force."""
        self._send(name, said, "apply", "--server-side", "--field-manager=team", "--force-conflicts")

    def _send(self, name: Name, said: Mapping[str, Any], *verb: str) -> None:
        version = {"Deployment": "apps/v1"}.get(name.kind, "v1")
        named = {"apiVersion": version, "kind": name.kind, **said, "metadata": {"name": name.name} | said.get("metadata", {})}
        self.product.kubectl(*verb, "-n", name.namespace, "-f", "-", told=json.dumps(named))

    def _tell(self, path: str, headers: Mapping[str, str] = NOTHING) -> None:
        answer = self.product.gateway.get(path, headers={"Host": self._host, **headers})
        assert answer.status_code == httpx.codes.NO_CONTENT, answer.text

    @property
    def _host(self) -> str:
        assert self.first.revision is not None
        return httpx.URL(self.first.revision.url).host


def plugin_of(outside: RealTeller, product: Product, version: str) -> dict[str, Any]:
    """What a request says of the plugin in this version."""
    return {**product.request("service", "nobody")["plugin"], "name": outside.plugin.name, "version": version}


def publish(service: Service, version: str, nature: Nature = Nature.WELL) -> None:
    """The folder holds the release of this nature from now on."""
    manifest = (service.folder / "plugin.yaml").read_text()
    service.write("plugin.yaml", re.sub("^version: .*", f"version: {version}", manifest, flags=re.MULTILINE))
    service.write("server.mjs", SERVER.read_text().replace("const KIND = 'well'", f"const KIND = '{nature}'"))


@contextmanager
def make_plugin(product: Product) -> Iterator[Service]:
    """A plugin whose first release is well."""
    with make_service(Path(product.world.plugin_dir)) as service:
        publish(service, FIRST)
        yield service


async def begin(outside: RealTeller, product: Product, tenant: str, strategy: str) -> RealLife:
    """A life whose first revision serves, and has users."""
    publish(outside.plugin, FIRST)
    seen = await outside.install(tenant=tenant, plugin=plugin_of(outside, product, FIRST))
    assert seen.operation.phase == "succeeded", seen.operation.reason
    life = RealLife(outside, seen, strategy, product=product)
    await life.remember()
    await life.answer(GOOD)
    return life


async def end(life: RealLife) -> InstallationView:
    """The life is over: what waits is taken back, and the installation is gone."""
    life.people.close()
    seen = await life.outside.see(life.first.id)
    if not seen.operation.phase.is_final:
        seen = await life.cancel(seen)
    return await life.outside.uninstall(seen.id, drop_data=True)
