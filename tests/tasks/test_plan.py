"""A plan is made of what was resolved, built and judged; the cluster is asked what it would lead to, and nothing is touched."""

import json
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from blocks.domain.asking import Wish
from blocks.domain.errors import DoesNotFit, PlanStale, Refused, Unresolvable
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.names import Name
from blocks.domain.objects.phases import every
from blocks.domain.plan import Plan, canonical, hash_plan
from blocks.domain.release import Image
from tasks.objects import put_up
from tasks.plan import confirm_plan, make_plan, plan_return, read_before, read_plan
from tasks.scaling import deployment_of
from tasks.switch import reloaded_by
from tests.fakes.cluster import FakeCluster
from tests.tasks.carried import RESOLUTION, VERDICT, Carried, Folder, body

BIG = {"cpu": {"request": "4", "limit": "4"}, "memory": {"request": "1Gi", "limit": "1Gi"}}


async def document(carried: Carried, plan: Plan) -> Any:
    return json.loads(await carried.storage.get(plan.document))


async def changes(carried: Carried, plan: Plan) -> dict[str, str]:
    """What happens to each object that does not stay as it is."""
    told = (await document(carried, plan))["shown"]["changes"]
    return {one["object"]: one["action"] for one in told if one["action"] != "keep"}


async def serve(carried: Carried, plan: Plan) -> None:
    """Put the plan's objects up and let the record say that it serves."""
    await put_up(carried.work, every(await read_plan(carried.work, plan)))
    carried.serve(plan)


async def interfere(carried: Carried, fake: FakeCluster, name: Name, change: dict[str, Any]) -> None:
    """Somebody else changes fields of the object."""
    plural = {"Service": "services", "Namespace": "namespaces", "Role": "roles"}[name.kind]
    metadata = {"name": name.name} | ({"namespace": name.namespace} if name.namespace else {})
    fake.store.apply((plural, name.namespace, name.name), {"metadata": metadata} | change, "somebody", force=True)


async def test_a_service_is_planned_as_its_manifest_says(carried: Carried) -> None:
    plan = await carried.plan()
    assert (plan.slug, plan.namespace, plan.release) == ("hello", f"{carried.tenant}-dev", "/hello")
    assert plan.url == f"http://hello.{carried.tenant}-dev.localhost:8888"
    assert (plan.image, plan.target) == ("registry:5000/hello@sha256:1", "hello@1.2.3")
    assert (plan.verb, plan.previous, plan.before, plan.data) == ("install", 0, "", "")


async def test_a_backend_is_planned_with_its_database(carried: Carried) -> None:
    carried.asked = carried.backend()
    plan = await carried.plan()
    assert plan.database == f"p_{carried.installation.hex[:16]}"
    assert (await changes(carried, plan))["Secret/a-b-database"] == "create"


async def test_nothing_is_touched(carried: Carried, fake: FakeCluster) -> None:
    before = fake.store.version
    await carried.plan()
    assert fake.store.version == before
    assert {verb.split()[0] for verb in fake.requests} == {"GET", "DRYRUN"}


async def test_a_plan_is_the_same_twice_whoever_makes_it(carried: Carried) -> None:
    first = await carried.plan()
    carried.operation, carried.verb = uuid4(), "plan"
    assert (await carried.plan()).hash == first.hash


async def test_everything_is_new_at_first(carried: Carried) -> None:
    plan = await carried.plan()
    assert set((await changes(carried, plan)).values()) == {"create"}
    assert plan.changes == len(plan.objects) == 16
    assert "16 to create, 0 to change, 0 to remove" in plan.summary


async def test_the_objects_bear_the_stamp_of_the_operation_that_makes_them(carried: Carried) -> None:
    plan = await carried.plan()
    assert str(carried.operation) not in (await carried.storage.get(plan.document)).decode()
    made = every(await read_plan(carried.work, plan))
    stamps = [json.dumps(one["metadata"]).count(str(carried.operation)) for one in made]
    assert stamps == [1] * len(made)


