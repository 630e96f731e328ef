"""Nothing but plain Services on the real cluster: pods share the requests, and whoever asks the Service meanwhile is always answered.

The product of the world is told to use its gateway, so the flows are told in this process, with a setting of their own.
"""

import secrets
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.timeline import Timelines
from blocks.domain.journal import Phase
from blocks.domain.status import InstallationView, see_planned
from tests.e2e.api import Product
from tests.e2e.folders import Service
from tests.e2e.left import objects_in, tags_of
from tests.e2e.life import RealLife, RealTeller, end, plugin_of
from tests.e2e.rollouts import ALARM, FOLLOWS, publish
from tests.e2e.traffic import CERTAIN, Traffic, is_likely, using
from tests.flows.judged import pods_of, settle
from tests.flows.life import CANARY
from tests.flows.standing import wanted
from tests.flows.teller import use_settings_of

pytestmark = pytest.mark.world
FIRST, GOOD, BAD = "1.2.3", "2.0.0", "3.0.0"
BLUE, WAVES = "2.1.0", "2.2.0"
REPLICAS = 4
GREETING = "Hello from a plugin"
# Nobody counts what is answered here: the revision is asked itself, and its pods are looked at.
GREETS = {"name": "greets", "http": {"path": "/hello", "field": "message", "equals": GREETING, "timeout": 2}}
ANALYSIS = {"interval": 5, "metrics": [GREETS], "pods": {"restarts": 0, "notReady": 0}}
STAGES = [{"weight": 25}, {"weight": 50}, {"weight": 100, "pause": 6}]
STAGED = {"strategy": CANARY, "strategyConfig": {"stages": STAGES, "stageInterval": 10, "analysis": ANALYSIS}}
SWITCHED = {
    "strategy": "blue-green",
    "strategyConfig": {"smokeTest": {"path": "/hello"}, "stageInterval": 2, "analysis": {"enabled": False}},
}
IN_WAVES = {"strategy": "rolling-update", "strategyConfig": {"maxSurge": 1, "maxUnavailable": 0}}
# The ready pods of the new revision and of the one before, by which the shares are made.
RATIOS = ((1, 3), (2, 2))
# Of so many requests enough show to whom all are led.
ENOUGH = 2 * CERTAIN


@pytest.fixture
def plain(
    remembering: AsyncEngine, storage: Path, service: Service, prefect_server: None, monkeypatch: pytest.MonkeyPatch
) -> RealTeller:
    """Flows in this process that lead people by Services alone."""
    made = RealTeller(remembering, storage, service)
    made.settings = made.settings.model_copy(update={"service_mesh_provider": "services"})
    use_settings_of(made, monkeypatch)
    return made


@pytest.fixture
async def life(plain: RealTeller, product: Product) -> AsyncIterator[RealLife]:
    """The first release serves with all its pods; at the end the plugin is taken away, and nothing of it is left."""
    tenant = f"plain-{secrets.token_hex(4)}"
    seen = await come(plain, product, FIRST, tenant=tenant)
    assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason
    begun = RealLife(plain, seen, CANARY, product=product)
    await begun.remember()
    yield begun
    ended = await end(begun)
    assert ended.operation.phase is Phase.SUCCEEDED, ended.operation.reason
    assert objects_in(product, seen.namespace) == frozenset()


async def test_a_canary_by_pods_is_met_by_its_share_then_by_all_and_a_bad_one_goes_back_unnoticed(life: RealLife) -> None:
    await assert_a_good_one_comes(life)
    await life.remember()
    await assert_a_bad_one_goes_back(life)


@pytest.mark.long
async def test_a_switch_and_waves_and_the_way_back_by_hand_go_unnoticed(life: RealLife) -> None:
    with visitors(life) as traffic:
        blue = await come(life.outside, life.product, BLUE, tenant=life.first.tenant, **SWITCHED)
        await assert_it_came(life, traffic, blue, BLUE)
        new = await come(life.outside, life.product, WAVES, tenant=life.first.tenant, **IN_WAVES)
        await assert_it_came(life, traffic, new, WAVES)
        back = await life.outside.roll_back(life.first.id)
        await assert_it_came(life, traffic, back, BLUE)
    assert [one for one in traffic.answers if one.failed] == []
    assert await whom_they_met(life, traffic, blue) == [FIRST, BLUE]
    assert await whom_they_met(life, traffic, new) == [BLUE, WAVES]
    assert pods_of(await life.stands()) == {2: REPLICAS}


async def assert_it_came(life: RealLife, traffic: Traffic, seen: InstallationView, version: str) -> None:
    """The operation has succeeded, and everybody who asked after it meets this release."""
    assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason
    finished = (await tell(life, seen))["operation", "finished"]
    traffic.await_answers(finished + FOLLOWS, ENOUGH)
    await assert_all_meet(life, traffic, version, finished)


