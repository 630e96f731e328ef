"""A plugin that nothing but its Service leads people to: the pods' numbers share the requests. The world is in memory."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any
from uuid import UUID

import pytest

import blocks.work
from blocks.domain.diagnosis import is_pod_ready
from blocks.domain.errors import StandAside
from blocks.domain.journal import Phase
from blocks.domain.mesh import AUTO, GATEWAY_GROUP
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.labels import REVISION
from blocks.domain.status import InstallationView, see_planned
from blocks.ports.cluster import Reply
from blocks.settings import Settings
from blocks.toolchain import Toolchain
from tests.fakes.cluster import FakeCluster
from tests.flows.conftest import ON_SQLITE, Outside
from tests.flows.standing import replicas, wanted
from tests.flows.test_canary import ANALYSIS, steps
from tests.flows.test_update import FRONTEND, installed
from tests.tasks.carried import ScriptedWeb

pytestmark = ON_SQLITE

FOUR = 4
BOTH = 0
READY = {"name": "ready", "http": {"path": "/ready", "timeout": 0.5}}
# 10 % cannot be had of four pods, and a half can.
STAGES: dict[str, Any] = {"stages": "10,50,100", "stageInterval": 0, "analysis": ANALYSIS | {"metrics": [READY]}}
CANARY: dict[str, Any] = {"strategy": "canary", "strategyConfig": STAGES}


@dataclass
class Revisions(ScriptedWeb):
    """The Services of the cluster; a revision that is asked itself answers with its own status."""

    own: int = 200

    async def ask(self, host: str, path: str, headers: Mapping[str, str] | None = None) -> Reply:
        reply = await super().ask(host, path, headers)
        return Reply(self.own, {}, "") if "-r" in host.partition(".")[0] else reply


@pytest.fixture
def plain(outside: Outside) -> Outside:
    """A cluster that serves nothing that could carry requests."""
    outside.cluster.groups -= {GATEWAY_GROUP}
    outside.settings = outside.settings.model_copy(update={"service_mesh_provider": AUTO})
    outside.web = Revisions(outside.web.answers)
    return outside


async def updated(plain: Outside, first: InstallationView, **changes: Any) -> InstallationView:
    """The installation after an update with as many replicas."""
    return await plain.install(**{"tenant": first.tenant, "plugin": FRONTEND, "replicas": FOUR} | changes)


async def test_it_is_reached_by_its_service_alone_from_the_first_day_to_the_last(plain: Outside) -> None:
    before = plain.cluster.names()
    first = await installed(plain, replicas=FOUR)
    assert first.revision is not None
    assert first.revision.url == f"http://{first.slug}.{first.namespace}.svc:3000"
    seen = await updated(plain, first, config={"colour": "red"})
    assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason
    assert {host for host, _ in plain.web.asked} == {f"{first.slug}.{first.namespace}.svc:3000"}
    assert [moment.leads for moment in turns(plain.cluster, seen)] == [1, 2]
    assert short_of(plain.cluster, seen, FOUR) == []
    assert replicas(plain.cluster) == {f"{seen.slug}-r1": 0, f"{seen.slug}-r2": FOUR}
    await plain.uninstall(seen.id)
    assert plain.cluster.names() == before


async def test_pods_in_waves_take_their_share_as_they_come(plain: Outside) -> None:
    first = await installed(plain, replicas=FOUR)
    seen = await updated(plain, first, strategyConfig={"maxSurge": 1, "maxUnavailable": 1})
    assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason
    assert [moment.leads for moment in turns(plain.cluster, seen)] == [1, BOTH, 2]
    assert short_of(plain.cluster, seen, FOUR - 1) == []


async def test_a_canary_has_its_share_by_the_number_of_its_pods_and_the_way_back_is_one_write(plain: Outside) -> None:
    first = await installed(plain, replicas=FOUR)
    seen = await updated(plain, first, **CANARY)
    assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason
    assert steps(seen) == [f"{what}:{number}" for number in (1, 2, 3) for what in ("route_stage", "watch_stage")]
    assert {(1, 4), (2, 2)} <= {(one.new, one.old) for one in story(plain.cluster, seen) if one.leads == BOTH}
    assert replicas(plain.cluster) == {f"{seen.slug}-r1": 0, f"{seen.slug}-r2": FOUR}
    assert see_planned(seen.operation.steps)["route_stage:1"].endswith("10 % are asked for, 1 of 5 pods are 20 %")
    plain.release("1.2.3")
    back = await plain.roll_back(seen.id)
    assert back.operation.phase is Phase.SUCCEEDED, back.operation.reason
    assert [moment.leads for moment in turns(plain.cluster, back)] == [1, BOTH, 2, 1]
    assert short_of(plain.cluster, back, FOUR) == []


async def test_a_bad_one_loses_the_requests_in_one_write_and_then_its_pods(plain: Outside) -> None:
    first = await installed(plain, replicas=FOUR)
    before = wanted(plain.cluster)
    plain.web = Revisions(plain.web.answers, own=500)
    seen = await updated(plain, first, **CANARY | {"strategyConfig": STAGES | {"stages": "50,100"}})
    assert (seen.operation.phase, seen.operation.reason and seen.operation.reason.code) == (Phase.WITHDRAWN, "analysis-failed")
    *_, back = turns(plain.cluster, seen)
    assert back == Moment(1, new=2, old=2)
    assert wanted(plain.cluster) == before


async def test_who_dies_between_requests_and_pods_changes_nothing(plain: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await installed(plain, replicas=FOUR)
    with monkeypatch.context() as patched:
        patched.setattr(blocks.work, "open_toolchain", mortal(plain, f"{first.slug}-r1", 2))
        seen = await updated(plain, first, **CANARY | {"strategyConfig": STAGES | {"analysis": {"enabled": False}}})
    assert (seen.operation.phase, steps(seen)[-1]) == (Phase.APPLYING, "route_stage:2")
    seen = await plain.carry_on(seen)
    assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason
    assert short_of(plain.cluster, seen, FOUR) == []
    assert replicas(plain.cluster) == {f"{seen.slug}-r1": 0, f"{seen.slug}-r2": FOUR}


async def test_a_blue_one_is_asked_at_its_own_service_before_it_is_green(plain: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.smoke.PAUSES", (0.0,))
    first = await installed(plain, replicas=FOUR)
    before, config = wanted(plain.cluster), {"smokeTest": {"path": "/hello"}, "stageInterval": 0, "analysis": {"enabled": False}}
    web = plain.web = Revisions(plain.web.answers, own=500)
    blue = await updated(plain, first, strategy="blue-green", strategyConfig=config)
    assert (blue.operation.phase, wanted(plain.cluster)) == (Phase.WITHDRAWN, before)
    assert [moment.leads for moment in turns(plain.cluster, blue)] == [1]
    web.own = 200
    green = await updated(plain, first, strategy="blue-green", strategyConfig=config, config={"colour": "green"})
    assert green.operation.phase is Phase.SUCCEEDED, green.operation.reason
    assert (f"{green.slug}-r3.{green.namespace}.svc:3000", "/hello") in web.asked
    assert [moment.leads for moment in turns(plain.cluster, green)] == [1, 3]


async def test_it_cannot_be_switched_off_and_stays_as_it_is(plain: Outside) -> None:
    seen = await installed(plain)
    before = wanted(plain.cluster)
    off = await plain.switch(seen.id, "disable")
    assert off.operation.reason is not None
    assert (off.operation.phase, off.enabled) == (Phase.WITHDRAWN, True)
    assert "cannot be switched off" in off.operation.reason.message
    assert wanted(plain.cluster) == before


@dataclass(frozen=True)
class Moment:
    """To which revision the Service leads (0: to both), and the ready pods of each."""

    leads: int
    new: int
    old: int

    @property
    def led_to(self) -> int:
        """How many ready pods the requests find."""
        return {BOTH: self.new + self.old, 1: self.old}.get(self.leads, self.new)


def leads(service: Object) -> int:
    """The revision whose pods the Service selects, 0 for those of both."""
    return int(service["spec"]["selector"].get(REVISION, BOTH))


def story(cluster: FakeCluster, seen: InstallationView) -> Iterator[Moment]:
    """After each change in the cluster since people were led to anything."""
    met, ready = None, defaultdict[int, set[str]](set)
    for change in cluster.store.log:
        plural, _, name = change.key
        gone = change.kind == "DELETED"
        if plural == "pods":
            of = int(change.found["metadata"]["labels"][REVISION])
            (ready[of].discard if gone or not is_pod_ready(change.found) else ready[of].add)(name)
        elif (plural, name) == ("services", seen.slug):
            met = None if gone else leads(change.found)
        if met is not None:
            yield Moment(met, len(ready[2]), len(ready[1]))


def turns(cluster: FakeCluster, seen: InstallationView) -> list[Moment]:
    """The moments at which people began to be led elsewhere."""
    return [next(moments) for _, moments in groupby(story(cluster, seen), lambda one: one.leads)]


def short_of(cluster: FakeCluster, seen: InstallationView, least: int) -> list[Moment]:
    """The moments at which the requests found fewer ready pods."""
    return [one for one in story(cluster, seen) if one.led_to < least]


class MortalCluster:
    """A cluster whose user dies before it lets the Deployment have so many pods."""

    def __init__(self, cluster: Any, name: str, size: int) -> None:
        self._cluster, self._name, self._size = cluster, name, size

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cluster, name)

    async def apply(self, desired: Object) -> Any:
        """What was applied."""
        if (desired["metadata"]["name"], desired["spec"].get("replicas") if "spec" in desired else None) == (
            self._name,
            self._size,
        ):
            raise StandAside("it is dead")
        return await self._cluster.apply(desired)


def mortal(plain: Outside, name: str, size: int) -> Any:
    """What opens the toolchain of somebody who dies there."""

    @asynccontextmanager
    async def opened(settings: Settings, operation: UUID) -> AsyncIterator[Toolchain]:
        async with plain.open(settings, operation) as tools:
            cluster: Any = MortalCluster(tools.cluster, name, size)
            yield replace(tools, cluster=cluster)

    return opened
