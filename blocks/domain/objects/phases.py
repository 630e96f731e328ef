"""In which order the objects come up; each phase stands before the next is begun, and they go in the opposite order."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from blocks.domain.objects import tenancy
from blocks.domain.objects.autoscaler import autoscalers
from blocks.domain.objects.blueprint import Blueprint, Object
from blocks.domain.objects.configuration import config_map
from blocks.domain.objects.network import network_policies
from blocks.domain.objects.providers import provider_of
from blocks.domain.objects.workload import deployment, disruption_budget


class Phase(StrEnum):
    """One stage of putting objects up."""

    IDENTITY = "identity"
    LIMITS = "limits"
    CONFIGURATION = "configuration"
    WORKLOAD = "workload"
    EXPOSURE = "exposure"
    SCALING = "scaling"


# The namespace is made apart from what goes into it, because nothing can be put into it before it is active.
PROVISIONED = (Phase.IDENTITY, Phase.LIMITS)
ROLLED_OUT = (Phase.CONFIGURATION, Phase.WORKLOAD, Phase.EXPOSURE)
# What follows the revision that serves; a plan in which nothing does has no such phase, as plans had none before there was one.
SCALED = (Phase.SCALING,)
# Every kind that one plugin owns, in the order in which they are taken away.
OWNED = (
    "HTTPRoute",
    "HorizontalPodAutoscaler",
    "Job",
    "PodDisruptionBudget",
    "Deployment",
    "Service",
    "EndpointSlice",
    "ConfigMap",
    "Secret",
    "NetworkPolicy",
    "AuthorizationPolicy",
    "MeshTLSAuthentication",
    "NetworkAuthentication",
    "Server",
    "RoleBinding",
    "Role",
    "ServiceAccount",
)


def phases(blueprint: Blueprint) -> dict[Phase, list[Object]]:
    """All objects of the revision, by the phase in which they come up."""
    account = [tenancy.service_account(blueprint), tenancy.role(blueprint), tenancy.role_binding(blueprint)]
    limits = [tenancy.quota(blueprint), tenancy.limit_range(blueprint), *network_policies(blueprint)]
    provider = provider_of(blueprint)
    limits += provider.protection(blueprint)
    services = [service(blueprint) for service in provider.services]
    following = autoscalers(blueprint)
    return {
        Phase.IDENTITY: [tenancy.namespace(blueprint), *account],
        Phase.LIMITS: limits,
        Phase.CONFIGURATION: [config_map(blueprint)],
        Phase.WORKLOAD: [*services, disruption_budget(blueprint), deployment(blueprint)],
        Phase.EXPOSURE: [provider.route(blueprint)],
    } | ({Phase.SCALING: following} if following else {})


def every(staged: Mapping[Phase, Iterable[Object]], chosen: Iterable[Phase] = Phase) -> list[Object]:
    """The objects of the chosen phases in the order in which they come up."""
    return [one for phase in chosen for one in staged.get(phase, ())]
