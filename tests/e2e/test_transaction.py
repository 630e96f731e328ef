"""A plan that is read, agreed to and carried out; an update under traffic, the way back, and off and on: through the API, really."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import pytest
import typer

from blocks.settings import read_settings
from deployments.api.identity import Expected
from deployments.tokens import Person, issue_token
from tests.e2e.api import Product
from tests.e2e.conftest import Tenant

pytestmark = pytest.mark.world
CAREFUL = {"requireApproval": True}


@pytest.fixture
def bob(product: Product) -> Iterator[httpx.Client]:
    """The API as somebody else meets it, who may approve."""
    settings = read_settings()
    folder = Path(typer.get_app_dir("plugin-pipeline"))
    token = issue_token(folder, Expected(settings.jwt_issuer, settings.jwt_audience), Person("bob", ("approver",)))
    head = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=product.api.base_url, headers=head, trust_env=False, timeout=60) as client:
        yield client


def say(client: httpx.Client, path: str, status: int = 202, **told: Any) -> dict[str, Any]:
    """What the API answers to a word, with this status."""
    answer = client.post(f"/api/v1/{path}", json=told)
    assert answer.status_code == status, answer.text
    said: dict[str, Any] = answer.json()
    return said


def await_phase(product: Product, installation: str, phase: str) -> dict[str, Any]:
    """The installation once its newest operation has got there."""
    seen = product.await_that(installation, lambda one: one["phase"] == phase or one["phase"] in ("withdrawn", "frozen"))
    assert seen["phase"] == phase, seen["operation"]
    return seen


@contextmanager
def traffic(product: Product, seen: dict[str, Any]) -> Iterator[list[int]]:
    """Requests to the plugin's host all along, one after another; the status of each."""
    statuses: list[int] = []
    stop = Event()

    def call() -> None:
        while not stop.is_set():
            statuses.append(product.call(seen, "/hello").status)

    caller = Thread(target=call)
    caller.start()
    yield statuses
    stop.set()
    caller.join()


def read_plan(product: Product, accepted: dict[str, Any]) -> dict[str, Any]:
    """The plan that the accepted operation has made."""
    product.await_operation(accepted["id"], accepted["operation"])
    answer = product.api.get(f"/api/v1/installations/{accepted['id']}/operations/{accepted['operation']}/plan")
    assert answer.status_code == 200, answer.text
    plan: dict[str, Any] = answer.json()
    return plan


def test_what_somebody_else_agreed_to_and_nothing_else_is_installed(
    own_tenant: Tenant, product: Product, bob: httpx.Client
) -> None:
    asked = product.request("service", own_tenant.name, options=CAREFUL)
    planned = say(product.api, "plugins/plan", **asked)
    plan = read_plan(product, planned)
    accepted = say(product.api, f"plugins/install?planHash={plan['hash']}", **asked)
    own_tenant.adopt(accepted["id"])
    waiting = await_phase(product, accepted["id"], "parked")
    assert own_tenant.name not in product.kubectl("get", "namespaces", "-o", "name")
    below = f"installations/{accepted['id']}/operations/{accepted['operation']}/approve"
    assert say(product.api, below, 403, hash=plan["hash"], comment="mine")["type"].endswith("forbidden")
    assert say(bob, below, 409, hash=f"sha256:{0:064}", comment="?")["type"].endswith("wrong-plan")
    say(bob, below, hash=plan["hash"], comment="looks right")
    seen = product.await_end(accepted)
    assert (seen["phase"], seen["operation"]["id"]) == ("succeeded", waiting["operation"]["id"]), seen["operation"]
    assert product.call(seen, "/hello").status == 200
    told = product.api.get(f"/api/v1/installations/{accepted['id']}/timeline", headers={"Accept": "application/x-ndjson"})
    lines = [json.loads(line) for line in told.text.splitlines()]
    assert [line["actor"] for line in lines if line["kind"] == "voted"] == ["bob"]
    assert "looks right" in told.text
    assert product.api.get("/api/v1/audit/verify").json()["broken"] == []
    going = product.api.delete(f"/api/v1/installations/{accepted['id']}", params={"dropData": "true"}).json()
    asked_again = await_phase(product, accepted["id"], "parked")["operation"]["approval"]["hash"]
    assert asked_again != plan["hash"]
    say(bob, f"installations/{accepted['id']}/operations/{going['operation']}/approve", hash=asked_again, comment="so be it")
    assert product.await_end(going)["phase"] == "succeeded"


def test_users_notice_neither_an_update_nor_the_way_back(own_tenant: Tenant, product: Product) -> None:
    seen = own_tenant.install(product.request("service", own_tenant.name))
    assert seen["phase"] == "succeeded", seen["operation"]
    with traffic(product, seen) as statuses:
        updated = own_tenant.install(product.request("service", own_tenant.name, replicas=2, config={"greeting": "hej"}))
        back = product.await_end(say(product.api, f"installations/{seen['id']}/rollback", reason="too loud"))
    assert (updated["phase"], updated["revision"]["number"]) == ("succeeded", 2), updated["operation"]
    assert (back["phase"], back["revision"]["number"]) == ("succeeded", 1), back["operation"]
    assert set(statuses) == {200}
    assert len(statuses) > 50
    deployments = {one["metadata"]["name"]: one["spec"]["replicas"] for one in product.objects("deployments", seen["namespace"])}
    assert deployments == {"hello-r1": 1, "hello-r2": 0}


def test_a_plugin_that_is_off_says_so_and_comes_back(own_tenant: Tenant, product: Product) -> None:
    seen = own_tenant.install(product.request("service", own_tenant.name))
    off = product.await_end(say(product.api, f"installations/{seen['id']}/disable", reason="under repair"))
    assert off["phase"] == "succeeded", off["operation"]
    closed = product.await_answer(seen, "/hello", 503)
    assert "under repair" in closed.text
    on = product.await_end(say(product.api, f"installations/{seen['id']}/enable"))
    assert on["phase"] == "succeeded", on["operation"]
    assert product.await_answer(seen, "/hello", 200).release == "hello@1.0.0"


def test_a_cancelled_update_leaves_what_served(own_tenant: Tenant, product: Product) -> None:
    seen = own_tenant.install(product.request("service", own_tenant.name))
    accepted = product.ask(product.request("service", own_tenant.name, replicas=2, options=CAREFUL))
    await_phase(product, seen["id"], "parked")
    say(product.api, f"installations/{seen['id']}/cancel", reason="not today")
    product.await_operation(accepted["id"], accepted["operation"])
    now = product.see(seen["id"])
    assert now["revision"] == seen["revision"]
    assert product.call(now, "/hello").status == 200
