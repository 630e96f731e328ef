"""The parts of the fake world that the test's process keeps for its workers: they count what is done to them."""

from collections import Counter
from collections.abc import Mapping
from uuid import UUID

from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.labels import RELEASE, stamp_of
from blocks.ports.cluster import Made, Reply
from blocks.ports.images import BuildOrder
from tests.chaos.outside import BASES
from tests.fakes.cluster import FakeCluster
from tests.fakes.databases import MemoryDatabases
from tests.fakes.images import MemoryBuilder, MemoryRegistry


class CountedDatabases(MemoryDatabases):
    """Databases, and how often each was created."""

    def __init__(self) -> None:
        super().__init__()
        self.created: Counter[str] = Counter()

    async def ensure(self, name: str, password: str, operation: UUID) -> Made:
        """Let there be a database with this password."""
        self.created[name] += name not in self.made
        return await super().ensure(name, password, operation)


class CountedBuilder(MemoryBuilder):
    """A builder, and how often each tag was pushed."""

    def __init__(self, registry: MemoryRegistry) -> None:
        super().__init__(registry, BASES)
        self.pushed: Counter[str] = Counter()

    async def build(self, order: BuildOrder) -> str:
        """Build and push."""
        digest = await super().build(order)
        self.pushed[f"{order.repository}:{order.tag}"] += 1
        return digest


class Gateway:
    """What answers at a plugin's host: the pods of the revision that the route leads to; `lying` tenants' plugins say a wrong release."""

    def __init__(self, cluster: FakeCluster) -> None:
        self._objects, self.lying = cluster.store.objects, set[str]()

    async def ask(self, host: str, path: str, headers: Mapping[str, str] | None = None) -> Reply:
        """Ask the plugin."""
        route = next((one for one in self._all("httproutes") if host in one["spec"]["hostnames"]), None)
        answering = [self._deployment(route, name) for name in _led_to(route, headers or {})] if route else []
        if not answering:
            return Reply(404, {}, "")
        first = answering[0]
        if first is None:
            return Reply(503, {}, "")
        lies = any(tenant in host for tenant in self.lying) and not headers
        return Reply(200, {"x-plugin-release": "lie@0.0.0" if lies else stamp_of(first, RELEASE)}, "")

    def has_gap(self, route: Object) -> bool:
        """Whether some of those who use the plugin would meet nobody."""
        return None in [self._deployment(route, name) for name in _led_to(route, {})]

    def _deployment(self, route: Object, name: str) -> Object | None:
        """The Deployment of a backend of the route, if it has a pod."""
        namespace = route["metadata"]["namespace"]
        found = self._objects.get(("deployments", namespace, name))
        served = ("services", namespace, name) in self._objects
        pods = [key for key in self._objects if key[:2] == ("pods", namespace) and key[2].startswith(f"{name}-")]
        return found if served and pods and "deletionTimestamp" not in (found or {}).get("metadata", {}) else None

    def _all(self, plural: str) -> list[Object]:
        return [one for key, one in self._objects.items() if key[0] == plural]


def _led_to(route: Object, headers: Mapping[str, str]) -> list[str]:
    """The backends that have a share of the requests with these headers; a rule that asks for none is for all others."""
    asked = [
        (rule, {one["name"]: one["value"] for match in rule.get("matches", []) for one in match["headers"]})
        for rule in route["spec"]["rules"]
    ]
    rule = next((rule for rule, wanted in asked if wanted and wanted.items() <= headers.items()), None)
    rule = rule or next((rule for rule, wanted in asked if not wanted), {"backendRefs": []})
    return [one["name"] for one in rule["backendRefs"] if one["weight"]]
