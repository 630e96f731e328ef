"""Strategies on the real cluster behind the real Envoy, judged by the real Prometheus, while people use the plugin; nobody notices."""

import time
from typing import Any

import pytest

from tests.e2e.api import Product
from tests.e2e.conftest import Tenant
from tests.e2e.folders import Service
from tests.e2e.rollouts import ALARM, CANARY, FOLLOWS, STAGES, at, entries, has_begun, people, publish
from tests.e2e.traffic import CERTAIN, is_likely

pytestmark = pytest.mark.world
# What Envoy counted of failures, as a person would ask for it.
FAILURES = (
    'sum(envoy_cluster_upstream_rq_xx{envoy_cluster_name=~"{{namespace}}_{{revision}}_.+",envoy_response_code_class="{{class}}"})'
)
# Answers after which Prometheus has looked at least twice at what serves: all requests are sent to the new release in one write, so what is
# not known of the one before by then is never known.
KNOWN = 600
JUDGED: dict[str, Any] = {
    "interval": 5,
    "minRequests": 5,
    # Of the quicker half: where the machine stands still for a moment, a hundredth of any release's answers is slow.
    "quantile": 0.5,
    "comparedToStable": {"successRate": 0.02, "latency": 20},
    "metrics": [
        {"name": "failures", "query": f"{FAILURES} or vector(0)", "max": 0, "args": {"class": "5"}},
        {"name": "greets", "http": {"path": "/hello", "timeout": 2}},
    ],
    "pods": {"restarts": 0},
}


@pytest.mark.kind("good", "canary")
def test_a_good_release_meets_its_users_stage_by_stage_and_nobody_notices_though_its_carrier_is_killed(
    product: Product, own_tenant: Tenant, service: Service
) -> None:
    request = service.request(product, own_tenant.name)
    first = own_tenant.install(request)
    assert first["phase"] == "succeeded", first["operation"]
    publish(service, "1.1.0")
    with people(product, first) as traffic:
        accepted = product.ask({**request, **CANARY})
        product.carrier(product.await_that(first["id"], has_begun("watch_stage:2"))).kill()
        seen = product.await_end(accepted)
    assert (seen["phase"], seen["revision"]["release"]) == ("succeeded", f"{service.name}@1.1.0"), seen["operation"]
    assert [one for one in traffic.answers if one.failed] == []
    told = entries(product, seen)
    assert len({one["actor"] for one in told if one["kind"] == "intended"}) == 2
    for number, share in enumerate(STAGES[:-1], 1):
        begin, end = at(told, f"route_stage:{number}"), at(told, f"watch_stage:{number}")
        met = traffic.between(begin + FOLLOWS, end)
        new = sum(one.release == f"{service.name}@1.1.0" for one in met)
        assert len(met) > 100
        assert is_likely(new, len(met), share / 100, ALARM), f"stage {number}: {new} of {len(met)} met the new release"
    last = traffic.led_to(f"{service.name}@1.1.0", at(told, f"route_stage:{len(STAGES)}"))
    assert {one.release for one in last} == {f"{service.name}@1.1.0"}


@pytest.mark.kind("bad", "canary")
def test_a_bad_release_goes_back_by_its_own_numbers_and_stays_away(
    product: Product, own_tenant: Tenant, service: Service
) -> None:
    request = service.request(product, own_tenant.name, config={"greeting": "hej"})
    first = own_tenant.install(request)
    assert first["phase"] == "succeeded", first["operation"]
    publish(service, "1.2.0", bad=True)
    with people(product, first) as traffic:
        seen = product.await_end(product.ask({**request, **CANARY, "config": {"greeting": "ahoj"}}))
        product.await_answer(first, "/hello", 200)
        traffic.await_answers(time.time(), 2 * CERTAIN)
    operation = seen["operation"]
    assert (operation["phase"], seen["revision"]["release"]) == ("withdrawn", f"{service.name}@1.0.0"), operation
    assert operation["reason"]["code"] == "analysis-failed", operation["reason"]
    assert "success rate" in operation["reason"]["message"]
    told = entries(product, seen)
    back = at(told, "route_stage:1", "undone")
    failed = [one for one in traffic.answers if one.failed]
    assert failed
    assert {one.status for one in failed} == {500}
    assert [one for one in traffic.led_to(f"{service.name}@1.0.0", back) if one.failed] == []
    met = traffic.between(at(told, "route_stage:1") + FOLLOWS, at(told, "route_stage:1", "undoing"))
    assert is_likely(sum(one.release == f"{service.name}@1.2.0" for one in met), len(met), STAGES[0] / 100, ALARM)
    assert "hej" in traffic.answers[-1].text
    kept = product.api.get(f"/api/v1/installations/{seen['id']}/quarantine").raise_for_status().json()["items"]
    assert [(one["release"], one["actor"]) for one in kept] == [(f"{service.name}@1.2.0", "analysis")]


@pytest.mark.kind("good", "blue-green")
def test_blue_green_is_tried_in_a_preview_and_switched_in_one_write(
    product: Product, own_tenant: Tenant, service: Service
) -> None:
    request = service.request(product, own_tenant.name)
    first = own_tenant.install(request)
    assert first["phase"] == "succeeded", first["operation"]
    publish(service, "1.1.0")
    config = CANARY["strategyConfig"] | {"stages": "100", "smokeTest": {"path": "/hello"}, "analysis": JUDGED}
    with people(product, first) as traffic:
        traffic.await_answers(0, KNOWN)
        seen = product.await_end(product.ask({**request, "strategy": "blue-green", "strategyConfig": config}))
    assert (seen["phase"], seen["revision"]["release"]) == ("succeeded", f"{service.name}@1.1.0"), seen["operation"]
    assert [one for one in traffic.answers if one.failed] == []
    told = entries(product, seen)
    switched = at(told, "route_stage:1")
    # Who asked just before the switch may be answered just after it.
    assert {one.release for one in traffic.answers if one.over < at(told, "route_stage:1", "intended")} == {
        f"{service.name}@1.0.0"
    }
    assert {one.release for one in traffic.led_to(f"{service.name}@1.1.0", switched)} == {f"{service.name}@1.1.0"}
    (watched,) = [step["why"] for step in seen["operation"]["steps"] if step["name"] == "watch_stage:1"]
    assert all(
        word in watched
        for word in ("; the revision before: success rate 1 of", "failures 0", "greets: /hello answered 200", "1 of 1 pods ready")
    ), watched


@pytest.mark.kind("fails before promotion", "blue-green")
def test_what_fails_in_its_preview_is_met_by_nobody(product: Product, own_tenant: Tenant, service: Service) -> None:
    request = service.request(product, own_tenant.name)
    first = own_tenant.install(request)
    assert first["phase"] == "succeeded", first["operation"]
    publish(service, "1.2.0", bad=True)
    config = {"smokeTest": {"path": "/nowhere"}}
    with people(product, first) as traffic:
        seen = product.await_end(product.ask({**request, "strategy": "blue-green", "strategyConfig": config}))
    assert (seen["phase"], seen["revision"]["release"]) == ("withdrawn", f"{service.name}@1.0.0"), seen["operation"]
    assert "/nowhere answered 404, 200 wanted" in seen["operation"]["reason"]["message"]
    assert {(one.status, one.release) for one in traffic.answers} == {(200, f"{service.name}@1.0.0")}
