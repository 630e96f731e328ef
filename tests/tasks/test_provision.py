"""A namespace and a database are made once, belong to whom they belong, and are taken back by whom they were made."""

from uuid import uuid4

import pytest

from blocks.domain.errors import Refused
from blocks.domain.objects.configuration import password_in
from blocks.domain.objects.names import Name
from tasks.provision import (
    drop_database,
    provision_database,
    provision_namespace,
    release_namespace,
    unprovision_database,
    unprovision_namespace,
)
from tests.tasks.carried import Carried, body

SECRET = {"secret": "theirs", "key": "token", "path": ["token"]}


async def test_what_was_made_and_what_was_there_are_told_apart(carried: Carried) -> None:
    plan = await carried.plan()
    first = await body(provision_namespace)(carried.work, plan)
    assert f"Namespace/{plan.namespace}" in first.objects.created
    assert first.objects.found == ()
    other = Carried(carried.cluster, carried.tools.settings)
    other.tenant, other.installation = carried.tenant, uuid4()
    other.asked = other.service(plugin={"name": "other"})
    second = await body(provision_namespace)(other.work, await other.plan())
    assert set(second.objects.found) == {
        f"Namespace/{plan.namespace}",
        "ResourceQuota/quota",
        "LimitRange/limits",
        "NetworkPolicy/default-deny",
        "NetworkPolicy/allow-dns",
        "NetworkPolicy/allow-same-namespace",
    }


async def test_doing_it_again_changes_nothing_and_still_knows_who_made_it(carried: Carried) -> None:
    plan = await carried.plan()
    first = await body(provision_namespace)(carried.work, plan)
    before = await carried.inventory()
    assert await body(provision_namespace)(carried.work, plan) == first
    assert await carried.inventory() == before


async def test_undoing_leaves_nothing(carried: Carried) -> None:
    before, plan = await carried.inventory(), await carried.plan()
    await body(provision_namespace)(carried.work, plan)
    await unprovision_namespace(carried.work, plan)
    assert await carried.inventory() == before


async def test_undoing_what_was_never_done_changes_nothing(carried: Carried) -> None:
    before = await carried.inventory()
    await unprovision_namespace(carried.work, await carried.plan())
    assert await carried.inventory() == before


async def test_undoing_leaves_what_others_use(carried: Carried) -> None:
    plan = await carried.plan()
    await body(provision_namespace)(carried.work, plan)
    carried.neighbours.count = 1
    await unprovision_namespace(carried.work, plan)
    left = await carried.inventory()
    assert {f"Namespace {plan.namespace}", "ResourceQuota quota", "NetworkPolicy default-deny"} <= left
    assert not left & {"ServiceAccount hello", "Role hello", "RoleBinding hello", "NetworkPolicy hello-gateway"}


async def test_undoing_leaves_what_another_operation_made(carried: Carried) -> None:
    plan = await carried.plan()
    await body(provision_namespace)(carried.work, plan)
    before = await carried.inventory()
    carried.operation = uuid4()
    again = await carried.plan()
    await body(provision_namespace)(carried.work, again)
    await unprovision_namespace(carried.work, again)
    assert await carried.inventory() == before


async def test_another_plugin_of_the_same_short_name_is_refused(carried: Carried) -> None:
    await body(provision_namespace)(carried.work, await carried.plan())
    carried.installation = uuid4()
    with pytest.raises(Refused, match=r"ServiceAccount .*/hello belongs to installation"):
        await body(provision_namespace)(carried.work, await carried.plan())


@pytest.mark.parametrize("there", [None, {}, {"other": "eA=="}], ids=["no Secret", "an empty Secret", "another key"])
async def test_a_secret_that_is_missing_is_said_before_anything_is_made(carried: Carried, there: dict[str, str] | None) -> None:
    carried.asked = carried.service(secretRefs=[SECRET])
    plan = await carried.plan()
    if there is not None:
        await give_secret(carried, plan.namespace, there)
    before = await carried.inventory()
    with pytest.raises(Refused, match="no Secret theirs with the key token"):
        await body(provision_namespace)(carried.work, plan)
    assert await carried.inventory() == before


async def test_a_secret_that_is_there_will_do(carried: Carried) -> None:
    carried.asked = carried.service(secretRefs=[SECRET])
    plan = await carried.plan()
    await give_secret(carried, plan.namespace, {"token": "eA=="})
    provisioned = await body(provision_namespace)(carried.work, plan)
    assert f"Namespace/{plan.namespace}" in provisioned.objects.found


async def test_the_password_is_in_the_secret_and_nowhere_else(carried: Carried) -> None:
    carried.asked = carried.backend()
    plan = await carried.plan()
    await body(provision_namespace)(carried.work, plan)
    made = await body(provision_database)(carried.work, plan)
    password = password_in(await carried.cluster.read(Name("Secret", plan.namespace, plan.database_secret)))
    assert password == carried.databases.passwords[plan.database]
    assert password not in (await carried.storage.get(plan.document)).decode() + str(made) + str(plan)


async def test_a_database_is_made_once_with_one_password(carried: Carried) -> None:
    carried.asked = carried.backend()
    plan = await carried.plan()
    await body(provision_namespace)(carried.work, plan)
    first = await body(provision_database)(carried.work, plan)
    password = dict(carried.databases.passwords)
    assert await body(provision_database)(carried.work, plan) == first
    assert carried.databases.passwords == password


async def test_undoing_drops_only_what_the_operation_made(carried: Carried) -> None:
    carried.asked = carried.backend()
    plan = await carried.plan()
    await body(provision_namespace)(carried.work, plan)
    await body(provision_database)(carried.work, plan)
    maker, carried.operation = carried.operation, uuid4()
    await unprovision_database(carried.work, plan)
    assert await carried.databases.names() == (f"database {plan.database}", f"role {plan.database}")
    carried.operation = maker
    await unprovision_database(carried.work, plan)
    assert await carried.databases.names() == ()
    assert await carried.cluster.read(Name("Secret", plan.namespace, plan.database_secret)) is None


async def test_a_plugin_without_a_database_gets_none(carried: Carried) -> None:
    plan = await carried.plan()
    assert (await body(provision_database)(carried.work, plan)).database == ""
    await unprovision_database(carried.work, plan)
    assert not await body(drop_database)(carried.work, plan)
    assert await carried.databases.names() == ()


async def test_data_is_dropped_when_asked_for_whoever_made_it(carried: Carried) -> None:
    carried.asked = carried.backend()
    plan = await carried.plan()
    await body(provision_namespace)(carried.work, plan)
    await body(provision_database)(carried.work, plan)
    carried.operation = uuid4()
    assert await body(drop_database)(carried.work, plan)
    assert await carried.databases.names() == ()


@pytest.mark.parametrize(("others", "gone"), [(0, True), (1, False)], ids=["the last turns off the light", "others stay"])
async def test_the_namespace_goes_with_the_last(carried: Carried, others: int, *, gone: bool) -> None:
    plan = await carried.plan()
    await body(provision_namespace)(carried.work, plan)
    carried.neighbours.count = others
    assert await body(release_namespace)(carried.work, plan) is gone
    assert (await carried.cluster.read(Name("Namespace", "", plan.namespace)) is None) is gone


async def give_secret(carried: Carried, namespace: str, data: dict[str, str]) -> None:
    ours = {"labels": {"app.kubernetes.io/managed-by": "plugin-pipeline"}}
    await carried.cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": ours | {"name": namespace}})
    metadata = {"name": "theirs", "namespace": namespace}
    await carried.cluster.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data})
