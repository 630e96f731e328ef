"""A world in memory that knows two plugins, and sets of them."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlmodel import col

from blocks.catalog.database import pick, statement
from blocks.catalog.plugin_sets import PluginSets, SetView
from blocks.catalog.requests import Asked
from blocks.catalog.set_requests import SetRequested, SetRequests
from blocks.catalog.tables import JournalEntry
from blocks.domain.errors import Unresolvable
from blocks.domain.journal import Kind, Phase
from blocks.domain.manifest import Runtime
from blocks.domain.naming import slug
from blocks.domain.objects.blueprint import RUNTIMES
from blocks.domain.plugin_sets import SetRequest
from blocks.domain.questions import cluster_of
from blocks.domain.recipe import PROJECT_FILE
from blocks.domain.resolution import Gap, Listing, Published
from blocks.domain.status import InstallationView
from blocks.ports.cluster import Reply
from blocks.ports.sources import Access, Locked
from flows.install_set import install_set
from tests.fakes.releases import INTEGRITY, MemoryReleases
from tests.flows.conftest import Outside
from tests.tasks.carried import ScriptedWeb

FIRST, SECOND = "@a/first", "@a/second"
NAMES = (FIRST, SECOND)
TENANT = "paired"


class Pair(MemoryReleases):
    """A source that knows both plugins, in one version at a time."""

    def __init__(self) -> None:
        super().__init__("")
        self.gone: set[str] = set()

    async def releases(self, name: str) -> Listing:
        """The one release of the plugin, unless it is gone."""
        if name not in NAMES or name in self.gone:
            raise Unresolvable(f"{name} is not published")
        return Listing(name, (Published(self.version, INTEGRITY, f"{self.address}{name}.tgz"),))

    async def lock(self, project: Mapping[str, str], access: Access) -> Locked | Gap:
        """A lock with the plugin alone."""
        (name,) = [one for one in json.loads(project[PROJECT_FILE])["dependencies"] if one in NAMES]
        self.name = name
        return await super().lock(project, access)


@dataclass
class PairedWeb(ScriptedWeb):
    """Both plugins say the version that is published; one that is `disguised` says another."""

    source: Pair = field(default_factory=Pair)
    disguised: set[str] = field(default_factory=set)

    async def ask(self, host: str, path: str, headers: Mapping[str, str] | None = None) -> Reply:
        """The version, without a name."""
        bad = any(slug(name) in host for name in self.disguised)
        return Reply(200, {"x-plugin-release": "@0.0.1" if bad else f"@{self.source.version}"}, "")


class Paired:
    """The world with both plugins, and the people who ask for them together."""

    def __init__(self, outside: Outside) -> None:
        self.outside, self.source = outside, Pair()
        outside.releases = self.source
        self.web = PairedWeb(source=self.source)
        outside.web = self.web
        self.sets = PluginSets(outside.engine, outside.seals)

    async def ask(self, environment: str = "dev", **changes: Any) -> SetRequested:
        """Both are asked for, the second first, which depends on the first; `changes` are those of both."""
        plugins = [plugin(SECOND, dependsOn=[FIRST], **changes), plugin(FIRST, **changes)]
        said = {"name": "pair", "tenant": TENANT, "environment": environment, "plugins": plugins}
        return await SetRequests(self.outside.engine).request_set(SetRequest.model_validate(said), Asked("ann"))

    async def carry(self, asked: SetRequested) -> list[InstallationView]:
        """Both installations, the first first, after one run has carried them as far as they go."""
        await install_set(asked.operations[0], return_state=True)
        return await self.see(asked)

    async def see(self, asked: SetRequested) -> list[InstallationView]:
        """Both installations as they stand."""
        return [await self.outside.see(one.installation) for one in (await self.view(asked)).members]

    async def view(self, asked: SetRequested) -> SetView:
        """The set as it is recorded."""
        found = await self.sets.plugin_set(asked.plugin_set)
        assert found is not None
        return found

    async def served(self, **changes: Any) -> list[InstallationView]:
        """Both serve in version 1.2.3, and 2.0.0 is published."""
        seen = await self.carry(await self.ask(**changes))
        assert phases(seen) == [Phase.SUCCEEDED] * 2, [one.operation.reason for one in seen]
        self.source.version = "2.0.0"
        return seen

    def answer(self, name: str, answers: Mapping[str, int]) -> None:
        """So many answers a second come from the second revision of the plugin, by their class."""
        now, cluster = time.time(), cluster_of(f"{TENANT}-dev", f"{slug(name)}-r2", RUNTIMES[Runtime.FRONTEND].port)
        for second in range(-10, 600):
            counted = {kind: count * (second + 10) for kind, count in answers.items()}
            self.outside.metrics.scrape(cluster, now + second, counted, latency_ms=30)

    async def told(self, asked: SetRequested) -> list[tuple[str, str, Kind]]:
        """What the journals of both say, in the order in which it was written: which plugin, which step, and what of it."""
        names = {one.operation: one.plugin for one in (await self.view(asked)).members}
        lines = pick(JournalEntry.operation, JournalEntry.step, JournalEntry.kind, JournalEntry.at, JournalEntry.seq)
        mine = lines.where(col(JournalEntry.operation).in_(asked.operations))
        async with statement(self.outside.engine) as database:
            rows = (await database.execute(mine.order_by(col(JournalEntry.at), col(JournalEntry.seq)))).all()
        return [(names[UUID(str(row.operation))], row.step, Kind(row.kind)) for row in rows]


def plugin(name: str, **changes: Any) -> dict[str, Any]:
    """A request for a frontend plugin without a tenant of its own."""
    return {"plugin": {"name": name, "version": "*", "runtime": {"type": "frontend"}}} | changes


def phases(seen: list[InstallationView]) -> list[Phase]:
    """Where each operation stands."""
    return [one.operation.phase for one in seen]
