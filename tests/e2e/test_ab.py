"""An A/B test on the real cluster behind the real Envoy: everybody keeps the variant that they met first, until a person ends it."""

import asyncio
import time
from typing import Any

import httpx
import pytest

from tests.e2e.api import Product
from tests.e2e.conftest import Tenant
from tests.e2e.folders import Service
from tests.e2e.rollouts import ALARM, at, entries, has_begun, people, publish
from tests.e2e.traffic import CERTAIN, TIMEOUT, is_likely

pytestmark = pytest.mark.world
PEOPLE, TIMES, SHARE = 100, 5, 40
FORCED = {"name": "x-try", "value": "next"}
EXPERIMENT = {"share": SHARE, "duration": 600, "interval": 5, "minRequests": 20, "header": FORCED}


class Crowd:
    """People who use the installation's greeting, each with cookies of their own."""

    def __init__(self, product: Product, seen: dict[str, Any]) -> None:
        self._url, self._host = f"{product.world.gateway_url}/hello", httpx.URL(seen["revision"]["url"]).host

    def met(self) -> list[list[str]]:
        """For each the releases that answered, one time after the other."""
        return asyncio.run(self._all())

    def meet_with_header(self) -> str:
        """The release that answers somebody who sends the header."""
        asked = {"Host": self._host, FORCED["name"]: FORCED["value"]}
        return httpx.get(self._url, headers=asked, trust_env=False, timeout=TIMEOUT).headers["x-plugin-release"]

    async def _all(self) -> list[list[str]]:
        limits = asyncio.Semaphore(20)
        return await asyncio.gather(*(self._one(limits) for _ in range(PEOPLE)))

    async def _one(self, limits: asyncio.Semaphore) -> list[str]:
        async with limits, httpx.AsyncClient(trust_env=False, headers={"Host": self._host}, timeout=TIMEOUT) as person:
            return [(await person.get(self._url)).raise_for_status().headers["x-plugin-release"] for _ in range(TIMES)]


@pytest.mark.kind("promote", "ab-testing")
def test_everybody_keeps_their_variant_until_a_person_promotes_the_new_one(
    product: Product, own_tenant: Tenant, service: Service
) -> None:
    request = service.request(product, own_tenant.name)
    first = own_tenant.install(request)
    assert first["phase"] == "succeeded", first["operation"]
    publish(service, "1.1.0")
    old, new = (f"{service.name}@{version}" for version in ("1.0.0", "1.1.0"))
    with people(product, first) as traffic:
        accepted = product.ask({**request, "strategy": "ab-testing", "strategyConfig": {"experiment": EXPERIMENT}})
        crowd = Crowd(product, first)
        product.await_that(first["id"], lambda seen: has_begun("watch_experiment")(seen) and crowd.meet_with_header() == new)
        met, forced = crowd.met(), [crowd.meet_with_header() for _ in range(10)]
        product.api.post(f"/api/v1/installations/{first['id']}/promote", json={"reason": "they like it"}).raise_for_status()
        seen = product.await_end(accepted)
    assert (seen["phase"], seen["revision"]["release"]) == ("succeeded", new), seen["operation"]
    assert [one for one in traffic.answers if one.failed] == []
    assert {len({*answers}) for answers in met} == {1}
    assert {answers[0] for answers in met} == {old, new}
    assert is_likely(sum(answers[0] == new for answers in met), PEOPLE, SHARE / 100, ALARM)
    assert {*forced} == {new}


@pytest.mark.kind("bad", "ab-testing")
def test_a_variant_that_is_certainly_worse_goes_back_by_its_numbers(
    product: Product, own_tenant: Tenant, service: Service
) -> None:
    request = service.request(product, own_tenant.name)
    first = own_tenant.install(request)
    assert first["phase"] == "succeeded", first["operation"]
    publish(service, "1.2.0", bad=True)
    with people(product, first) as traffic:
        asked = {**request, "strategy": "ab-testing", "strategyConfig": {"experiment": EXPERIMENT}}
        seen = product.await_end(product.ask(asked))
        product.await_answer(first, "/hello", 200)
        traffic.await_answers(time.time(), 2 * CERTAIN)
    operation = seen["operation"]
    assert (operation["phase"], seen["revision"]["release"]) == ("withdrawn", f"{service.name}@1.0.0"), operation
    assert operation["reason"]["code"] == "analysis-failed", operation["reason"]
    assert "B is worse: success rate 0." in operation["reason"]["message"]
    back = at(entries(product, seen), "open_variants", "undone")
    failed = [one for one in traffic.answers if one.failed]
    assert {one.status for one in failed} == {500}
    assert [one for one in traffic.led_to(f"{service.name}@1.0.0", back) if one.failed] == []
