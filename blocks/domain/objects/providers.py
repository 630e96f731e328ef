"""What each way of carrying traffic puts beside a plugin's route and into its pods.

To add one: its name in `Mesh`, what it needs in `NEEDS` (`blocks/domain/mesh.py`), and a row here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from blocks.domain.mesh import Mesh
from blocks.domain.objects import istio, linkerd
from blocks.domain.objects.blueprint import Blueprint, Object


@dataclass(frozen=True)
class Provider:
    """Which objects say who may reach the plugin, beside the NetworkPolicies; and what its pods are marked with."""

    protection: Callable[[Blueprint], list[Object]] = lambda _: []
    annotations: Callable[[Blueprint], dict[str, str]] = lambda _: {}


PROVIDERS: Mapping[Mesh, Provider] = MappingProxyType(
    {
        Mesh.GATEWAY_API: Provider(),
        Mesh.LINKERD: Provider(linkerd.protection, linkerd.annotations),
        Mesh.ISTIO: Provider(istio.protection),
    }
)


def provider_of(blueprint: Blueprint) -> Provider:
    """The provider of the plugin's site."""
    return PROVIDERS[blueprint.site.mesh]