async def test_an_update_says_what_is_different_and_what_goes(carried: Carried) -> None:
    carried.asked = carried.service(egress=[{"cidr": "192.0.2.0/24", "port": 443}])
    first = await carried.plan()
    await serve(carried, first)
    carried.asked = carried.service(replicas=2)
    plan = await carried.plan()
    assert (plan.verb, plan.revision, plan.previous, plan.before) == ("update", 2, 1, first.document)
    found = await changes(carried, plan)
    assert {name: found[name] for name in ("Deployment/hello-r2", "Deployment/hello-r1", "HTTPRoute/hello")} == {
        "Deployment/hello-r2": "create",
        "Deployment/hello-r1": "change",
        "HTTPRoute/hello": "change",
    }
    assert found["NetworkPolicy/hello-egress"] == "remove"
    assert "Namespace/" not in "".join(found)
    told = {one["object"]: one for one in (await document(carried, plan))["shown"]["changes"]}
    assert told["Deployment/hello-r2"]["compared"] == "Deployment/hello-r1"
    assert told["Deployment/hello-r2"]["fields"] == [{"path": "spec.replicas", "before": 1, "after": 2}]
    assert told["Deployment/hello-r1"]["fields"] == [{"path": "spec.replicas", "before": 1, "after": 0}]


async def test_what_falls_out_of_the_history_goes(carried: Carried) -> None:
    carried.neighbours.kept = 1
    for replicas in (1, 2):
        carried.asked = carried.service(replicas=replicas)
        await serve(carried, await carried.plan())
    carried.asked = carried.service(replicas=3)
    found = await changes(carried, await carried.plan())
    assert {name for name, action in found.items() if action == "remove"} == {
        "Deployment/hello-r1",
        "Service/hello-r1",
        "ConfigMap/hello-r1",
    }


async def test_what_serves_already_leaves_nothing_to_do(carried: Carried) -> None:
    first = await carried.plan()
    await serve(carried, first)
    plan = await carried.plan()
    assert (plan.changes, plan.revision, plan.steps) == (0, 1, ())
    assert plan.summary.startswith("nothing to do: hello 1.2.3 serves")
    shown = (await document(carried, plan))["shown"]
    assert (shown["changes"], shown["traffic"], shown["warnings"]) == ([], [], [])


async def test_what_somebody_took_away_is_warned_of_where_there_is_nothing_to_do(carried: Carried) -> None:
    await serve(carried, await carried.plan())
    await carried.cluster.remove(Name("Service", f"{carried.tenant}-dev", "hello"), lambda _: True)
    plan = await carried.plan()
    assert plan.changes == 0
    assert (await document(carried, plan))["shown"]["warnings"] == ["Service/hello is not as it was put up: it is gone"]


async def test_what_somebody_changed_is_warned_of_where_there_is_nothing_to_do(carried: Carried, fake: FakeCluster) -> None:
    """An operation would be refused; a plan that changes nothing is not."""
    first = await carried.plan()
    await serve(carried, first)
    await interfere(carried, fake, Name("Service", first.namespace, "hello"), {"spec": {"type": "NodePort"}})
    plan = await carried.plan()
    (warning,) = (await document(carried, plan))["shown"]["warnings"]
    assert plan.changes == 0
    assert "others have changed Service" in warning
    carried.asked = carried.service(replicas=2)
    with pytest.raises(Refused, match="others have changed Service"):
        await carried.plan()


async def test_a_reload_leaves_nothing_to_do(carried: Carried) -> None:
    first = await carried.plan()
    await serve(carried, first)
    deployment = deployment_of(await read_plan(carried.work, first))
    await carried.cluster.apply(reloaded_by(deployment, str(carried.operation)))
    plan = await carried.plan()
    assert (plan.changes, (await document(carried, plan))["shown"]["warnings"]) == (0, [])


async def test_an_update_of_a_plugin_with_data_names_what_cannot_be_taken_back(carried: Carried) -> None:
    carried.asked = carried.backend()
    await serve(carried, await carried.plan())
    carried.asked = carried.backend(config={"a": 1})
    plan = await carried.plan()
    assert "what revision 2 writes into the database stays" in plan.data
    assert [one.name for one in plan.steps if one.undo == "final"] == ["hand_over_data"]
    assert "1 step cannot be taken back" in plan.summary


async def test_the_way_back_is_the_recorded_revision(carried: Carried) -> None:
    first = await carried.plan()
    await serve(carried, first)
    carried.asked = carried.service(replicas=3)
    second = await carried.plan()
    await serve(carried, second)
    carried.verb, carried.revision = "rollback", 1
    back = await body(plan_return)(carried.work, 1)
    assert (back.verb, back.revision, back.previous, back.replicas) == ("rollback", 1, 2, 1)
    assert "quarantine_release" in [one.name for one in back.steps]
    assert every(await read_plan(carried.work, back))[-1]["spec"]["rules"][0]["backendRefs"][0]["name"] == "hello-r1"
    before = {Name.of(one).short for one in every(await read_before(carried.work, back))}
    assert "Deployment/hello-r2" in before


