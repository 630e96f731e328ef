"""What a plugin's host leads to while the plugin is disabled: our own answer, beside the cluster, reached like any backend."""

from ipaddress import ip_address
from typing import Any

from blocks.domain.errors import Refused
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.labels import INSTALLATION, MANAGER, stamp_of

# By this header, which the gateway sets whatever the caller sent, our answer knows for which installation it is given.
HEADER = "x-plugin-pipeline-installation"
SERVICE_NAME = "kubernetes.io/service-name"
SLICE_MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
HINT = "set CLOSED_ADDRESS to ip:port as the gateway reaches the API's process, and not to a loopback address"


def closed_objects(route: Object, address: str) -> tuple[Object, ...]:
    """The Service without pods, where it leads, and the plugin's route through it, in the order in which they come up.

    They belong to whom the plugin's own route belongs to. `address` is `ip:port`; raises `Refused` for one that no cluster accepts, and
    where there is no route: a Service cannot say for which plugin an answer is given.
    """
    if route["kind"] == "Service":
        raise Refused(
            "a plugin that is reached by its Service alone cannot be switched off", "uninstall it, or lead to it by a gateway"
        )
    host, port = _read(address)
    place = {key: value for key, value in route["metadata"].items() if key in ("namespace", "labels", "annotations")}
    name = f"{route['metadata']['name']}-closed"
    return (
        _service(place | {"name": name}, port),
        _endpoints(place | {"name": name}, host, port),
        route | {"spec": route["spec"] | {"rules": [_rule(route, name, port)]}},
    )


def _read(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    try:
        where, number = ip_address(host.strip("[]")), int(port)
    except ValueError as problem:
        raise Refused(f"{address or 'no address'} is not where disabled plugins can be answered for", HINT) from problem
    if where.is_loopback or where.is_link_local or where.is_unspecified:
        raise Refused(f"no cluster sends traffic to {where}", HINT)
    return str(where), number


def _service(metadata: dict[str, Any], port: int) -> Object:
    spec = {"type": "ClusterIP", "ports": [{"name": "http", "port": port, "targetPort": port, "protocol": "TCP"}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def _endpoints(metadata: dict[str, Any], host: str, port: int) -> Object:
    named = {SERVICE_NAME: metadata["name"], SLICE_MANAGED_BY: MANAGER}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": metadata | {"labels": metadata["labels"] | named},
        "addressType": "IPv6" if ":" in host else "IPv4",
        "endpoints": [{"addresses": [host], "conditions": {"ready": True}}],
        "ports": [{"name": "http", "port": port, "protocol": "TCP"}],
    }


def _rule(route: Object, name: str, port: int) -> dict[str, Any]:
    known = [{"name": HEADER, "value": stamp_of(route, INSTALLATION)}]
    marked = {"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": known}}
    return {"filters": [marked], "backendRefs": [{"name": name, "port": port, "weight": 100}]}
