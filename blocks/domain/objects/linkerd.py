"""What Linkerd needs beside the Gateway API's route: a proxy in the plugin's pods, and who may reach the plugin through it.

Its proxies change the pod's network when they start; under Pod Security *restricted* that needs Linkerd's CNI plugin on the nodes.
"""

from typing import Any

from blocks.domain.mesh import LINKERD_GROUP
from blocks.domain.objects.blueprint import Blueprint, Object
from blocks.domain.objects.labels import own, selector

CONTROL_PLANE = "linkerd"
INJECT = "linkerd.io/inject"
# Where proxies ask who they are, where to, and what is allowed; and the port on which a proxy takes what other proxies send.
IDENTITY, DESTINATION, POLICY, INBOUND = 8080, 8086, 8090, 4143


def annotations(blueprint: Blueprint) -> dict[str, str]:
    """What lets Linkerd put its proxy into the pods; a database speaks first, so its port is passed on unread.

    They stand on the pods and not on the namespace: what other plugins of the tenant run with is not changed by this one.
    """
    unread = {"config.linkerd.io/opaque-ports": str(blueprint.site.database_port)} if blueprint.database else {}
    return {INJECT: "enabled"} | unread


def protection(blueprint: Blueprint) -> list[Object]:
    """The plugin's first port is closed to everybody but the gateway and the meshed pods of its own namespace."""
    return [
        _to_mesh(blueprint),
        _server(blueprint),
        _authentication(blueprint, "NetworkAuthentication", "gateway"),
        _authentication(blueprint, "MeshTLSAuthentication", "tenant"),
        _authorization(blueprint, "NetworkAuthentication", "gateway"),
        _authorization(blueprint, "MeshTLSAuthentication", "tenant"),
    ]


def _server(blueprint: Blueprint) -> Object:
    spec = {
        "podSelector": {"matchLabels": selector(blueprint)},
        "port": blueprint.ports[0].name,
        "proxyProtocol": "HTTP/1",
        "accessPolicy": "deny",
    }
    return _object(blueprint, "v1beta3", ("Server", blueprint.slug), spec)


def _authentication(blueprint: Blueprint, kind: str, who: str) -> Object:
    known: dict[str, Any] = {
        "gateway": {"networks": [{"cidr": cidr} for cidr in blueprint.site.gateway_cidrs]},
        "tenant": {"identityRefs": [{"kind": "ServiceAccount"}]},
    }
    return _object(blueprint, "v1alpha1", (kind, f"{blueprint.slug}-{who}"), known[who])


def _authorization(blueprint: Blueprint, kind: str, who: str) -> Object:
    target = {"group": LINKERD_GROUP, "kind": "Server", "name": blueprint.slug}
    wanted = [{"group": LINKERD_GROUP, "kind": kind, "name": f"{blueprint.slug}-{who}"}]
    spec = {"targetRef": target, "requiredAuthenticationRefs": wanted}
    return _object(blueprint, "v1alpha1", ("AuthorizationPolicy", f"{blueprint.slug}-{who}"), spec)


def _to_mesh(blueprint: Blueprint) -> Object:
    """The proxy reaches its control plane, and a gateway that has a proxy too reaches it."""
    where = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": CONTROL_PLANE}}}
    out = {"to": [where], "ports": [{"port": port, "protocol": "TCP"} for port in (IDENTITY, DESTINATION, POLICY)]}
    come = {
        "from": [{"ipBlock": {"cidr": cidr}} for cidr in blueprint.site.gateway_cidrs],
        "ports": [{"port": INBOUND, "protocol": "TCP"}],
    }
    chosen = {"podSelector": {"matchLabels": selector(blueprint)}}
    spec = chosen | {"policyTypes": ["Ingress", "Egress"], "ingress": [come], "egress": [out]}
    metadata = own(blueprint) | {"name": f"{blueprint.slug}-mesh"}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


def _object(blueprint: Blueprint, version: str, named: tuple[str, str], spec: dict[str, Any]) -> Object:
    kind, name = named
    metadata = own(blueprint) | {"name": name}
    return {"apiVersion": f"{LINKERD_GROUP}/{version}", "kind": kind, "metadata": metadata, "spec": spec}
