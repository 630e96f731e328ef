"""One installation in the middle of its life: what its users and its owner do, in the words that plays are written with."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from blocks.domain.approval import Speaker
from blocks.domain.errors import Unreachable
from blocks.domain.journal import Phase
from blocks.domain.manifest import Runtime
from blocks.domain.objects.blueprint import RUNTIMES
from blocks.domain.questions import cluster_of
from blocks.domain.status import InstallationView
from blocks.ports.cluster import Reply
from tests.flows.conftest import PLUGIN, Outside
from tests.flows.standing import wanted
from tests.flows.test_update import FRONTEND

ROLLING, CANARY, BLUE_GREEN = "rolling-update", "canary", "blue-green"
GOOD, BAD, SILENT = {"2": 100}, {"2": 60, "5": 40}, {"2": 0}
# A sample each second, as often as can be asked for, and no second longer than it takes to have one.
ANALYSIS = {"interval": 1, "minRequests": 5, "errorLimit": 1, "extend": 0}
UNWATCHED = {"enabled": False}
BOB = Speaker("bob", frozenset({"developer"}))
REVISIONS = range(1, 6)
# Seconds for which the counters are written down before and after the present.
BEFORE, AFTER = 10, 120


@dataclass
class Life:
    """An installation whose first revision serves release 1.2.3, and the strategy by which the next ones come.

    `before` is all that was wanted in the cluster before the play, with what somebody else did there since.
    """

    outside: Outside
    first: InstallationView
    strategy: str
    before: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.remember()

    def remember(self) -> None:
        """What stands now is what it was before."""
        self.before = wanted(self.outside.cluster)

    def config(self, analysis: Mapping[str, Any] = ANALYSIS, strategy: str = "", **said: Any) -> dict[str, Any]:
        """The strategy with what is said of it, as short as can be; a rolling update has nothing to say."""
        chosen = strategy or self.strategy
        if chosen == ROLLING:
            return {"strategy": chosen, "strategyConfig": None}
        stages = {"stages": "20,100"} if chosen == CANARY else {}
        return {"strategy": chosen, "strategyConfig": {"stageInterval": 0, "analysis": dict(analysis)} | stages | said}

    def asks(self, version: str, **changes: Any) -> dict[str, Any]:
        """What a request for the version says, by default without anybody to watch it."""
        plugin = FRONTEND | {"version": version}
        return {"tenant": self.first.tenant, "plugin": plugin} | self.config(UNWATCHED) | changes

    async def update(self, version: str, **changes: Any) -> InstallationView:
        """The installation after the release was published and asked for."""
        self.outside.release(version)
        return await self.outside.install(**self.asks(version, **changes))

    async def watched(self, version: str, answers: Mapping[str, int], **changes: Any) -> InstallationView:
        """The same, with people who get so many answers a second from every revision, by their class, and an analysis."""
        self.answer(answers)
        return await self.update(version, **self.config() | changes)

    async def disguised(self, version: str, **changes: Any) -> InstallationView:
        """The same, and then the plugin says that it is another release."""
        self.outside.release(version)
        self.outside.web.answers = [Reply(200, {"x-plugin-release": f"{PLUGIN}@0.0.1"}, "")]
        return await self.outside.install(**self.asks(version, **changes))

    async def bad(self, version: str) -> InstallationView:
        """The installation after a release that is no good: by its numbers, or, where nobody looks at those, by what it answers."""
        return await (self.disguised(version) if self.strategy == ROLLING else self.watched(version, BAD))

    async def halfway(self, version: str = "2.0.0", **changes: Any) -> InstallationView:
        """An update that waits for a person: at its first stage for want of numbers, or frozen at its last look."""
        if self.strategy == ROLLING:
            return await self.disguised(version, options={"onFailure": "freeze"}, **changes)
        return await self.watched(version, SILENT, **changes)

    async def go_on(self, seen: InstallationView) -> InstallationView:
        """The update after a person let it go on to its end, as often as that was needed; the plugin is now what it should be."""
        self.outside.release(self.outside.releases.version)
        for _ in REVISIONS:
            if seen.operation.phase is Phase.FROZEN:
                await self.outside.words.retry(seen.operation.id, BOB, "mended")
            elif seen.operation.phase is Phase.PARKED:
                await self.outside.words.promote(seen.operation.id, BOB, "good enough")
            else:
                break
            seen = await self.outside.carry_on(seen)
        return seen

    async def cancel(self, seen: InstallationView) -> InstallationView:
        """The update after it was cancelled and taken back."""
        await self.outside.words.cancel(seen.operation.id, BOB, "not today")
        return await self.outside.carry_on(seen)

    def answer(self, answers: Mapping[str, int]) -> None:
        """What the gateway counts from now on of every revision there will be; each restarts at nothing."""
        now, port = time.time(), RUNTIMES[Runtime.FRONTEND].port
        self.outside.metrics.scrapes.clear()
        for number in REVISIONS:
            cluster = cluster_of(self.first.namespace, f"{self.first.slug}-r{number}", port)
            for second in range(BEFORE + AFTER):
                counted = {kind: count * second for kind, count in answers.items()}
                self.outside.metrics.scrape(cluster, now + second - BEFORE, counted, latency_ms=30)

    def lose_prometheus(self) -> None:
        """Nothing can be measured any more."""
        self.outside.metrics.fails = Unreachable("Prometheus does not answer")

    def begun(self, seen: InstallationView) -> list[str]:
        """Which stages were begun."""
        return [one.name for one in seen.operation.steps if one.name.startswith("route_stage:")]
