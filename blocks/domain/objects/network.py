"""Who may talk to whom: nothing, and then one policy for each thing that must be possible.

Policies are proved by a simulator against a table, because not every cluster's network enforces them: a bridge CNI does not.
"""

from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from typing import Any

from blocks.domain.errors import Refused
from blocks.domain.mesh import Mesh
from blocks.domain.objects.blueprint import Blueprint, Object
from blocks.domain.objects.labels import MANAGER, PART_OF, own, selector, shared

PLUGINS = {"matchLabels": {PART_OF: MANAGER}}
DNS = ({"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"})


def network_policies(blueprint: Blueprint) -> list[Object]:
    """Every policy of the namespace and of the plugin, in an order that never opens what a later one closes."""
    of_plugin = [from_gateway(blueprint), *to_database(blueprint), *to_declared(blueprint)]
    return [deny_all(blueprint), to_dns(blueprint), in_namespace(blueprint), *of_plugin]


def deny_all(blueprint: Blueprint) -> Object:
    """Nothing comes in and nothing goes out unless another policy says so; for a pod that is no plugin's, none does."""
    return _shared(blueprint, "default-deny", {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})


def to_dns(blueprint: Blueprint) -> Object:
    """Plugins can look up names."""
    egress = [{"to": _blocks(blueprint.site.dns_cidrs), "ports": [*DNS]}]
    return _shared(blueprint, "allow-dns", {"policyTypes": ["Egress"], "egress": egress})


def in_namespace(blueprint: Blueprint) -> Object:
    """Plugins of one tenant and environment reach each other."""
    plugins = [{"podSelector": PLUGINS}]
    spec = {"policyTypes": ["Ingress", "Egress"], "ingress": [{"from": plugins}], "egress": [{"to": plugins}]}
    return _shared(blueprint, "allow-same-namespace", spec)


def from_gateway(blueprint: Blueprint) -> Object:
    """The gateway reaches the plugin's first port; where there is none, the API server does, through which the pipeline asks it."""
    ports = [{"port": blueprint.ports[0].port, "protocol": "TCP"}]
    site = blueprint.site
    asking = site.pipeline_cidrs if site.mesh is Mesh.SERVICES else ()
    ingress = [{"from": _blocks(dict.fromkeys((*site.gateway_cidrs, *asking))), "ports": ports}]
    return _own(blueprint, "gateway", {"policyTypes": ["Ingress"], "ingress": ingress})


def to_database(blueprint: Blueprint) -> list[Object]:
    """A plugin that has a database reaches it; raises `Refused` where the database has a name instead of an address."""
    if not blueprint.database:
        return []
    ports = [{"port": blueprint.site.database_port, "protocol": "TCP"}]
    egress = [{"to": _blocks([_host_block(blueprint.site.database_host)]), "ports": ports}]
    return [_own(blueprint, "database", {"policyTypes": ["Egress"], "egress": egress})]


def to_declared(blueprint: Blueprint) -> list[Object]:
    """The plugin reaches what its request declares, but never the pipeline itself; `Refused` where it declares nothing else."""
    declared, ours = blueprint.request.egress, blueprint.site.pipeline_cidrs
    if not declared:
        return []
    egress = [
        {"to": [_outside(str(one.cidr), ours)], "ports": [{"port": one.port, "protocol": one.protocol}]} for one in declared
    ]
    return [_own(blueprint, "egress", {"policyTypes": ["Egress"], "egress": egress})]


def _outside(cidr: str, ours: Iterable[str]) -> dict[str, Any]:
    asked = ip_network(cidr)
    met = [one for one in map(ip_network, ours) if one.overlaps(asked)]
    if any(one.prefixlen <= asked.prefixlen for one in met):
        raise Refused(f"a plugin may not call {cidr}: the pipeline itself is there", "leave it out of egress")
    left_out = {"except": sorted(map(str, met))} if met else {}
    return {"ipBlock": {"cidr": cidr} | left_out}


def _blocks(cidrs: Iterable[str]) -> list[dict[str, Any]]:
    return [{"ipBlock": {"cidr": cidr}} for cidr in cidrs]


def _host_block(host: str) -> str:
    try:
        address = ip_address(host)
    except ValueError as problem:
        raise Refused(
            f"a network policy needs the database's address, and {host!r} is none", "set PLUGIN_DATABASE_HOST to an IP address"
        ) from problem
    return f"{host}/{address.max_prefixlen}"


def _shared(blueprint: Blueprint, name: str, spec: dict[str, Any]) -> Object:
    metadata = shared(blueprint) | {"namespace": blueprint.namespace, "name": name}
    return _policy(metadata, {"podSelector": PLUGINS} | spec)


def _own(blueprint: Blueprint, purpose: str, spec: dict[str, Any]) -> Object:
    metadata = own(blueprint) | {"name": f"{blueprint.slug}-{purpose}"}
    return _policy(metadata, {"podSelector": {"matchLabels": selector(blueprint)}} | spec)


def _policy(metadata: dict[str, Any], spec: dict[str, Any]) -> Object:
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}
