"""What Istio's own types say for a plugin: its route as a VirtualService, its revisions as subsets, and who may reach it.

The route is translated from the HTTPRoute that every step works with, so that both mean the same. Nothing is exported from the tenant's
namespace (`exportTo: ["."]`): a gateway that is to see these must have its proxies there.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from blocks.domain.errors import Refused
from blocks.domain.mesh import ISTIO_GROUP
from blocks.domain.objects.blueprint import Blueprint, Object
from blocks.domain.objects.labels import REVISION, own, selector, shared

SECURITY = "security.istio.io/v1"
NETWORKING = f"{ISTIO_GROUP}/v1"
HERE = ["."]
HOW = {"Exact": "exact", "RegularExpression": "regex", "PathPrefix": "prefix"}


def virtual_service(route: Object) -> Object:
    """The same route in Istio's words; `Refused` for what it cannot say."""
    spec = route["spec"]
    gateways = [f"{one['namespace']}/{one['name']}" for one in spec["parentRefs"]]
    rules = [_rule(route["metadata"], rule) for rule in spec["rules"]]
    said = {"hosts": spec["hostnames"], "gateways": gateways, "exportTo": HERE, "http": rules}
    return {"apiVersion": NETWORKING, "kind": "VirtualService", "metadata": route["metadata"], "spec": said}


def destination_rule(route: Object) -> Object:
    """Each revision that the route leads to, as a subset of the plugin's Service; between proxies TLS on both sides."""
    place = route["metadata"]
    backends = [one["name"] for rule in route["spec"]["rules"] for one in _backends(rule)]
    numbers = sorted({number for name in backends if (number := _revision(name, place["name"]))}, key=int)
    subsets = [{"name": f"r{number}", "labels": {REVISION: number}} for number in numbers]
    policy = {"tls": {"mode": "ISTIO_MUTUAL"}}
    spec = {"host": _host(place["name"], place), "exportTo": HERE, "trafficPolicy": policy, "subsets": subsets}
    return {"apiVersion": NETWORKING, "kind": "DestinationRule", "metadata": place, "spec": spec}


def protection(blueprint: Blueprint) -> list[Object]:
    """Nothing in the namespace is spoken in the clear or by strangers, and the plugin's first port is open to gateway and tenant."""
    everything = shared(blueprint) | {"namespace": blueprint.namespace}
    strict = {"mtls": {"mode": "STRICT"}}
    sources = [{"source": {"namespaces": [blueprint.namespace, blueprint.site.gateway_namespace]}}]
    ports = [{"operation": {"ports": [str(blueprint.ports[0].port)]}}]
    chosen = {"selector": {"matchLabels": selector(blueprint)}}
    allowed = chosen | {"action": "ALLOW", "rules": [{"from": sources, "to": ports}]}
    return [
        {"apiVersion": SECURITY, "kind": "PeerAuthentication", "metadata": everything | {"name": "default"}, "spec": strict},
        {"apiVersion": SECURITY, "kind": "AuthorizationPolicy", "metadata": everything | {"name": "default-deny"}, "spec": {}},
        {
            "apiVersion": SECURITY,
            "kind": "AuthorizationPolicy",
            "metadata": own(blueprint) | {"name": f"{blueprint.slug}-gateway"},
            "spec": allowed,
        },
    ]


def _rule(place: Mapping[str, Any], rule: Mapping[str, Any]) -> dict[str, Any]:
    filters = rule.get("filters", ())
    said: dict[str, Any] = {"match": [_match(one) for one in rule["matches"]]} if "matches" in rule else {}
    said |= _headers(filters)
    if mirrors := [*_mirrors(place, filters)]:
        said["mirrors"] = mirrors
    return said | {"route": [_routed(place, one) for one in rule["backendRefs"]]}


def _routed(place: Mapping[str, Any], backend: Mapping[str, Any]) -> dict[str, Any]:
    return {"destination": _destination(place, backend), "weight": backend["weight"]} | _headers(backend.get("filters", ()))


def _match(match: Mapping[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if "path" in match:
        said["uri"] = {HOW[match["path"]["type"]]: match["path"]["value"]}
    if "method" in match:
        said["method"] = {"exact": match["method"]}
    for field in ("headers", "queryParams"):
        if field in match:
            said[field] = {one["name"]: {HOW[one.get("type", "Exact")]: one["value"]} for one in match[field]}
    return said


def _headers(filters: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What is changed of headers, on the way there and back; `Refused` for a filter that is neither this nor a mirror."""
    said: dict[str, Any] = {}
    for one in filters:
        match one["type"]:
            case "RequestHeaderModifier":
                said["request"] = _changes(one["requestHeaderModifier"])
            case "ResponseHeaderModifier":
                said["response"] = _changes(one["responseHeaderModifier"])
            case "RequestMirror":
                pass
            case other:
                raise Refused(f"a route with the filter {other} cannot be said in Istio's words", "leave it out")
    return {"headers": said} if said else {}


def _changes(modifier: Mapping[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {
        how: {one["name"]: one["value"] for one in modifier[how]} for how in ("set", "add") if how in modifier
    }
    return said | ({"remove": modifier["remove"]} if "remove" in modifier else {})


def _mirrors(place: Mapping[str, Any], filters: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for one in (one["requestMirror"] for one in filters if one["type"] == "RequestMirror"):
        share = {"percentage": {"value": one["percent"]}} if "percent" in one else {}
        yield {"destination": _destination(place, one["backendRef"])} | share


def _destination(place: Mapping[str, Any], backend: Mapping[str, Any]) -> dict[str, Any]:
    """The Service, or the subset of the plugin's Service that is the revision."""
    number = _revision(backend["name"], place["name"])
    name, subset = (place["name"], {"subset": f"r{number}"}) if number else (backend["name"], {})
    return {"host": _host(name, place), "port": {"number": backend["port"]}} | subset


def _backends(rule: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    mirrors = [one["requestMirror"]["backendRef"] for one in rule.get("filters", ()) if one["type"] == "RequestMirror"]
    return [*rule["backendRefs"], *mirrors]


def _revision(name: str, slug: str) -> str:
    found = re.fullmatch(rf"{re.escape(slug)}-r(\d+)", name)
    return found[1] if found else ""


def _host(name: str, place: Mapping[str, Any]) -> str:
    return f"{name}.{place['namespace']}.svc.cluster.local"