@pytest.mark.parametrize("number", [pytest.param(7, id="a revision that never was"), pytest.param(1, id="nothing serves")])
async def test_there_is_not_always_a_way_back(carried: Carried, number: int) -> None:
    await serve(carried, await carried.plan())
    carried.neighbours.serves = 1 if number == 7 else 0
    with pytest.raises(Refused, match=f"no way back to revision {number}"):
        await body(plan_return)(carried.work, number)


async def test_a_plan_that_is_still_true_is_confirmed(carried: Carried) -> None:
    plan = await carried.plan()
    await body(confirm_plan)(carried.work, plan)
    assert (await carried.plan()).hash == plan.hash


async def test_another_plugin_of_the_tenant_that_comes_first_makes_no_plan_stale(carried: Carried) -> None:
    plan = await carried.plan()
    other = Carried(carried.cluster, carried.tools.settings)
    other.tenant = carried.tenant
    other.asked = other.service(plugin={"name": "other"})
    await put_up(other.work, every(await read_plan(other.work, await other.plan())))
    await body(confirm_plan)(carried.work, plan)
    assert (await carried.plan()).hash == plan.hash


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        pytest.param(
            Name("Service", "", "hello"),
            {"spec": {"selector": {"a": "b"}}},
            "",
            id="a field of nobody's that was added does not count",
        ),
        pytest.param(
            Name("Service", "", "hello"),
            {"spec": {"type": "NodePort"}},
            "in the cluster Service/hello: spec.type was ClusterIP and is now NodePort",
            id="a field of ours that was changed",
        ),
        pytest.param(
            Name("Role", "", "hello"),
            {"rules": []},
            "in the cluster Role/hello: rules[0] was",
            id="a permission that was changed",
        ),
    ],
)
async def test_a_world_that_changed_makes_the_plan_stale(
    carried: Carried, fake: FakeCluster, name: Name, change: dict[str, Any], said: str
) -> None:
    await serve(carried, await carried.plan())
    carried.asked = carried.service(replicas=2)
    plan = await carried.plan()
    await interfere(carried, fake, replace(name, namespace=plan.namespace), change)
    if not said:
        await body(confirm_plan)(carried.work, plan)
        assert plan.changes
        return
    with pytest.raises(PlanStale) as stale:
        await body(confirm_plan)(carried.work, plan)
    assert said in stale.value.message


async def test_what_went_makes_the_plan_stale(carried: Carried) -> None:
    await serve(carried, await carried.plan())
    carried.asked = carried.service(replicas=2)
    plan = await carried.plan()
    await carried.cluster.remove(Name("HTTPRoute", plan.namespace, "hello"), lambda _: True)
    with pytest.raises(PlanStale, match="in the cluster HTTPRoute/hello is no longer there"):
        await body(confirm_plan)(carried.work, plan)


async def test_another_revision_that_serves_makes_the_plan_stale(carried: Carried) -> None:
    first = await carried.plan()
    await serve(carried, first)
    carried.asked = carried.service(replicas=2)
    plan = await carried.plan()
    carried.neighbours.serves = 0
    with pytest.raises(PlanStale, match="previous was 1 and is now 0"):
        await body(confirm_plan)(carried.work, plan)


async def test_the_plan_that_was_read_is_the_plan_that_is_made(carried: Carried) -> None:
    read = await carried.plan()
    carried.operation, carried.wish = uuid4(), Wish(plan_hash=read.hash)
    assert (await carried.plan()).hash == read.hash
    carried.asked = carried.service(replicas=2)
    with pytest.raises(PlanStale, match=r"Deployment/hello-r1: spec\.replicas was 1 and is now 2"):
        await carried.plan()


async def test_a_hash_that_nobody_knows_is_no_plan(carried: Carried) -> None:
    carried.wish = Wish(plan_hash="sha256:0")
    with pytest.raises(PlanStale, match="there is no plan sha256:0, and what is planned now is sha256:"):
        await carried.plan()


