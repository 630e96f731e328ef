"""What carries requests is what was asked for, or what the cluster serves; and never something that it does not serve."""

import pytest

from blocks.domain.errors import Refused
from blocks.domain.mesh import AUTO, GATEWAY_GROUP, ISTIO_GROUP, LINKERD_GROUP, Mesh, choose_mesh


@pytest.mark.parametrize(
    ("asked", "served", "chosen"),
    [
        pytest.param(AUTO, {"apps", GATEWAY_GROUP}, Mesh.GATEWAY_API, id="a gateway alone"),
        pytest.param(AUTO, {GATEWAY_GROUP, LINKERD_GROUP}, Mesh.LINKERD, id="Linkerd where it is"),
        pytest.param(AUTO, {GATEWAY_GROUP, ISTIO_GROUP}, Mesh.GATEWAY_API, id="Istio takes the gateway's routes"),
        pytest.param("gateway-api", {GATEWAY_GROUP, LINKERD_GROUP}, Mesh.GATEWAY_API, id="who is asked for comes first"),
        pytest.param("linkerd", {GATEWAY_GROUP, LINKERD_GROUP}, Mesh.LINKERD, id="Linkerd as asked"),
        pytest.param(AUTO, {"apps"}, Mesh.SERVICES, id="plain Services where there is nothing"),
        pytest.param("services", {GATEWAY_GROUP}, Mesh.SERVICES, id="plain Services as asked"),
    ],
)
def test_the_mesh_is_the_one_that_is_asked_for_or_there(asked: str, served: set[str], chosen: Mesh) -> None:
    assert choose_mesh(asked, served) is chosen


@pytest.mark.parametrize(
    ("asked", "served", "said"),
    [
        pytest.param("gateway-api", {"apps"}, "by gateway-api: it does not serve gateway.networking.k8s.io", id="no gateway"),
        pytest.param("linkerd", {GATEWAY_GROUP}, "by linkerd: it does not serve .*policy.linkerd.io", id="no Linkerd"),
        pytest.param("istio", {GATEWAY_GROUP}, "by istio: it does not serve networking.istio.io", id="no Istio"),
        pytest.param("istio", {GATEWAY_GROUP, ISTIO_GROUP}, "not shifted by Istio's own VirtualServices", id="Istio as asked"),
        pytest.param(
            AUTO, {ISTIO_GROUP}, "not shifted by Istio's own VirtualServices", id="Istio without routes of the gateway's"
        ),
    ],
)
def test_what_the_cluster_or_we_cannot_do_is_refused(asked: str, served: set[str], said: str) -> None:
    with pytest.raises(Refused, match=said) as caught:
        choose_mesh(asked, served)
    assert "SERVICE_MESH_PROVIDER" in caught.value.hint
