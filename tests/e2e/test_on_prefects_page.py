"""What a person does on Prefect's own pages is done to the operation: a run cancelled there is taken back as if it had been said to us."""

import time
from collections.abc import Mapping
from typing import Any

import pytest

from tests.e2e.api import LOOK_EVERY, PATIENCE, Product, slowly
from tests.e2e.conftest import Tenant

pytestmark = pytest.mark.world
# What the page sends for its button "Cancel".
CANCEL = {"state": {"type": "CANCELLING", "name": "Cancelling"}, "force": False}
# What a killed worker may leave running: the process that carries the run.
ENDED = ("CANCELLED", "CRASHED", "FAILED", "COMPLETED")


def is_rolling_out(seen: Mapping[str, Any]) -> bool:
    return any(one["name"] == "roll_out" and one["state"] == "running" for one in seen["operation"]["steps"])


def await_roll_out(product: Product, installation: str) -> dict[str, Any]:
    """The installation while its revision is being rolled out."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        if is_rolling_out(seen := product.see(installation)):
            return seen
        time.sleep(LOOK_EVERY / 5)
    raise AssertionError("it was never rolled out")


def await_over(product: Product, run: str) -> None:
    """Return once the run has ended for Prefect too; the next one may have taken everything back before it knows."""
    ends = time.monotonic() + PATIENCE
    while (state := product.prefect.get(f"/flow_runs/{run}").json()["state_type"]) not in ENDED:
        assert time.monotonic() < ends, f"{run} is still {state}"
        time.sleep(LOOK_EVERY)


def test_a_run_cancelled_there_takes_the_operation_back(product: Product, own_tenant: Tenant) -> None:
    accepted = product.ask(slowly(product.request("service", own_tenant.name), 60))
    own_tenant.adopt(accepted["id"])
    seen = await_roll_out(product, accepted["id"])
    run = seen["operation"]["flowRunUrl"].rpartition("/")[2]
    assert product.prefect.post(f"/flow_runs/{run}/set_state", json=CANCEL).json()["status"] == "ACCEPT"
    ended = product.await_end(accepted)
    assert ended["phase"] == "withdrawn", ended["operation"]
    assert ended["operation"]["reason"]["code"] == "cancelled"
    assert ended["operation"]["reason"]["message"] == "prefect-ui cancelled it: cancelled on Prefect's page"
    assert ended["operation"]["flowRunUrl"].rpartition("/")[2] != run, "another run has taken it back"
    assert ended["revision"] is None
    await_over(product, run)