async def test_another_lock_is_told_package_by_package(carried: Carried) -> None:
    async def planned(versions: dict[str, str]) -> Plan:
        entries = "".join(f"  '{name}@{version}':\n    resolution: {{}}\n" for name, version in versions.items())
        lock = await carried.storage.put(json.dumps({"pnpm-lock.yaml": f"a\npackages:\n{entries}\nsnapshots:\n"}))
        resolution = replace(RESOLUTION, lock=lock)
        plan: Plan = await body(make_plan)(carried.work, resolution, Image("registry:5000/hello", "sha256:1", ""), VERDICT)
        return plan

    await serve(carried, await planned({"@backstage/plugin-a": "1.0.0", "b": "1.0.0"}))
    carried.asked = carried.service(replicas=2)
    plan = await planned({"@backstage/plugin-a": "1.1.0", "c": "1.0.0"})
    told = await document(carried, plan)
    assert told["hashed"]["releases"]["dependencies"] == [{"name": "@backstage/plugin-a", "before": "1.0.0", "after": "1.1.0"}]
    assert told["shown"]["packages"] == {"added": 1, "removed": 1, "changed": 1}


async def test_what_leaves_no_room_is_said_before_anything_is_touched(carried: Carried, fake: FakeCluster) -> None:
    plugin = {"name": "hello", "runtime": {"type": "service"}, "resources": BIG}
    carried.asked = carried.service(plugin=plugin, replicas=3)
    first = await carried.plan()
    await put_up(carried.work, every(await read_plan(carried.work, first)))
    used = {"requests.cpu": "12", "limits.cpu": "12", "pods": "3"}
    quota = ("resourcequotas", first.namespace, "quota")
    fake.store.set_status(quota, {"used": fake.store.objects[quota]["status"]["used"] | used})
    carried.serve(first)
    carried.asked = carried.service(plugin=plugin, replicas=2)
    version = fake.store.version
    with pytest.raises(
        DoesNotFit, match=r"needs 4 CPU \(limits\) and 4 CPU more during the rollout, until the revision before is gone"
    ):
        await carried.plan()
    assert fake.store.version == version
    carried.asked = carried.service(plugin=plugin, replicas=2, strategyConfig={"maxSurge": 0, "maxUnavailable": 1})
    told = await document(carried, await carried.plan())
    (pods,) = [one for one in told["shown"]["quota"] if one["resource"] == "pods"]
    assert (pods["before"], pods["during"], pods["after"]) == ("3", "3", "2")


async def test_what_no_container_may_have_is_refused(carried: Carried) -> None:
    resources = {"cpu": {"request": "1", "limit": "5"}}
    carried.asked = carried.service(plugin={"name": "hello", "runtime": {"type": "service"}, "resources": resources})
    with pytest.raises(DoesNotFit, match="container plugin asks for 5 cpu, and one container may have 4"):
        await carried.plan()


async def test_what_is_somebody_elses_is_refused_by_name(carried: Carried, fake: FakeCluster) -> None:
    await serve(carried, await carried.plan())
    carried.installation, carried.neighbours.serves = uuid4(), 0
    with pytest.raises(Refused, match=r"Service .*/hello belongs to installation"):
        await carried.plan()


async def test_a_manifest_that_is_wrong_makes_no_plan(carried: Carried) -> None:
    carried.tools.sources = Folder("id: [")
    with pytest.raises(Unresolvable, match=r"plugin\.yaml"):
        await carried.plan()


async def test_a_database_without_an_address_makes_no_plan(carried: Carried) -> None:
    carried.asked = carried.backend()
    carried.tools.settings = carried.tools.settings.model_copy(update={"plugin_database_host": "db.example"})
    with pytest.raises(Refused, match=r"'db\.example' is none"):
        await carried.plan()


async def test_a_plan_is_found_by_its_hash(carried: Carried) -> None:
    plan = await carried.plan()
    hashed = (await document(carried, plan))["hashed"]
    assert (await carried.storage.get(plan.hash)).decode() == canonical(hashed)
    assert hash_plan(hashed) == plan.hash


def objects_named(found: list[Object]) -> set[str]:
    return {Name.of(one).short for one in found}


async def test_the_plan_names_every_object_of_its_document(carried: Carried) -> None:
    plan = await carried.plan()
    assert objects_named(await carried.objects(plan)) == set(plan.objects)