async def whom_they_met(life: RealLife, traffic: Traffic, seen: InstallationView) -> list[str]:
    """The versions that answered from the beginning of the operation to its end, in the order in which they were first met."""
    told = await tell(life, seen)
    met = traffic.between(told["make_plan", "done"], told["operation", "finished"] + FOLLOWS)
    return [one.rpartition("@")[2] for one in dict.fromkeys(answer.release for answer in met)]


async def assert_a_good_one_comes(life: RealLife) -> None:
    """By the ratio of its ready pods first, then for all; nobody notices."""
    with visitors(life) as traffic:
        seen = await come(life.outside, life.product, GOOD, tenant=life.first.tenant, **STAGED)
        told = await tell(life, seen)
        traffic.await_answers(told["operation", "finished"], ENOUGH)
    assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason
    assert [one for one in traffic.answers if one.failed] == []
    for stage, (new, old) in enumerate(RATIOS, 1):
        assert f"by {new} pod" in (planned := see_planned(seen.operation.steps)[f"route_stage:{stage}"])
        assert planned.endswith(f"beside {old} of the one before")
        met = traffic.between(told[f"route_stage:{stage}", "done"] + FOLLOWS, told[f"watch_stage:{stage}", "done"])
        hits = sum(one.release == f"{life.first.plugin}@{GOOD}" for one in met)
        assert len(met) > 100
        assert is_likely(hits, len(met), new / (new + old), ALARM), f"stage {stage}: {hits} of {len(met)} met the new release"
    await assert_all_meet(life, traffic, GOOD, told["route_stage:3", "done"])
    assert pods_of(await life.stands()) == {2: REPLICAS}


async def assert_a_bad_one_goes_back(life: RealLife) -> None:
    """What it says to its check brings it back; people met it, and none of them is left on it or went without an answer."""
    images = tags_of(life.product, life.outside.plugin.name)
    with visitors(life) as traffic:
        seen = await come(life.outside, life.product, BAD, tenant=life.first.tenant, **STAGED)
        told = await tell(life, seen)
        traffic.await_answers(told["operation", "withdrawn"] + FOLLOWS, ENOUGH)
    reason = seen.operation.reason
    assert reason is not None
    assert (seen.operation.phase, reason.code) == (Phase.WITHDRAWN, "analysis-failed"), reason
    assert f'greets: message is "Hello from nobody", "{GREETING}" wanted' in reason.message
    assert [one for one in traffic.answers if one.failed] == []
    met = traffic.between(told["route_stage:1", "done"] + FOLLOWS, told["route_stage:1", "undoing"])
    assert f"{life.first.plugin}@{BAD}" in {one.release for one in met}
    await assert_all_meet(life, traffic, GOOD, told["route_stage:1", "undone"])
    kept = await life.outside.views.quarantines(seen.id)
    assert [one.release for one in kept] == [f"{life.first.plugin}@{BAD}"]
    assert wanted(await life.stands()) == life.before
    assert tags_of(life.product, life.outside.plugin.name) == images


async def assert_all_meet(life: RealLife, traffic: Traffic, version: str, since: float) -> None:
    """Nobody who asked after the cluster had followed met another release, and the pods are those that are wanted."""
    await settle(life)
    release = f"{life.first.plugin}@{version}"
    assert {one.release for one in traffic.led_to(release, since)} == {release}


async def come(outside: RealTeller, product: Product, version: str, **said: Any) -> InstallationView:
    """The installation after the release was published and asked for; the bad one greets as nobody wants it."""
    publish(outside.plugin, version)
    if version == BAD:
        outside.plugin.write("server.mjs", outside.plugin.sample("server.mjs").replace("from a plugin", "from nobody"))
    return await outside.install(plugin=plugin_of(outside, product, version), replicas=REPLICAS, **said)


def visitors(life: RealLife) -> AbstractContextManager[Traffic]:
    """People who ask the plugin's Service at its own address, as others in the cluster do."""
    where = "jsonpath={.spec.clusterIP}:{.spec.ports[0].port}"
    address = life.product.kubectl("get", "service", life.first.slug, "-n", life.first.namespace, "-o", where)
    return using(f"http://{address}", address, "/hello")


async def tell(life: RealLife, seen: InstallationView) -> dict[tuple[str, str], float]:
    """When each step of the newest operation came to what, in seconds since 1970."""
    page = await Timelines(life.outside.engine).page(seen.id, 0, 500)
    return {(one.step, one.kind): one.at / 1000 for one in page.items if one.operation == seen.operation.id}
