"""Who carries the requests of a cluster: chosen by a setting, or by what the cluster serves."""

from collections.abc import Collection
from enum import StrEnum

from blocks.domain.errors import Refused

GATEWAY_GROUP, LINKERD_GROUP, ISTIO_GROUP = "gateway.networking.k8s.io", "policy.linkerd.io", "networking.istio.io"
AUTO = "auto"


class Mesh(StrEnum):
    """A gateway alone, one of the service meshes behind it, or nothing but plain Services."""

    GATEWAY_API = "gateway-api"
    LINKERD = "linkerd"
    ISTIO = "istio"
    SERVICES = "services"


# What the cluster must serve for each, the most particular first. Istio takes HTTPRoutes too, so where it serves them it is a gateway.
NEEDS = (
    (Mesh.LINKERD, frozenset({GATEWAY_GROUP, LINKERD_GROUP})),
    (Mesh.GATEWAY_API, frozenset({GATEWAY_GROUP})),
    (Mesh.ISTIO, frozenset({ISTIO_GROUP})),
    (Mesh.SERVICES, frozenset[str]()),
)


def choose_mesh(asked: str, served: Collection[str]) -> Mesh:
    """The one that is asked for, or the first that the cluster serves; `Refused` where it serves too little, or where we cannot do it."""
    chosen = next((one for one, needs in NEEDS if asked in (AUTO, one) and needs <= {*served}), None)
    if chosen is None:
        wanted = {one: ", ".join(sorted(needs)) for one, needs in NEEDS}
        raise Refused(
            f"the cluster cannot carry traffic by {asked}: it does not serve {wanted[Mesh(asked)]}",
            "install its CustomResourceDefinitions, or set SERVICE_MESH_PROVIDER to what the cluster has",
        )
    if chosen is Mesh.ISTIO:
        raise Refused(
            "traffic is not shifted by Istio's own VirtualServices yet, they are only rendered",
            "install the Gateway API's types, which Istio takes too, and set SERVICE_MESH_PROVIDER=gateway-api, or to services",
        )
    return chosen
