"""A canary that Jobs look at beside what its users meet; the world is in memory."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

import blocks.work
from blocks.domain.errors import StandAside
from blocks.domain.journal import Phase
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.names import Name
from blocks.settings import Settings
from blocks.toolchain import Toolchain
from tests.fakes.cluster import FakeCluster, job_case
from tests.flows.conftest import ON_SQLITE, Outside
from tests.flows.standing import weights
from tests.flows.test_analysis import judged, samples
from tests.flows.test_canary import GOOD, asked_of_people
from tests.flows.test_update import installed

pytestmark = ON_SQLITE

IMAGE = f"registry.test/checks/basket@sha256:{'c' * 64}"
BASKET = {"name": "basket", "job": {"image": IMAGE, "args": ["--deep"], "deadline": 1}}
SLOW = BASKET | {"job": {"image": IMAGE, "deadline": 300}}


def jobs(cluster: FakeCluster) -> list[str]:
    """What is there of any Job: itself, its pods."""
    return sorted(name for plural, _, name in cluster.store.objects if plural in ("jobs", "pods") and "-check-" in name)


def begun(cluster: FakeCluster) -> list[dict[str, Any]]:
    """Every Job that there ever was, as it was made."""
    return [one.found for one in cluster.store.log if one.kind == "ADDED" and one.key[0] == "jobs"]


def told(found: dict[str, Any]) -> dict[str, str]:
    """The Job's environment."""
    (container,) = found["spec"]["template"]["spec"]["containers"]
    return {one["name"]: one["value"] for one in container["env"]}


async def test_it_is_run_once_at_each_stage_and_is_gone_when_it_has_spoken(outside: Outside) -> None:
    first = await installed(outside)
    seen = await judged(outside, first, GOOD, metrics=[BASKET])
    assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason
    found = [one for one in await samples(outside, seen) if one["name"] == "basket"]
    assert [(one["verdict"], one["sentence"]) for one in found] == [("good", "basket: the Job succeeded")] * 2
    ran = begun(outside.cluster)
    assert [told(one)["PLUGIN_STAGE"] for one in ran] == ["1", "2"]
    assert [one["query"] for one in found] == [f"Job {seen.namespace}/{one['metadata']['name']} of {IMAGE}" for one in ran]
    assert {told(one)["PLUGIN_REVISION"] for one in ran} == {f"{seen.slug}-r2"}
    assert jobs(outside.cluster) == []


async def test_one_that_fails_brings_it_back_with_its_last_words(outside: Outside) -> None:
    first, outside.cluster.jobs_are = await installed(outside), "fails"
    seen = await judged(outside, first, GOOD, metrics=[BASKET])
    assert seen.operation.phase is Phase.WITHDRAWN
    assert "basket: the Job ended with exit code 3; its last words: the basket is empty" in asked_of_people(seen)
    assert seen.operation.reason is not None
    assert seen.operation.reason.hint.startswith(f"it was run: Job {seen.namespace}/{seen.slug}-check-")
    assert (weights(outside.cluster), jobs(outside.cluster)) == ({f"{seen.slug}-r1": 100}, [])


async def test_one_that_hangs_is_no_failure_and_is_tried_again(outside: Outside) -> None:
    first, outside.cluster.jobs_are = await installed(outside), "hangs"
    seen = await judged(outside, first, GOOD, metrics=[BASKET], extend=60, errorLimit=2)
    assert seen.operation.phase is Phase.PARKED
    assert re.search(r"it could not be measured \d+ times in a row", asked_of_people(seen))
    assert "basket: its Job did not end within 1 s" in asked_of_people(seen)
    assert len(begun(outside.cluster)) >= 2
    assert jobs(outside.cluster) == []


async def test_whoever_takes_over_finds_the_one_that_runs_and_goes_on(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    first, cluster = await installed(outside), outside.cluster
    cluster.jobs_are = "hangs"
    with monkeypatch.context() as patched:
        patched.setattr(blocks.work, "open_toolchain", mortal(outside))
        seen = await judged(outside, first, GOOD, metrics=[SLOW], extend=300)
    assert seen.operation.phase is Phase.APPLYING
    (running,) = begun(cluster)
    cluster.jobs_are = "succeeds"
    cluster.store.set_status(("jobs", seen.namespace, running["metadata"]["name"]), job_case("succeeds")["status"])
    seen = await outside.carry_on(seen)
    assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason
    assert [told(one)["PLUGIN_STAGE"] for one in begun(cluster)] == ["1", "2"]
    assert jobs(cluster) == []


class MortalCluster:
    """A cluster whose user dies when there is a Job to be looked at."""

    def __init__(self, cluster: Any) -> None:
        self._cluster = cluster

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cluster, name)

    async def read(self, name: Name) -> Object | None:
        """What stands, but for a Job."""
        found: Object | None = await self._cluster.read(name)
        if found and name.kind == "Job":
            raise StandAside("it is dead")
        return found


def mortal(outside: Outside) -> Any:
    """What opens the toolchain of somebody who dies there."""

    @asynccontextmanager
    async def opened(settings: Settings, operation: UUID) -> AsyncIterator[Toolchain]:
        async with outside.open(settings, operation) as tools:
            cluster: Any = MortalCluster(tools.cluster)
            yield replace(tools, cluster=cluster)

    return opened
