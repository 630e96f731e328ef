"""Planning against the real cluster: what people read is what the API server would do, and it is true until somebody changes something."""

import json
from typing import Any

import pytest

from blocks.domain.errors import DoesNotFit, PlanStale
from blocks.domain.objects.names import Name
from blocks.domain.objects.phases import every
from blocks.domain.plan import Plan
from blocks.ports.cluster import View
from tasks.objects import put_up
from tasks.plan import confirm_plan, read_plan
from tests.tasks.carried import Carried, body

pytestmark = pytest.mark.world


async def serve(carried: Carried, plan: Plan) -> None:
    """The plan's objects stand, and the record says that it serves; nobody waits for its pods."""
    await put_up(carried.work, every(await read_plan(carried.work, plan)))
    carried.serve(plan)


async def told(carried: Carried, plan: Plan) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(await carried.storage.get(plan.document))
    return shown


async def test_a_first_plan_is_tried_elsewhere_and_leaves_nothing(really_carried: Carried) -> None:
    carried = really_carried
    plan = await carried.plan()
    assert (plan.changes, (await carried.plan()).hash) == (16, plan.hash)
    assert await carried.cluster.read(Name("Namespace", "", plan.namespace)) is None
    assert await carried.cluster.read(Name("Deployment", "plugin-pipeline-dry-run-dev", plan.name)) is None
    await body(confirm_plan)(carried.work, plan)


async def test_what_was_put_up_leaves_nothing_to_do_and_nothing_of_the_tenants_to_look_at(really_carried: Carried) -> None:
    carried = really_carried
    first = await carried.plan()
    await serve(carried, first)
    plan = await carried.plan()
    document = await told(carried, plan)
    assert (plan.changes, document["shown"]["warnings"]) == (0, [])
    assert not {"Namespace", "ResourceQuota", "LimitRange"} & {name.partition("/")[0] for name in document["hashed"]["live"]}
    assert "NetworkPolicy/default-deny" not in document["hashed"]["live"]


async def test_an_update_is_read_field_by_field_and_stands_until_somebody_changes_something(really_carried: Carried) -> None:
    carried = really_carried
    await serve(carried, await carried.plan())
    carried.asked = carried.service(replicas=2, config={"greeting": "hi"})
    plan = await carried.plan()
    found = {one["object"]: one for one in (await told(carried, plan))["shown"]["changes"]}
    assert found["ConfigMap/hello-r2"]["fields"] == [{"path": "data[config.json].greeting", "before": None, "after": "hi"}]
    assert found["Deployment/hello-r2"]["fields"] == [{"path": "spec.replicas", "before": 1, "after": 2}]
    assert found["Deployment/hello-r1"]["fields"] == [{"path": "spec.replicas", "before": 1, "after": 0}]
    moved = [one["path"] for one in found["HTTPRoute/hello"]["fields"] if one["path"].startswith("spec")]
    assert moved == ["spec.rules[0].backendRefs[hello-r1]", "spec.rules[0].backendRefs[hello-r2]"]
    await body(confirm_plan)(carried.work, plan)
    await carried.cluster.remove(Name("PodDisruptionBudget", plan.namespace, "hello"), lambda _: True)
    with pytest.raises(PlanStale, match="in the cluster PodDisruptionBudget/hello is no longer there"):
        await body(confirm_plan)(carried.work, plan)


async def test_a_rollout_that_does_not_fit_beside_what_runs_is_said_in_numbers(really_carried: Carried) -> None:
    """The pods stay pending: no node has so much, and a quota counts what is asked for all the same."""
    carried = really_carried
    resources = {"cpu": {"request": "3", "limit": "4"}, "memory": {"request": "16Mi", "limit": "64Mi"}}
    plugin = {"name": "hello", "runtime": {"type": "service"}, "resources": resources}
    carried.asked = carried.service(plugin=plugin, replicas=3)
    first = await carried.plan()
    await serve(carried, first)

    def is_counted(seen: Any) -> bool | None:
        return any(one.get("status", {}).get("used", {}).get("limits.cpu") == "12" for one in seen["it"]) or None

    view = View("ResourceQuota", first.namespace, fields={"metadata.name": "quota"})
    assert await carried.cluster.wait({"it": view}, is_counted, 60)
    carried.asked = carried.service(plugin=plugin, replicas=2)
    with pytest.raises(DoesNotFit, match=r"does not fit: needs 4 CPU \(limits\) more during the rollout, until"):
        await carried.plan()
