"""The steps of a canary on the real Envoy: copies first, then those who ask for it, then a share until a person says so."""

from typing import Any

import httpx
import pytest

from tests.e2e.api import Product, step
from tests.e2e.conftest import Tenant
from tests.e2e.folders import Service
from tests.e2e.rollouts import ALARM, at, entries, has_begun, people, publish
from tests.e2e.traffic import Answer, Traffic, is_likely, using

pytestmark = pytest.mark.world
ASKS = {"x-beta": "1"}
STAGES: list[dict[str, Any]] = [
    {"weight": 0, "pause": 6, "mirror": True},
    {"weight": 0, "pause": 6, "header": {"name": "x-beta", "value": "1"}},
    {"weight": 30, "pause": "until-promoted"},
    {"weight": 100, "pause": 0},
]
STEPS = {"strategy": "canary", "strategyConfig": {"stages": STAGES, "analysis": {"interval": 6, "minRequests": 5}}}
PROMOTE = {"reason": "the testers like it"}
# Seconds that Envoy may take to follow a route on a busy machine, half of a stage: nobody at all may be met wrongly after that.
FOLLOWS = 3.0
# Requests that make a wrong split show.
ENOUGH = 150


def test_copies_then_those_who_ask_then_a_share_until_somebody_promotes_it(
    product: Product, own_tenant: Tenant, service: Service
) -> None:
    request = service.request(product, own_tenant.name)
    first = own_tenant.install(request)
    assert first["phase"] == "succeeded", first["operation"]
    publish(service, "1.1.0")
    host = httpx.URL(first["revision"]["url"]).host
    with people(product, first) as users, using(product.world.gateway_url, host, "/hello", ASKS, 10) as testers:
        accepted = product.ask({**request, **STEPS})
        seen = product.await_that(first["id"], has_begun("watch_stage:3"))
        users.await_answers(at(entries(product, seen), "route_stage:3") + FOLLOWS, ENOUGH)
        assert product.see(first["id"])["phase"] == "applying"
        product.api.post(f"/api/v1/installations/{first['id']}/promote", json=PROMOTE).raise_for_status()
        seen = product.await_end(accepted)
    assert (seen["phase"], seen["revision"]["release"]) == ("succeeded", f"{service.name}@1.1.0"), seen["operation"]
    assert [one for one in (*users.answers, *testers.answers) if one.failed] == []
    told, old, new = entries(product, seen), {f"{service.name}@1.0.0"}, {f"{service.name}@1.1.0"}
    assert (releases(during(told, 1, users)), releases(during(told, 1, testers))) == (old, old)
    assert (releases(during(told, 2, users)), releases(during(told, 2, testers))) == (old, new)
    met = during(told, 3, users)
    assert is_likely(sum({one.release} == new for one in met), len(met), 0.3, ALARM)
    # Envoy counts a copy for the cluster that it is sent to: what nobody saw was measured all the same.
    assert step(seen, "watch_stage:1")["why"].startswith("success rate 1 of ")
    assert step(seen, "watch_stage:3")["why"] == "a person promoted it"


def during(told: list[dict[str, Any]], number: int, traffic: Traffic) -> list[Answer]:
    """What was asked while the stage was in force for certain."""
    # Who asked just before its end may have been answered in the next stage.
    ends = at(told, f"watch_stage:{number}")
    found = [one for one in traffic.between(at(told, f"route_stage:{number}") + FOLLOWS, ends) if one.over < ends]
    assert found
    return found


def releases(answers: list[Answer]) -> set[str]:
    """Which releases answered."""
    return {one.release for one in answers}
