"""A new revision is as large as its share of the requests needs, before it has it. The world is in memory."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import groupby
from typing import Any
from uuid import UUID

import pytest

import blocks.work
from blocks.domain.diagnosis import is_pod_ready
from blocks.domain.errors import StandAside
from blocks.domain.journal import Phase
from blocks.domain.objects.blueprint import Object
from blocks.domain.status import InstallationView, see_planned
from blocks.settings import Settings
from blocks.toolchain import Toolchain
from tests.fakes.cluster import FakeCluster
from tests.flows.conftest import ON_SQLITE, Outside
from tests.flows.standing import replicas, wanted, weights
from tests.flows.test_canary import BAD, BOB, GOOD, update
from tests.flows.test_canary_steps import BETA, PERSON, UNMEASURED, by_steps
from tests.flows.test_update import installed

pytestmark = ON_SQLITE

FOUR = 4
# What a revision that is met by copies of all requests has of them.
ALL = 100


async def test_it_grows_with_its_share_and_the_one_before_stays_whole(outside: Outside) -> None:
    first = await installed(outside, replicas=FOUR)
    seen = await update(outside, first, GOOD, **unwatched(BETA, 20, 60, 100))
    assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason
    assert sizes(outside.cluster, seen) == [(0, 1), (20, 1), (60, 3), (100, 4)]
    assert short_of(outside.cluster, seen) == []
    assert replicas(outside.cluster) == {f"{seen.slug}-r1": 0, f"{seen.slug}-r2": FOUR}
    assert see_planned(seen.operation.steps)["route_stage:3"] == (
        "send 60 % of the requests to the revision with 3 of its 4 replicas, in one write"
    )


async def test_bad_numbers_take_its_requests_before_its_replicas(outside: Outside) -> None:
    first = await installed(outside, replicas=FOUR)
    before = wanted(outside.cluster)
    seen = await update(outside, first, BAD, replicas=FOUR)
    assert seen.operation.phase is Phase.WITHDRAWN
    # It has those that the next stage would have needed when its requests go.
    assert sizes(outside.cluster, seen) == [(0, 1), (20, 1), (0, 3)]
    assert short_of(outside.cluster, seen) == []
    assert wanted(outside.cluster) == before


async def test_who_dies_between_its_replicas_and_its_share_changes_nothing(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promoted fully, it has all of its replicas before it has all requests."""
    first = await installed(outside, replicas=FOUR)
    seen = await update(outside, first, GOOD, **unwatched(PERSON, 60, 80, 100))
    await outside.words.promote(seen.operation.id, BOB, "it mends an outage", fully=True)
    with monkeypatch.context() as patched:
        patched.setattr(blocks.work, "open_toolchain", mortal(outside, ALL))
        seen = await outside.carry_on(seen)
    assert seen.operation.phase is Phase.APPLYING
    assert replicas(outside.cluster) == {f"{seen.slug}-r1": FOUR, f"{seen.slug}-r2": FOUR}
    assert weights(outside.cluster) == {f"{seen.slug}-r1": 70, f"{seen.slug}-r2": 30}
    seen = await outside.carry_on(seen)
    assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason
    assert sizes(outside.cluster, seen) == [(0, 2), (30, 2), (100, 4)]
    assert short_of(outside.cluster, seen) == []


async def test_while_a_stage_ends_the_pods_of_the_next_are_made(outside: Outside) -> None:
    """The next one need not wait for them; and nobody is sent to them before it begins."""
    first = await installed(outside, replicas=FOUR)
    asked = unwatched(20, 60, 100)
    seen = await update(outside, first, GOOD, **asked | {"strategyConfig": asked["strategyConfig"] | {"stageInterval": 1}})
    assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason
    assert sizes(outside.cluster, seen) == [(0, 1), (20, 1), (60, 3), (100, 4)]
    last_sizes = [[*moments][-1][1] for _, moments in groupby(story(outside.cluster, seen), lambda one: one[0])]
    assert last_sizes == [1, 3, 4, 4]
    assert short_of(outside.cluster, seen) == []


def unwatched(*stages: object) -> dict[str, Any]:
    """What is asked for of four replicas by stages that last no time."""
    return {"replicas": FOUR, "strategyConfig": by_steps(*stages, analysis=UNMEASURED) | {"stageInterval": 0}}


def share(route: Object, name: str) -> int:
    """How many of a hundred requests meet the revision, or copies of them."""
    *_, last = route["spec"]["rules"]
    return ALL if "filters" in last else sum(one["weight"] for one in last["backendRefs"] if one["name"] == name)


def story(cluster: FakeCluster, seen: InstallationView) -> Iterator[tuple[int, int, tuple[int, int]]]:
    """After each change in the cluster since there is a second revision: its share, its replicas, and the ready pods of both."""
    new, met, ready, size = f"{seen.slug}-r2", 0, {1: set[str](), 2: set[str]()}, 0
    for change in cluster.store.log:
        plural, _, name = change.key
        gone = change.kind == "DELETED"
        if plural == "pods":
            of = 2 if name.startswith(f"{new}-") else 1
            (ready[of].discard if gone or not is_pod_ready(change.found) else ready[of].add)(name)
        elif plural == "httproutes":
            met = share(change.found, new)
        elif name == new and plural == "deployments":
            size = 0 if gone else change.found["spec"]["replicas"]
        if size or met:
            yield met, size, (len(ready[1]), len(ready[2]))


def sizes(cluster: FakeCluster, seen: InstallationView) -> list[tuple[int, int]]:
    """The share and the replicas with which each share began, in order."""
    return [next((met, size) for met, size, _ in moments) for met, moments in groupby(story(cluster, seen), lambda one: one[0])]


def short_of(cluster: FakeCluster, seen: InstallationView) -> list[tuple[int, int, tuple[int, int]]]:
    """The moments at which a revision had more requests than pods for them, or the one before was not whole while it had any."""
    return [
        (met, size, (old, new))
        for met, size, (old, new) in story(cluster, seen)
        if new * 100 < met * FOUR or (met < ALL and old < FOUR)
    ]


class MortalCluster:
    """A cluster whose user dies before it writes a route with so many requests for the second revision."""

    def __init__(self, cluster: Any, name: str, weight: int) -> None:
        self._cluster, self._name, self._weight = cluster, name, weight

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cluster, name)

    async def apply(self, desired: Object) -> Any:
        """What was applied."""
        if desired["kind"] == "HTTPRoute" and share(desired, self._name) == self._weight:
            raise StandAside("it is dead")
        return await self._cluster.apply(desired)


def mortal(outside: Outside, weight: int) -> Any:
    """What opens the toolchain of somebody who dies there."""

    @asynccontextmanager
    async def opened(settings: Settings, operation: UUID) -> AsyncIterator[Toolchain]:
        async with outside.open(settings, operation) as tools:
            order = await outside.operations.order(operation)
            slug = (await outside.see(order.installation)).slug
            cluster: Any = MortalCluster(tools.cluster, f"{slug}-r2", weight)
            yield replace(tools, cluster=cluster)

    return opened
