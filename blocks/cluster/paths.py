"""Where the API server keeps each kind.

To add a kind: add a row to `KINDS`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from blocks.domain.objects.names import Name
from blocks.ports.cluster import View

RBAC = "apis/rbac.authorization.k8s.io/v1"
LINKERD = "apis/policy.linkerd.io"
KINDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "Namespace": ("api/v1", "namespaces"),
        "ConfigMap": ("api/v1", "configmaps"),
        "LimitRange": ("api/v1", "limitranges"),
        "Pod": ("api/v1", "pods"),
        "ResourceQuota": ("api/v1", "resourcequotas"),
        "Secret": ("api/v1", "secrets"),
        "Service": ("api/v1", "services"),
        "ServiceAccount": ("api/v1", "serviceaccounts"),
        "Deployment": ("apis/apps/v1", "deployments"),
        "HorizontalPodAutoscaler": ("apis/autoscaling/v2", "horizontalpodautoscalers"),
        "EndpointSlice": ("apis/discovery.k8s.io/v1", "endpointslices"),
        "Event": ("apis/events.k8s.io/v1", "events"),
        "Job": ("apis/batch/v1", "jobs"),
        "HTTPRoute": ("apis/gateway.networking.k8s.io/v1", "httproutes"),
        "NetworkPolicy": ("apis/networking.k8s.io/v1", "networkpolicies"),
        "PodDisruptionBudget": ("apis/policy/v1", "poddisruptionbudgets"),
        "Role": (RBAC, "roles"),
        "RoleBinding": (RBAC, "rolebindings"),
        # Linkerd's; that Istio has one of this name too matters when its types are applied, which they are not.
        "AuthorizationPolicy": (f"{LINKERD}/v1alpha1", "authorizationpolicies"),
        "MeshTLSAuthentication": (f"{LINKERD}/v1alpha1", "meshtlsauthentications"),
        "NetworkAuthentication": (f"{LINKERD}/v1alpha1", "networkauthentications"),
        "Server": (f"{LINKERD}/v1beta3", "servers"),
    }
)


@dataclass(frozen=True)
class Ask:
    """One request to the API server; the path begins with a slash, the body is JSON."""

    method: str
    path: str
    query: Mapping[str, str | int]
    body: Mapping[str, object] | None = None
    content_type: str = "application/json"

    @property
    def only_looks(self) -> bool:
        """Whether nothing is changed by it, however often it is asked."""
        return self.method == "GET" or self.query.get("dryRun") == "All"


def path_of(name: Name) -> str:
    """Where one object is."""
    return f"{path_of_all(name.kind, name.namespace)}/{name.name}"


def path_of_all(kind: str, namespace: str) -> str:
    """Where all objects of one kind are; an empty namespace means all namespaces."""
    group, plural = KINDS[kind]
    return f"/{group}/namespaces/{namespace}/{plural}" if namespace else f"/{group}/{plural}"


def list_of(view: View) -> Ask:
    """The request that lists what is in view."""
    chosen = {"labelSelector": view.labels, "fieldSelector": view.fields}
    query: dict[str, str | int] = {
        key: ",".join(f"{name}={value}" for name, value in pairs.items()) for key, pairs in chosen.items() if pairs
    }
    return Ask("GET", path_of_all(view.kind, view.namespace), query)
