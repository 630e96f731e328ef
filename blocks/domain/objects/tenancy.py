"""What a namespace is before a plugin runs in it: restricted, bounded, and with an identity for each plugin.

To change what an environment may use: change its row in `LIMITS`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from blocks.domain.objects.blueprint import Blueprint, Object
from blocks.domain.objects.labels import own, shared

LEVELS = ("enforce", "audit", "warn")
RBAC = "rbac.authorization.k8s.io"


@dataclass(frozen=True)
class Limits:
    """What all plugins of a namespace may use together, and what one container may use at most."""

    cpu: str
    memory: str
    pods: str
    container_cpu: str
    container_memory: str


LIMITS: Mapping[str, Limits] = MappingProxyType(
    {
        "dev": Limits("16", "16Gi", "40", "4", "8Gi"),
        "staging": Limits("32", "32Gi", "80", "4", "8Gi"),
        "prod": Limits("64", "128Gi", "200", "8", "16Gi"),
    }
)
# What no plugin may ask for at all: a door past the gateway or a disk that outlives it.
NONE_OF = ("services.nodeports", "services.loadbalancers", "persistentvolumeclaims")


def namespace(blueprint: Blueprint) -> Object:
    """The namespace of the tenant in the environment, with Pod Security *restricted* enforced."""
    metadata = shared(blueprint)
    security = {f"pod-security.kubernetes.io/{level}": "restricted" for level in LEVELS}
    request = blueprint.request
    where = {"plugin-pipeline.io/tenant": request.tenant, "plugin-pipeline.io/environment": request.environment}
    metadata |= {"name": blueprint.namespace, "labels": metadata["labels"] | security | where}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def quota(blueprint: Blueprint) -> Object:
    """What the namespace's plugins may use together."""
    limits = LIMITS[blueprint.request.environment]
    used = {
        f"{bound}.{what}": most
        for bound in ("requests", "limits")
        for what, most in (("cpu", limits.cpu), ("memory", limits.memory))
    }
    counted = {"pods": limits.pods, "services": limits.pods, "configmaps": "200", "secrets": "200"}
    spec = {"hard": used | counted | dict.fromkeys(NONE_OF, "0")}
    metadata = shared(blueprint) | {"namespace": blueprint.namespace, "name": "quota"}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": spec}


def limit_range(blueprint: Blueprint) -> Object:
    """What one container may use, and what it gets if it does not say."""
    limits = LIMITS[blueprint.request.environment]
    container = {
        "type": "Container",
        "default": {"cpu": "500m", "memory": "256Mi"},
        "defaultRequest": {"cpu": "50m", "memory": "64Mi"},
        "max": {"cpu": limits.container_cpu, "memory": limits.container_memory},
    }
    metadata = shared(blueprint) | {"namespace": blueprint.namespace, "name": "limits"}
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": metadata, "spec": {"limits": [container]}}


def service_account(blueprint: Blueprint) -> Object:
    """Who the plugin is; no token of it is put into pods."""
    metadata = own(blueprint) | {"name": blueprint.slug}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata, "automountServiceAccountToken": False}


def role(blueprint: Blueprint) -> Object:
    """All that the plugin may do at the API server: read its own configuration."""
    rule = {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": [blueprint.name], "verbs": ["get"]}
    metadata = own(blueprint) | {"name": blueprint.slug}
    return {"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": metadata, "rules": [rule]}


def role_binding(blueprint: Blueprint) -> Object:
    """Gives the plugin its role."""
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": own(blueprint) | {"name": blueprint.slug},
        "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": blueprint.slug},
        "subjects": [{"kind": "ServiceAccount", "name": blueprint.slug, "namespace": blueprint.namespace}],
    }
