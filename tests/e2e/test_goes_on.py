"""A worker that is killed in the middle: another one goes on, and what was made before is made once. One wish is one operation."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.e2e.api import LOOK_EVERY, PATIENCE, Product, step
from tests.e2e.conftest import Tenant

pytestmark = [pytest.mark.world, pytest.mark.usefixtures("alone")]
# Objects that nobody but us writes to: once made, their version never moves. Of the others the uid stays.
OURS_ALONE = ("configmaps", "limitranges", "networkpolicies", "roles", "rolebindings", "services", "secrets")
SHARED = ("deployments", "poddisruptionbudgets", "resourcequotas", "serviceaccounts")


def await_sight(product: Product, installation: str, is_seen: Callable[[Mapping[str, Any]], bool]) -> dict[str, Any]:
    """The installation as soon as it is seen so."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        seen = product.see(installation)
        if is_seen(seen):
            return seen
        time.sleep(LOOK_EVERY)
    raise AssertionError(f"it never came: {product.see(installation)['operation']}")


def versions(product: Product, namespace: str) -> dict[str, str]:
    """What identifies each object and how often it was changed, as far as that is our doing."""
    made = {}
    for kind in (*OURS_ALONE, *SHARED):
        for one in product.objects(kind, namespace):
            about = one["metadata"]
            if "plugin-pipeline" in (about.get("labels") or {}).get("app.kubernetes.io/managed-by", ""):
                version = about["resourceVersion"] if kind in OURS_ALONE else about.get("generation", "")
                made[f"{kind}/{about['name']}"] = f"{about['uid']} {version}"
    return made


def has_begun_to_roll_out(seen: Mapping[str, Any]) -> bool:
    return any(one["name"] == "roll_out" and one["state"] == "running" for one in seen["operation"]["steps"])


def test_killed_run_is_carried_on_and_nothing_is_made_twice(product: Product, own_tenant: Tenant) -> None:
    accepted = product.ask(product.request("backend", own_tenant.name))
    own_tenant.adopt(accepted["id"])
    namespace = f"{own_tenant.name}-dev"
    seen = await_sight(product, accepted["id"], has_begun_to_roll_out)
    ends = time.monotonic() + PATIENCE
    while not product.objects("deployments", namespace) and time.monotonic() < ends:
        time.sleep(0.1)
    product.carrier(seen).kill()
    assert not has_begun_to_roll_out(seen) or step(product.see(accepted["id"]), "roll_out")["state"] == "running"
    before = versions(product, namespace)
    ended = product.await_end(accepted)
    assert ended["phase"] == "succeeded", ended["operation"]["reason"]
    assert ended["operation"]["id"] == accepted["operation"]
    assert ended["operation"]["attempt"] > seen["operation"]["attempt"]
    after = versions(product, namespace)
    assert len(before) > 10
    assert {name: after.get(name) for name in before} == before
    assert [one["metadata"]["name"] for one in product.objects("deployments", namespace)] == [f"{ended['slug']}-r1"]


def test_two_identical_requests_at_once_are_one_operation(product: Product, own_tenant: Tenant) -> None:
    request = product.request("service", own_tenant.name)
    with ThreadPoolExecutor(8) as pool:
        accepted = list(pool.map(product.ask, [request] * 8))
    own_tenant.adopt(accepted[0]["id"])
    assert len({(one["id"], one["operation"]) for one in accepted}) == 1
    assert sum(one["created"] for one in accepted) == 1
    ended = product.await_end(accepted[0])
    assert (ended["phase"], ended["operation"]["id"]) == ("succeeded", accepted[0]["operation"])
