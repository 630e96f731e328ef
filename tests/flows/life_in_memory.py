"""A life on the fake cluster: releases are what the memory of the fakes says, people are counters that were written down before."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from blocks.cluster.paths import KINDS
from blocks.domain.errors import Unreachable
from blocks.domain.manifest import Runtime
from blocks.domain.objects.blueprint import RUNTIMES
from blocks.domain.objects.names import Name
from blocks.domain.questions import cluster_of
from blocks.ports.cluster import Reply
from tests.fakes.cluster import FakeCluster
from tests.fakes.cluster_store import Key
from tests.flows.conftest import PLUGIN, Outside
from tests.flows.life import BAD, GOOD, REVISIONS, SILENT, Life, Nature, Pace
from tests.flows.test_update import FRONTEND

TEAM = "team"
# A sample each second, as often as can be asked for, and no second longer than it takes to have one.
ANALYSIS = {"interval": 1, "minRequests": 5, "errorLimit": 1, "extend": 0}
EXPERIMENT = {"share": 20, "interval": 1, "duration": 1, "minRequests": 5, "errorLimit": 1, "undecided": "promote"}
# Seconds for which the counters are written down before and after the present.
BEFORE, AFTER = 10, 600
PODS = {Nature.CRASHING: "crash", Nature.UNREADY: "unready"}


@dataclass
class LifeInMemory(Life):
    """One installation with the fakes behind it."""

    pace: ClassVar[Pace] = Pace(ANALYSIS, EXPERIMENT, three_samples=3, deadline=0.5, followed=10, look_every=0.01)
    plugin: ClassVar[Mapping[str, Any]] = MappingProxyType(FRONTEND)
    outside: Outside
    is_broken: bool = False

    async def stands(self) -> FakeCluster:
        """The cluster itself."""
        return self.outside.cluster

    async def publish(self, version: str, nature: Nature = Nature.WELL) -> None:
        """The source knows this version only; the plugin answers that it is what was put up last, or another one."""
        self.outside.release(version)
        self.outside.cluster.pods_are = PODS.get(nature, "ready")
        other = Reply(200, {"x-plugin-release": f"{PLUGIN}@0.0.1"}, "")
        if nature is Nature.DISGUISED:
            self.outside.web.answers = [other]
        elif nature is Nature.TURNCOAT:
            self.outside.web.answers.append(other)

    async def answer(self, answers: Mapping[str, int]) -> None:
        """The gateway counts so of every revision that is to come; each restarts at nothing."""
        now, port = time.time(), RUNTIMES[Runtime.FRONTEND].port
        self.outside.metrics.scrapes.clear()
        for number in REVISIONS:
            cluster = cluster_of(self.first.namespace, f"{self.first.slug}-r{number}", port)
            for second in range(BEFORE + AFTER):
                counted = {kind: count * second for kind, count in self._answers_of(number, answers).items()}
                self.outside.metrics.scrape(cluster, now + second - BEFORE, counted, latency_ms=30)

    async def break_down(self) -> None:
        """The pods of the first revision crash."""
        self.outside.cluster.pods_are = "crash"
        await self.outside.cluster.restart(f"{self.first.slug}-r1")
        self.outside.cluster.pods_are = "ready"
        self.is_broken = True

    async def mend(self) -> None:
        """It answers that it is the version that there is."""
        self.outside.release(self.outside.releases.version)

    def lose_prometheus(self) -> None:
        """It does not answer."""
        self.outside.metrics.fails = Unreachable("Prometheus does not answer")

    async def read(self, name: Name) -> dict[str, Any] | None:
        """What the store has of it."""
        return self.outside.cluster.store.objects.get(key_of(name))

    async def remove(self, name: Name) -> None:
        """It is deleted; a Deployment with its pods."""
        if name.kind == "Deployment":
            await self.outside.cluster.take_down(name.name)
        else:
            self.outside.cluster.store.delete(key_of(name))

    async def create(self, name: Name, said: Mapping[str, Any]) -> None:
        """It is made."""
        body = {"kind": name.kind, "apiVersion": "v1", "metadata": {"name": name.name}, **said}
        self.outside.cluster.store.create(key_of(name), body, TEAM)

    async def write(self, name: Name, said: Mapping[str, Any]) -> None:
        """The fields are applied with force."""
        named = {**said, "metadata": {"name": name.name} | said.get("metadata", {})}
        self.outside.cluster.store.apply(key_of(name), named, TEAM, force=True)

    def _answers_of(self, number: int, answers: Mapping[str, int]) -> Mapping[str, int]:
        # Whatever is to come, what serves is as good as it was.
        if number > 1 or answers == SILENT:
            return answers
        return BAD if self.is_broken else GOOD


def key_of(name: Name) -> Key:
    """Under what the store keeps it."""
    return KINDS[name.kind][1], name.namespace, name.name
