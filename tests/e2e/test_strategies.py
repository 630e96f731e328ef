"""Strategies on the real cluster behind the real Envoy, judged by the real Prometheus, while people use the plugin; nobody notices."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.api import Product
from tests.e2e.conftest import Tenant
from tests.e2e.folders import Service, make_service
from tests.e2e.traffic import Traffic, is_likely, using

pytestmark = pytest.mark.world
STAGES = (20, 60, 100)
CANARY: dict[str, Any] = {
    "strategy": "canary",
    "strategyConfig": {"stages": "20,60,100", "stageInterval": "12", "analysis": {"interval": 5, "minRequests": 5}},
}
# In the whole suite a right split is doubted once in a million times; there are so many looks at one.
ALARM = 1e-6 / 10
# Seconds that Envoy may take to follow a route after it was accepted.
FOLLOWS = 1.5
# What Envoy counted of failures, as a person would ask for it.
FAILURES = (
    'sum(envoy_cluster_upstream_rq_xx{envoy_cluster_name=~"{{namespace}}_{{revision}}_.+",envoy_response_code_class="{{class}}"})'
)
JUDGED: dict[str, Any] = {
    "interval": 5,
    "minRequests": 5,
    "comparedToStable": {"successRate": 0.02, "latency": 20},
    "metrics": [{"name": "failures", "query": f"{FAILURES} or vector(0)", "max": 0, "args": {"class": "5"}}],
    "pods": {"restarts": 0},
}
BAD = "const failing = Math.random() < 0.7 && pathname === '/hello';"


@pytest.fixture
def service(product: Product) -> Iterator[Service]:
    """A plugin of this test's own."""
    with make_service(Path(product.world.plugin_dir)) as made:
        yield made


def publish(service: Service, version: str, *, bad: bool = False) -> None:
    """The folder holds the next version from now on; a bad one is ready and fails those who use it."""
    before = (service.folder / "plugin.yaml").read_text()
    service.write("plugin.yaml", re.sub("^version: .*", f"version: {version}", before, flags=re.MULTILINE))
    if bad:
        server = (service.folder / "server.mjs").read_text()
        failing = server.replace("  const found =", f"  {BAD}\n  const found =")
        service.write("server.mjs", failing.replace("found ? 200 : 404", "failing ? 500 : found ? 200 : 404"))


def has_begun(step: str) -> Callable[[Mapping[str, Any]], bool]:
    """Whether the newest operation is that far."""
    return lambda seen: any(one["name"] == step for one in seen["operation"]["steps"])


def entries(product: Product, seen: dict[str, Any]) -> list[dict[str, Any]]:
    """What the timeline says of the newest operation."""
    answer = product.api.get(f"/api/v1/installations/{seen['id']}/timeline", params={"limit": 500}).raise_for_status()
    return [one for one in answer.json()["items"] if one["operation"] == seen["operation"]["id"]]


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
    for number, share in enumerate(STAGES, 1):
        begin, end = at(told, f"route_stage:{number}"), at(told, f"watch_stage:{number}")
        met = traffic.between(begin + FOLLOWS, end)
        new = sum(one.release == f"{service.name}@1.1.0" for one in met)
        assert len(met) > 100
        assert is_likely(new, len(met), share / 100, ALARM), f"stage {number}: {new} of {len(met)} met the new release"


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
    operation = seen["operation"]
    assert (operation["phase"], seen["revision"]["release"]) == ("withdrawn", f"{service.name}@1.0.0"), operation
    assert operation["reason"]["code"] == "analysis-failed", operation["reason"]
    assert "success rate" in operation["reason"]["message"]
    told = entries(product, seen)
    back = at(told, "route_stage:1", "undone")
    failed = [one for one in traffic.answers if one.failed]
    assert failed
    assert {one.status for one in failed} == {500}
    assert [one for one in failed if one.at > back + FOLLOWS] == []
    met = traffic.between(at(told, "route_stage:1") + FOLLOWS, back)
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
        seen = product.await_end(product.ask({**request, "strategy": "blue-green", "strategyConfig": config}))
    assert (seen["phase"], seen["revision"]["release"]) == ("succeeded", f"{service.name}@1.1.0"), seen["operation"]
    assert [one for one in traffic.answers if one.failed] == []
    told = entries(product, seen)
    switched = at(told, "route_stage:1")
    assert {one.release for one in traffic.answers if one.at < at(told, "route_stage:1", "intended")} == {f"{service.name}@1.0.0"}
    assert {one.release for one in traffic.answers if one.at > switched + FOLLOWS} == {f"{service.name}@1.1.0"}
    (watched,) = [step["why"] for step in seen["operation"]["steps"] if step["name"] == "watch_stage:1"]
    assert all(word in watched for word in ("; the revision before: success rate 1 of", "failures 0", "1 of 1 pods ready")), (
        watched
    )


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


def people(product: Product, seen: dict[str, Any]) -> AbstractContextManager[Traffic]:
    """Users of the installation's greeting."""
    return using(product.world.gateway_url, httpx.URL(seen["revision"]["url"]).host, "/hello")


def at(told: list[dict[str, Any]], step: str, kind: str = "done") -> float:
    """When the step came to this, in seconds since 1970."""
    said = next(one["at"] for one in told if (one["step"], one["kind"]) == (step, kind))
    return datetime.fromisoformat(said).timestamp()
