"""A Job whose pod cannot begin: the installation itself says why, and goes on as soon as it can."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.api import Product
from tests.e2e.conftest import Tenant
from tests.e2e.test_as_jobs import HOME

pytestmark = [pytest.mark.world, pytest.mark.long, pytest.mark.usefixtures("alone")]


@contextmanager
def another_image(product: Product) -> Iterator[None]:
    """Runs that install are to run an image that nobody ever pushed."""
    found = product.prefect.get("deployments/name/install-plugin/install-plugin-kubernetes").json()
    path, variables = f"deployments/{found['id']}", found["job_variables"]
    nowhere = f"{product.world.registry}/plugin-pipeline:nowhere"
    product.prefect.patch(path, json={"job_variables": variables | {"image": nowhere}}).raise_for_status()
    try:
        yield
    finally:
        product.prefect.patch(path, json={"job_variables": variables}).raise_for_status()


@contextmanager
def no_room(product: Product) -> Iterator[None]:
    """The pipeline's namespace lets no more pods in."""
    change = ("patch", "resourcequota", "quota", "-n", HOME, "--type=merge", "-p")
    before = json.loads(product.kubectl("get", "resourcequota", "quota", "-n", HOME, "-o", "json"))["spec"]["hard"]
    product.kubectl(*change, json.dumps({"spec": {"hard": {"pods": "0"}}}))
    try:
        yield
    finally:
        product.kubectl(*change, json.dumps({"spec": {"hard": {"pods": before["pods"]}}}))


WAITS = {"an image that is nowhere": (another_image, "cannot pull its image"), "no room": (no_room, "exceeded quota")}


@pytest.mark.parametrize("why", WAITS)
def test_the_installation_says_why_its_job_does_not_begin_and_goes_on_when_it_can(
    product: Product, jobs_tenant: Tenant, why: str
) -> None:
    hinder, sentence = WAITS[why]
    with hinder(product):
        accepted = product.ask(product.request("service", jobs_tenant.name))
        jobs_tenant.adopt(accepted["id"])
        seen = product.await_that(accepted["id"], lambda one: sentence in (one["operation"]["trouble"] or ""))
        assert seen["phase"] == "requested"
    ended = product.await_end(accepted)
    assert (ended["phase"], ended["operation"]["trouble"]) == ("succeeded", None), ended["operation"]
