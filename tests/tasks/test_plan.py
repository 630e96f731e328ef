"""A plan is made of what was resolved, built and judged, and nothing is touched."""

import pytest

from blocks.domain.errors import Refused, Unresolvable
from tests.fakes.cluster import FakeCluster
from tests.tasks.carried import Carried, Folder


async def test_a_service_is_planned_as_its_manifest_says(carried: Carried) -> None:
    plan = await carried.plan()
    assert (plan.slug, plan.namespace, plan.release) == ("hello", f"{carried.tenant}-dev", "/hello")
    assert plan.url == f"http://hello.{carried.tenant}-dev.localhost:8888"
    assert plan.image == "registry:5000/hello@sha256:1"


async def test_a_backend_is_planned_with_its_database(carried: Carried) -> None:
    carried.asked = carried.backend()
    plan = await carried.plan()
    assert plan.database == f"p_{carried.installation.hex[:16]}"


async def test_nothing_is_touched(carried: Carried, fake: FakeCluster) -> None:
    await carried.plan()
    assert not fake.requests


async def test_a_plan_is_the_same_twice(carried: Carried) -> None:
    first, second = await carried.plan(), await carried.plan()
    assert first.hash == second.hash


async def test_a_manifest_that_is_wrong_makes_no_plan(carried: Carried) -> None:
    carried.tools.sources = Folder("id: [")
    with pytest.raises(Unresolvable, match=r"plugin\.yaml"):
        await carried.plan()


async def test_a_database_without_an_address_makes_no_plan(carried: Carried) -> None:
    carried.asked = carried.backend()
    carried.tools.settings = carried.tools.settings.model_copy(update={"plugin_database_host": "db.example"})
    with pytest.raises(Refused, match=r"'db\.example' is none"):
        await carried.plan()
