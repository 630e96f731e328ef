"""One installation from its beginning to its end, with a death in each of its operations."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from uuid import UUID

from blocks.catalog.requests import Asked
from blocks.domain.manifest import InstallRequest
from tests.builders import make_request
from tests.chaos.carrying import Carried, carry_to_end
from tests.chaos.ground import FakeGround, Order, make_name
from tests.chaos.mortal import Fate
from tests.chaos.outside import SCOPE
from tests.chaos.points import ROLLING
from tests.chaos.scripts import Act

# The number of a revision in an object's name.
REVISION = re.compile(r"-r(\d+)$")
ANN = Asked("ann", reason="because")
# Nothing is measured here: what is watched is whether everything goes on.
AFTER_ONE_LOOK = {"duration": 1, "interval": 1, "undecided": "promote"}
AT_ONCE: dict[str, Any] = {"stageInterval": 0, "analysis": {"enabled": False}}
ASKED: Mapping[str, dict[str, Any]] = MappingProxyType(
    {
        ROLLING: {},
        "canary": {"strategy": "canary", "strategyConfig": {**AT_ONCE, "stages": "50,100"}},
        "blue-green": {"strategy": "blue-green", "strategyConfig": AT_ONCE, "autoscaling": {"maxReplicas": 3}},
        "ab-testing": {"strategy": "ab-testing", "strategyConfig": {"experiment": AFTER_ONE_LOOK}},
    }
)


@dataclass(frozen=True)
class Outcome:
    """What came of one act: what was wrong with it, if anything, and how long after each death the work went on."""

    act: Act
    world: str
    complaints: tuple[str, ...]
    resumed_after: tuple[float | None, ...] = ()

    def __str__(self) -> str:
        deaths = " and ".join(map(str, self.act.points)) or f"{self.act.verb}: undisturbed"
        return f"{self.world}: {deaths}"


@dataclass
class Life:
    """One tenant with one plugin of its own; `environment` prod asks people, `runtime` backend has a database."""

    ground: FakeGround
    environment: str = "dev"
    runtime: str = "backend"
    strategy: str = ROLLING
    name: str = field(default_factory=make_name)
    installation: UUID | None = None

    @property
    def namespace(self) -> str:
        """Where it lives."""
        return f"{self.name}-{self.environment}"

    def request(self, version: int) -> InstallRequest:
        """The request for this version."""
        plugin = {"name": f"{SCOPE}{self.name}", "version": f"{version}.0.0", "runtime": {"type": self.runtime}}
        return make_request(tenant=self.name, environment=self.environment, plugin=plugin, **ASKED[self.strategy])

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

    async def play(self, act: Act) -> tuple[Carried, Counter[str]]:
        """How the act went, and what it changed in the cluster."""
        if act.lies:
            self.ground.gateway.lying.add(self.name)
        since = self.ground.ledger.mark()
        carried = await carry_to_end(self.ground, await self.ask(act.verb), [Fate(point) for point in act.points])
        self.ground.gateway.lying.discard(self.name)
        return carried, self.changes(since)

    def changes(self, since: int) -> Counter[str]:
        """What was changed since, the life's own name and the revisions' numbers left out, so that two lives can be compared."""
        found = self.ground.ledger.changes(self.namespace, since)
        numbers = sorted({int(number) for what in found for number in REVISION.findall(what)})

        def plain(what: str) -> str:
            told = REVISION.sub(lambda number: f"-r[{numbers.index(int(number[1]))}]", what)
            return told.replace(self.namespace, "its namespace").replace(self.name, "it")

        return Counter({plain(what): count for what, count in found.items()})

    def made(self) -> Counter[str]:
        """How often each of its images was pushed and its database was created so far."""
        pushed, created = self.ground.builder.pushed, self.ground.databases.created
        images = {tag: count for tag, count in pushed.items() if self.name in tag}
        return Counter({**images, **{name: created[name] for name in self.databases()}})

    def images(self) -> list[str]:
        """Every tag of its images that the registry has."""
        return [tag for name, tags in self.ground.registry.images.items() if self.name in name for tag in tags]

    def databases(self) -> list[str]:
        """The databases that its operations made."""
        if self.installation is None:
            return []
        return [one for one in self.ground.databases.made if self.installation.hex[:16] in one]
