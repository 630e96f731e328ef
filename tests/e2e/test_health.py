"""What serves and falls ill is restarted and then rolled back by the running keeper, and the metrics say how it was all the while."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.api import Product
from tests.e2e.conftest import Tenant
from tests.e2e.folders import Service, make_service

pytestmark = pytest.mark.world
METRICS = "http://127.0.0.1:9090/metrics"
ILL = "unhealthy: /well answered 500, 2 times in a row"
HEALTH = {"interval": 1, "failures": 2, "path": "/well", "policy": "rollback"}


@pytest.fixture
def service(product: Product) -> Iterator[Service]:
    """A plugin of this test's own, which is well."""
    with make_service(Path(product.world.plugin_dir)) as made:
        server = (made.folder / "server.mjs").read_text()
        made.write("server.mjs", server.replace("const answers = {", "const answers = { '/well': { status: 'ok' },"))
        yield made


def publish_ailing(service: Service) -> None:
    """The next version is ready and well when it is asked first, and never again: as something that leaks, only sooner."""
    manifest = (service.folder / "plugin.yaml").read_text()
    service.write("plugin.yaml", re.sub("^version: .*", "version: 1.1.0", manifest, flags=re.MULTILINE))
    server = (service.folder / "server.mjs").read_text().replace("const server =", "let asked = 0;\nconst server =")
    ailing = "pathname === '/well' && asked++ > 0 ? 500 : found ? 200 : 404"
    service.write("server.mjs", server.replace("found ? 200 : 404", ailing))


def test_what_falls_ill_is_restarted_then_rolled_back_and_well_again(
    product: Product, own_tenant: Tenant, service: Service
) -> None:
    request = service.request(product, own_tenant.name, health=HEALTH)
    first = own_tenant.install(request)
    assert first["phase"] == "succeeded", first["operation"]
    product.await_that(first["id"], lambda seen: seen["health"]["status"] == "healthy")
    assert read_status(first) == {"healthy": 1, "unhealthy": 0, "unknown": 0}
    publish_ailing(service)
    updated = product.ask({**request, "plugin": {**request["plugin"], "version": "1.1.0"}})
    product.await_that(first["id"], lambda _: read_status(first) == {"healthy": 0, "unhealthy": 1, "unknown": 0})
    product.await_that(first["id"], lambda seen: seen["operation"]["verb"] == "rollback")
    assert product.await_operation(first["id"], updated["operation"])["phase"] == "succeeded"
    assert asked_by_keeper(product, first) == [("reload", ILL), ("rollback", f"{ILL}, and restart did not help")]
    end = product.await_rest(first["id"])
    assert (end["phase"], end["revision"]["release"]) == ("succeeded", f"{service.name}@1.0.0"), end["operation"]
    product.await_that(first["id"], lambda seen: seen["health"]["status"] == "healthy")
    assert read_status(first) == {"healthy": 1, "unhealthy": 0, "unknown": 0}
    kept = product.api.get(f"/api/v1/installations/{first['id']}/quarantine").raise_for_status().json()["items"]
    assert [(one["release"], one["actor"]) for one in kept] == [(f"{service.name}@1.1.0", "keeper")]


def asked_by_keeper(product: Product, seen: dict[str, Any]) -> list[tuple[str, str]]:
    """What the keeper has asked for, and why."""
    path = f"/api/v1/installations/{seen['id']}/timeline"
    told = product.api.get(path, params={"limit": 500}).raise_for_status().json()["items"]
    asked = [one for one in told if (one["actor"], one["kind"]) == ("keeper", "requested")]
    return [(one["verb"], one["reason"]) for one in asked]


def read_status(seen: dict[str, Any]) -> dict[str, float]:
    """What the metrics say of the installation, by status."""
    told = httpx.get(METRICS, trust_env=False, timeout=30).raise_for_status().text
    (family,) = [one for one in text_string_to_metric_families(told) if one.name == "plugin_health_status"]
    mine = [one for one in family.samples if (one.labels["tenant"], one.labels["plugin"]) == (seen["tenant"], seen["plugin"])]
    return {one.labels["status"]: one.value for one in mine}
