"""A revision comes up, or fails as soon as that is certain, in the words of its own pods; on a cluster in memory."""

import asyncio

import pytest

from blocks.domain.errors import DoesNotFit, PipelineError, RolloutFailed
from blocks.domain.objects.closed import SERVICE_NAME
from blocks.domain.objects.names import Name
from blocks.domain.plan import Plan
from blocks.ports.cluster import View
from tasks.provision import provision_namespace, unprovision_namespace
from tasks.remove import remove_plugin
from tasks.rollout import roll_out, take_down
from tasks.shift import shift_traffic
from tests.fakes.cluster import FakeCluster
from tests.tasks.carried import Carried, body


async def prepared(carried: Carried) -> Plan:
    plan = await carried.plan()
    await body(provision_namespace)(carried.work, plan)
    return plan


async def reasons(carried: Carried, plan: Plan) -> list[str]:
    return [one["reason"] for one in await carried.cluster.find(View("Event", plan.namespace)) if one.get("action")]


async def test_a_revision_comes_up_and_is_routed(carried: Carried) -> None:
    carried.asked = carried.service(replicas=2)
    plan = await prepared(carried)
    rolled_out = await body(roll_out)(carried.work, plan)
    assert rolled_out.pods == ("hello-r1-0", "hello-r1-1")
    assert rolled_out.objects.created[-1] == "Deployment/hello-r1"
    assert await reasons(carried, plan) == ["Provisioned", "RollingOut", "RolledOut"]


async def test_rolling_out_again_changes_nothing(carried: Carried) -> None:
    plan = await prepared(carried)
    first = await body(roll_out)(carried.work, plan)
    before = await carried.inventory()
    assert await body(roll_out)(carried.work, plan) == first
    assert await carried.inventory() == before


@pytest.mark.parametrize(
    ("case", "error", "said"),
    [
        pytest.param("quota-exceeded", DoesNotFit, "exceeded quota", id="a quota leaves no room"),
        pytest.param("no-such-image", RolloutFailed, "cannot pull its image", id="an image is not there"),
        pytest.param("crash", RolloutFailed, "its last words: the moon is missing", id="a pod crashes"),
        pytest.param(
            "crash-without-words", RolloutFailed, "its last words: from the log", id="a pod crashes and only its log tells why"
        ),
        pytest.param("oom", RolloutFailed, "its last words: still hungry", id="a pod takes too much memory"),
        pytest.param(
            "unready", RolloutFailed, "statuscode: 503; its last words: waiting for the tide", id="a pod never becomes ready"
        ),
        pytest.param("unschedulable", RolloutFailed, "Insufficient memory", id="no node takes a pod until the time is over"),
    ],
)
async def test_a_failure_is_said_well_and_leaves_nothing(
    carried: Carried, fake: FakeCluster, case: str, error: type[PipelineError], said: str
) -> None:
    before, fake.pods_are = await carried.inventory(), case
    carried.tools.settings = carried.tools.settings.model_copy(update={"progress_deadline": 0.5})
    plan = await prepared(carried)
    with pytest.raises(error, match=said) as raised:
        await body(roll_out)(carried.work, plan)
    assert raised.value.hint
    assert (await reasons(carried, plan))[-1] == "RolloutFailed"
    await take_down(carried.work, plan)
    await unprovision_namespace(carried.work, plan)
    assert await carried.inventory() == before


def lead(fake: FakeCluster, plan: Plan, *ready: bool) -> None:
    """The revision's Service leads to pods, each of them ready or not."""
    key = ("endpointslices", plan.namespace, f"{plan.name}-slice")
    endpoints = [{"addresses": [f"10.0.0.{number}"], "conditions": {"ready": one}} for number, one in enumerate(ready, 1)]
    metadata = {"name": key[2], "namespace": plan.namespace, "labels": {SERVICE_NAME: plan.name}}
    made = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4", "metadata": metadata}
    fake.store.apply(key, made | {"endpoints": endpoints}, "controller", force=True)


async def test_a_revision_is_ready_once_its_service_leads_to_all_its_pods(carried: Carried, fake: FakeCluster) -> None:
    carried.asked = carried.service(replicas=2)
    plan = await prepared(carried)
    lead(fake, plan, True, False)
    rolling = asyncio.create_task(body(roll_out)(carried.work, plan))
    assert await carried.cluster.wait({"pods": View("Pod", plan.namespace)}, lambda seen: len(seen["pods"]) == 2 or None, 10)
    done, _ = await asyncio.wait({rolling}, timeout=0.5)
    assert not done
    lead(fake, plan, True, True)
    assert (await rolling).pods == ("hello-r1-0", "hello-r1-1")


async def test_a_service_that_leads_nowhere_is_said(carried: Carried, fake: FakeCluster) -> None:
    carried.tools.settings = carried.tools.settings.model_copy(update={"progress_deadline": 0.5})
    plan = await prepared(carried)
    lead(fake, plan)
    with pytest.raises(RolloutFailed, match="does not lead to its 1 ready pods"):
        await body(roll_out)(carried.work, plan)


async def test_nothing_is_routed_before_it_is_ready(carried: Carried) -> None:
    plan = await prepared(carried)
    await body(roll_out)(carried.work, plan)
    assert await carried.cluster.read(Name("HTTPRoute", plan.namespace, plan.slug)) is None


async def test_taking_down_leaves_what_was_there_before(carried: Carried) -> None:
    plan = await prepared(carried)
    before = await carried.inventory()
    await body(roll_out)(carried.work, plan)
    await take_down(carried.work, plan)
    assert await carried.inventory() == before
    await take_down(carried.work, plan)


async def test_removing_takes_everything_of_the_installation_route_first(carried: Carried) -> None:
    plan = await prepared(carried)
    await body(roll_out)(carried.work, plan)
    await body(shift_traffic)(carried.work, plan)
    gone = await body(remove_plugin)(carried.work, plan)
    assert gone[0] == "HTTPRoute/hello"
    assert {"Deployment/hello-r1", "ServiceAccount/hello", "NetworkPolicy/hello-gateway"} <= {*gone}
    left = await carried.inventory()
    assert not [one for one in left if "hello" in one]
    assert f"Namespace {plan.namespace}" in left
    assert await body(remove_plugin)(carried.work, plan) == ()
