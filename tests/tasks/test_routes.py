"""A route that would lead nowhere, or somebody else's people to us, is refused before anything is put up; and Linkerd where it is."""

from typing import Any

import pytest

from blocks.domain.errors import Refused
from blocks.domain.mesh import GATEWAY_GROUP, ISTIO_GROUP, LINKERD_GROUP
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.names import Name
from blocks.domain.objects.phases import PROVISIONED, Phase, every
from tasks.objects import put_up
from tasks.plan import confirm_plan, read_plan
from tasks.provision import provision_namespace, unprovision_namespace
from tasks.remove import remove_plugin
from tests.fakes.cluster import FakeCluster
from tests.tasks.carried import Carried, body

MESHED = ("Server/hello", "NetworkAuthentication/hello-gateway", "AuthorizationPolicy/hello-gateway", "NetworkPolicy/hello-mesh")


def hold(fake: FakeCluster, host: str) -> None:
    """Somebody in another namespace has a route for the host at our gateway."""
    route: dict[str, Any] = {"kind": "HTTPRoute", "apiVersion": "gateway.networking.k8s.io/v1", "metadata": {"name": "theirs"}}
    parent = {"name": "contour", "namespace": "projectcontour"}
    backend = {"name": "theirs", "port": 80, "weight": 100}
    spec = {"hostnames": [host], "parentRefs": [parent], "rules": [{"backendRefs": [backend]}]}
    fake.store.create(("httproutes", "other-dev", "theirs"), route | {"spec": spec}, "somebody")


def serve_linkerd(carried: Carried, fake: FakeCluster) -> None:
    """The cluster serves Linkerd's types, and whoever carries looks what it serves."""
    fake.groups |= {LINKERD_GROUP}
    carried.tools.settings = carried.tools.settings.model_copy(update={"service_mesh_provider": "auto"})


async def kinds(carried: Carried) -> set[str]:
    """Everything that is planned, as `Kind/name`."""
    return {*(await carried.plan()).objects}


async def test_a_host_that_another_tenant_holds_is_refused_when_the_plan_is_made(carried: Carried, fake: FakeCluster) -> None:
    hold(fake, f"hello.{carried.tenant}-dev.localhost")
    before = fake.names()
    with pytest.raises(Refused, match=r"host hello\.t-.*-dev\.localhost is held by HTTPRoute other-dev/theirs"):
        await carried.plan()
    assert fake.names() == before


async def test_a_host_that_somebody_took_meanwhile_is_refused_before_anything_is_made(
    carried: Carried, fake: FakeCluster
) -> None:
    plan = await carried.plan()
    await body(confirm_plan)(carried.work, plan)
    hold(fake, plan.host)
    with pytest.raises(Refused, match="is held by HTTPRoute other-dev/theirs"):
        await body(confirm_plan)(carried.work, plan)


async def test_a_wrong_route_is_not_put_up_and_nothing_with_it(carried: Carried, fake: FakeCluster) -> None:
    plan = await carried.plan()
    staged = await read_plan(carried.work, plan)
    await put_up(carried.work, every(staged, PROVISIONED))
    (route,) = staged[Phase.EXPOSURE]
    wrong: Object = route | {"spec": route["spec"] | {"rules": []}}
    before = fake.store.version
    with pytest.raises(Refused, match="HTTPRoute/hello has no rule"):
        await put_up(carried.work, [*staged[Phase.CONFIGURATION], wrong])
    assert fake.store.version == before


async def test_without_a_mesh_there_is_nothing_of_one(carried: Carried) -> None:
    assert not await kinds(carried) & {*MESHED}


async def test_where_linkerd_is_the_plugin_is_behind_it(carried: Carried, fake: FakeCluster) -> None:
    serve_linkerd(carried, fake)
    assert {*MESHED} <= await kinds(carried)


async def test_what_the_mesh_has_of_a_plugin_comes_and_goes_with_it(carried: Carried, fake: FakeCluster) -> None:
    serve_linkerd(carried, fake)
    plan, server = await carried.plan(), Name("Server", f"{carried.tenant}-dev", "hello")
    for take_back in (unprovision_namespace, body(remove_plugin)):
        await body(provision_namespace)(carried.work, plan)
        assert await carried.cluster.read(server) is not None
        await take_back(carried.work, plan)
        assert await carried.cluster.read(server) is None


async def test_the_setting_comes_before_what_is_there(carried: Carried, fake: FakeCluster) -> None:
    fake.groups |= {LINKERD_GROUP}
    carried.tools.settings = carried.tools.settings.model_copy(update={"service_mesh_provider": "gateway-api"})
    assert not await kinds(carried) & {*MESHED}


async def test_what_we_cannot_do_is_refused_in_the_plan(carried: Carried, fake: FakeCluster) -> None:
    fake.groups |= {ISTIO_GROUP}
    carried.tools.settings = carried.tools.settings.model_copy(update={"service_mesh_provider": "istio"})
    before = fake.store.version
    with pytest.raises(Refused, match="not shifted by Istio's own VirtualServices"):
        await carried.plan()
    assert fake.store.version == before


def serve_nothing(carried: Carried, fake: FakeCluster) -> None:
    """The cluster serves nothing that could carry requests, and whoever carries looks what it serves."""
    fake.groups -= {GATEWAY_GROUP}
    carried.tools.settings = carried.tools.settings.model_copy(update={"service_mesh_provider": "auto"})


async def test_where_there_is_nothing_the_plugins_service_is_its_route(carried: Carried, fake: FakeCluster) -> None:
    serve_nothing(carried, fake)
    plan = await carried.plan()
    assert (plan.plain, plan.host) == (True, f"hello.{carried.tenant}-dev.svc:8080")
    assert (plan.own_host, plan.url) == (f"hello-r1.{carried.tenant}-dev.svc:8080", f"http://{plan.host}")
    assert [one["kind"] for one in (await read_plan(carried.work, plan))[Phase.EXPOSURE]] == ["Service"]


async def test_what_plain_services_cannot_do_is_refused_in_the_plan(carried: Carried, fake: FakeCluster) -> None:
    serve_nothing(carried, fake)
    carried.asked = carried.service(strategy="ab-testing")
    with pytest.raises(Refused, match=r"nothing but plain Services.*there is no A/B test"):
        await carried.plan()


async def test_what_is_led_to_by_services_is_not_led_to_by_a_gateway_from_one_revision_to_the_next(
    carried: Carried, fake: FakeCluster
) -> None:
    serve_nothing(carried, fake)
    carried.serve(await carried.plan())
    fake.groups |= {GATEWAY_GROUP}
    carried.asked = carried.service(replicas=2)
    with pytest.raises(Refused, match="by its Service, and would be led by its HTTPRoute") as caught:
        await carried.plan()
    assert "SERVICE_MESH_PROVIDER" in caught.value.hint
