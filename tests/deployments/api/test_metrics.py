"""What Prometheus reads."""

from uuid import UUID

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from blocks.domain.errors import Transient
from blocks.domain.health import Check
from blocks.domain.journal import Kind, Reason
from deployments.api.metrics import make_metrics
from tests.deployments.builders import Desk, make_body
from tests.fakes.views import FakeViews

INSTALL = "/api/v1/plugins/install"


async def scrape(desk: Desk) -> dict[str, dict[tuple[str, ...], float]]:
    """Every sample by name and label values, as Prometheus' own parser reads them; labels in the order of their names."""
    app = make_metrics(desk.traffic, desk.record)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://metrics.test") as client:
        answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels[name] for name in sorted(sample.labels))] = sample.value
    return found


async def test_requests_are_counted_by_the_template_of_their_route() -> None:
    desk = Desk()
    async with desk.client() as client:
        accepted = (await client.post(INSTALL, json=make_body())).json()
        for path in (accepted["links"]["self"], "/api/v1/installations/no-id", "/nope", "/nope/again", "/api/openapi.json"):
            await client.get(path)
        await client.request("BREW", "/coffee")
    found = (await scrape(desk))["api_requests_total"]
    assert found == {
        (INSTALL, "POST", "202"): 1,
        ("/api/v1/installations/{installation}", "GET", "200"): 1,
        ("/api/v1/installations/{installation}", "GET", "422"): 1,
        ("unmatched", "GET", "404"): 2,
        ("/api/openapi.json", "GET", "200"): 1,
        ("unmatched", "other", "404"): 1,
    }


async def test_what_breaks_is_counted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()
    monkeypatch.delattr(FakeViews, "counts")
    async with desk.client() as client:
        await client.get("/api/v1/status")
    assert desk.traffic.registry.get_sample_value(
        "api_requests_total", {"endpoint": "/api/v1/status", "method": "GET", "status": "500"}
    )


async def test_the_record_is_read_when_it_is_asked_for() -> None:
    desk = Desk()
    async with desk.client() as client:
        made = [(await client.post(INSTALL, json=make_body(tenant=tenant))).json() for tenant in ("acme", "acme-two", "other")]
    good, bad, _ = (UUID(one["operation"]) for one in made)
    for step in ("scan:trivy", "scan:trufflehog", "verify"):
        desk.record.tell(good, step, Kind.INTENDED)
        desk.record.tell(good, step, Kind.DONE)
    desk.record.succeed(good)
    desk.record.withdraw(bad, Reason("rollout-failed", "the pod crashed"))
    found = await scrape(desk)
    assert found["plugin_deployments_total"] == {("completed", "install"): 1, ("failed", "install"): 1}
    assert found["plugin_deployments_duration_seconds_count"] == {("install",): 2}
    assert found["plugin_deployments_duration_seconds_bucket"]["+Inf", "install"] == 2
    assert found["plugin_operations_unfinished"] == {("requested", "install"): 1}
    assert found["plugin_queue_size"] == {(): 1}
    assert found["plugin_installations"] == {
        ("succeeded", "acme"): 1,
        ("withdrawn", "acme-two"): 1,
        ("requested", "other"): 1,
    }
    assert found["plugins_per_tenant"] == {("acme",): 1}
    assert found["tenants_active_total"] == {(): 1}
    assert found["plugin_health_check_total"] == {("healthy",): 1, ("unhealthy",): 1, ("unknown",): 0}
    assert found["plugin_scans_total"] == {("trivy",): 1, ("trufflehog",): 1}
    assert found["plugin_failures_total"] == {("rollout-failed", "install"): 1}
    assert found["plugin_steps_total"]["done", "verify"] == 1


async def test_health_is_told_for_each_installation_and_clears() -> None:
    desk = Desk()
    async with desk.client() as client:
        accepted = (await client.post(INSTALL, json=make_body(tenant="acme"))).json()
    assert "plugin_health_status" not in await scrape(desk), "what does not serve has no health"
    desk.record.succeed(UUID(accepted["operation"]))
    assert await statuses(desk) == {"unknown": 1, "healthy": 0, "unhealthy": 0}
    for at in range(1, 4):
        desk.record.check(UUID(accepted["id"]), Check(at, good=False, said="/ready answered 500"), 0.5)
    assert await statuses(desk) == {"unknown": 0, "healthy": 0, "unhealthy": 1}
    desk.record.check(UUID(accepted["id"]), Check(4, good=True, said="/ready answered 200"), 0.25)
    assert await statuses(desk) == {"unknown": 0, "healthy": 1, "unhealthy": 0}
    found = await scrape(desk)
    assert found["plugin_health_check_total"] == {("healthy",): 1, ("unhealthy",): 3, ("unknown",): 0}
    assert found["plugin_health_check_duration_seconds_count"] == {(): 4}
    assert found["plugin_health_check_duration_seconds_sum"] == {(): 1.75}


async def statuses(desk: Desk) -> dict[str, float]:
    """The gauge of the one installation that serves, by status."""
    told = (await scrape(desk))["plugin_health_status"]
    return {
        status: value
        for (environment, plugin, status, tenant), value in told.items()
        if (environment, plugin, tenant) == ("dev", "@backstage/plugin-catalog", "acme")
    }


async def test_a_record_that_does_not_answer_is_not_zero() -> None:
    desk = Desk()
    desk.record.broken = Transient("the database did not answer")
    found = await scrape(desk)
    assert found["plugin_pipeline_record_up"] == {(): 0}
    assert not [name for name in found if name.startswith(("plugin_deployments", "tenants", "plugins_per"))]
