"""What each way of carrying traffic leads people by, and what it puts beside that and into a plugin's pods.

To add one: its name in `Mesh`, what it needs in `NEEDS` (`blocks/domain/mesh.py`), and a row here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from blocks.domain.mesh import Mesh
from blocks.domain.objects import istio, linkerd
from blocks.domain.objects.blueprint import Blueprint, Object
from blocks.domain.objects.routes import http_route, plain_service, revision_service, stable_service


@dataclass(frozen=True)
class Provider:
    """Which objects say who may reach the plugin, beside the NetworkPolicies; and what its pods are marked with.

    `services` stand before anybody is led to the revision, `route` is what leads them there.
    """

    protection: Callable[[Blueprint], list[Object]] = lambda _: []
    annotations: Callable[[Blueprint], dict[str, str]] = lambda _: {}
    services: tuple[Callable[[Blueprint], Object], ...] = (revision_service, stable_service)
    route: Callable[[Blueprint], Object] = http_route


PROVIDERS: Mapping[Mesh, Provider] = MappingProxyType(
    {
        Mesh.GATEWAY_API: Provider(),
        Mesh.LINKERD: Provider(linkerd.protection, linkerd.annotations),
        Mesh.ISTIO: Provider(istio.protection),
        Mesh.SERVICES: Provider(services=(revision_service,), route=plain_service),
    }
)


def provider_of(blueprint: Blueprint) -> Provider:
    """The provider of the plugin's site."""
    return PROVIDERS[blueprint.site.mesh]
