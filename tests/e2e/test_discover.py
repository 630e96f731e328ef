"""A watch on the real world: a new release is found by the scheduled flow, requested and served; what was rolled back stays so."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.api import LOOK_EVERY, PATIENCE, Product
from tests.e2e.conftest import Tenant
from tests.e2e.folders import Service, make_service

pytestmark = pytest.mark.world
FLOW = "discover-plugins"


def deployed(product: Product) -> dict[str, Any]:
    """The deployment as Prefect has it."""
    return dict(product.prefect.get(f"deployments/name/{FLOW}/{FLOW}").raise_for_status().json())


def look(product: Product, watch: str) -> None:
    """One run of the deployment, for this watch alone, once it has ended well."""
    prefect = product.prefect
    asked = prefect.post(f"deployments/{deployed(product)['id']}/create_flow_run", json={"parameters": {"watch": watch}})
    run, ends = asked.raise_for_status().json()["id"], time.monotonic() + PATIENCE
    while (state := prefect.get(f"flow_runs/{run}").raise_for_status().json()["state_type"]) != "COMPLETED":
        assert state in ("SCHEDULED", "PENDING", "RUNNING"), state
        assert time.monotonic() < ends, state
        time.sleep(LOOK_EVERY)


def runs_by_schedule(product: Product) -> list[dict[str, Any]]:
    """What Prefect's own scheduler made, with the times it is to begin at."""
    mine = {"deployments": {"id": {"any_": [deployed(product)["id"]]}}, "sort": "START_TIME_DESC"}
    return [one for one in product.prefect.post("flow_runs/filter", json=mine).raise_for_status().json() if one["auto_scheduled"]]


@contextmanager
def every(product: Product, seconds: float, watch: str) -> Iterator[None]:
    """A second schedule of the deployment, for this watch alone."""
    address = f"deployments/{deployed(product)['id']}/schedules"
    asked = {"active": True, "schedule": {"interval": seconds}, "parameters": {"watch": watch}, "slug": "often"}
    (made,) = product.prefect.post(address, json=[asked]).raise_for_status().json()
    try:
        yield
    finally:
        product.prefect.delete(f"{address}/{made['id']}").raise_for_status()


def look_by_schedule(product: Product, watch: str) -> None:
    """Nobody asks: a run of the schedule itself, once it has ended well."""
    ends = time.monotonic() + PATIENCE
    with every(product, 10, watch):
        while not any(
            one["state_type"] == "COMPLETED" and one["parameters"].get("watch") == watch for one in runs_by_schedule(product)
        ):
            assert time.monotonic() < ends, runs_by_schedule(product)
            time.sleep(LOOK_EVERY)


def publish(service: Service, version: str) -> None:
    """The folder holds this version from now on."""
    manifest = service.folder / "plugin.yaml"
    service.write("plugin.yaml", manifest.read_text().replace("version: 1.0.0", f"version: {version}"))


def found(product: Product, watch: str) -> dict[str, Any]:
    """The one release that the watch found."""
    (one,) = product.api.get(f"/api/v1/watches/{watch}").raise_for_status().json()["discovered"]
    return dict(one)


def test_the_next_looks_are_on_prefects_list_at_each_quarter_of_an_hour(product: Product) -> None:
    assert [one["schedule"]["cron"] for one in deployed(product)["schedules"]] == ["*/15 * * * *"]
    ends, listed = time.monotonic() + PATIENCE, list[str]()
    while not listed:
        assert time.monotonic() < ends, "the scheduler made no run"
        time.sleep(LOOK_EVERY)
        listed = [one["expected_start_time"] for one in runs_by_schedule(product) if not one["parameters"].get("watch")]
    assert {datetime.fromisoformat(one).minute % 15 for one in listed} == {0}


def test_a_newer_release_is_found_requested_and_served_and_not_again_once_it_was_rolled_back(
    own_tenant: Tenant, product: Product
) -> None:
    with make_service(Path(product.world.plugin_dir)) as service:
        seen = own_tenant.install(service.request(product, own_tenant.name, config={"greeting": "hej"}))
        assert seen["phase"] == "succeeded", seen["operation"]
        spot = {"tenant": own_tenant.name, "plugin": service.name}
        made = product.api.post("/api/v1/watches", json=spot | {"action": "update", "reason": "fixes at once"})
        assert made.status_code == 201, made.text
        watch = made.json()["id"]
        publish(service, "1.1.0")
        look_by_schedule(product, watch)
        asked = found(product, watch)
        assert (asked["release"], asked["done"]) == (f"{service.name}@1.1.0", "update-requested")
        updated = product.await_end({"id": seen["id"], "operation": asked["operation"]})
        operation = updated["operation"]
        assert (updated["phase"], updated["revision"]["release"]) == ("succeeded", f"{service.name}@1.1.0"), operation
        assert (operation["id"], operation["actor"], operation["verb"]) == (asked["operation"], "discover", "update")
        assert f"watch {watch}" in operation["why"]
        assert "hej" in product.await_answer(updated, "/hello", 200).text
        back = product.api.post(f"/api/v1/installations/{seen['id']}/rollback", json={"reason": "it is slow"}).json()
        assert product.await_end(back)["phase"] == "succeeded"
        look(product, watch)
        again = found(product, watch)
        assert (again["done"], again["why"]) == ("quarantined", "it was rolled back here: it is slow")
        now = product.see(seen["id"])
        assert (now["operation"]["id"], now["revision"]["release"]) == (back["operation"], f"{service.name}@1.0.0")
        assert product.api.delete(f"/api/v1/watches/{watch}").status_code == 204
