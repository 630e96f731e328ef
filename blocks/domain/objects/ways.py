"""A route read as what it says, whoever's language it is written in: which requests, where to, and how many of a hundred.

To add a language: a row in `ROUTES`.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from blocks.domain.objects.blueprint import Object

EVERYTHING = {"path": {"type": "PathPrefix", "value": "/"}}


@dataclass(frozen=True)
class End:
    """Where requests go: a Service and its port, how many of a hundred, or a copy of each; `host` and `subset` in a mesh's words."""

    service: str
    port: int
    weight: int = 0
    mirrored: bool = False
    host: str = ""
    subset: str = ""


@dataclass(frozen=True)
class Way:
    """One rule: the requests that it is for, each match as one text, and where they go."""

    matches: frozenset[str]
    ends: tuple[End, ...]


@dataclass(frozen=True)
class Language:
    """How routes of one kind are read: their rules, the field of their hosts, their gateways."""

    ways: Callable[[Object], tuple[Way, ...]]
    hosts: str
    parents: Callable[[Object], frozenset[tuple[str, str]]]


def ways_of(route: Object) -> tuple[Way, ...]:
    """Every rule of the route, in its order."""
    return ROUTES[route["kind"]].ways(route)


def hosts_of(route: Object) -> tuple[str, ...]:
    """The hosts that the route is for, in small letters; none: all."""
    return tuple(str(one).lower() for one in route["spec"].get(ROUTES[route["kind"]].hosts, ()))


def parents_of(route: Object) -> frozenset[tuple[str, str]]:
    """The gateways, by namespace and name, that are asked to take the route."""
    return ROUTES[route["kind"]].parents(route)


def _gateway_ways(route: Object) -> tuple[Way, ...]:
    return tuple(_gateway_way(rule) for rule in route["spec"].get("rules", ()))


def _gateway_way(rule: Mapping[str, Any]) -> Way:
    backends = rule.get("backendRefs", ())
    # One that says no weight has one part: alone that is everything.
    parts = [one.get("weight", 100 if len(backends) == 1 else 1) for one in backends]
    ends = [End(one["name"], one.get("port", 0), part) for one, part in zip(backends, parts, strict=True)]
    mirrors = [one["requestMirror"]["backendRef"] for one in rule.get("filters", ()) if one["type"] == "RequestMirror"]
    return Way(_matches(rule.get("matches")), (*ends, *(End(one["name"], one.get("port", 0), mirrored=True) for one in mirrors)))


def _gateway_parents(route: Object) -> frozenset[tuple[str, str]]:
    own = route["metadata"].get("namespace", "")
    return frozenset((one.get("namespace", own), one["name"]) for one in route["spec"].get("parentRefs", ()))


def _mesh_ways(route: Object) -> tuple[Way, ...]:
    return tuple(_mesh_way(rule) for rule in route["spec"].get("http", ()))


def _mesh_way(rule: Mapping[str, Any]) -> Way:
    routed = rule.get("route", ())
    parts = [one.get("weight", 100 if len(routed) == 1 else 0) for one in routed]
    ends = [_mesh_end(one["destination"], part) for one, part in zip(routed, parts, strict=True)]
    mirrors = [_mesh_end(one["destination"], 0, mirrored=True) for one in rule.get("mirrors", ())]
    return Way(_matches(rule.get("match")), (*ends, *mirrors))


def _mesh_end(destination: Mapping[str, Any], weight: int, *, mirrored: bool = False) -> End:
    host, subset = destination["host"], destination.get("subset", "")
    return End(host.split(".")[0], destination.get("port", {}).get("number", 0), weight, mirrored, host, subset)


def _mesh_parents(route: Object) -> frozenset[tuple[str, str]]:
    own = route["metadata"].get("namespace", "")
    named = [one.rpartition("/") for one in route["spec"].get("gateways", ())]
    return frozenset((namespace or own, name) for namespace, _, name in named)


def _matches(asked: Iterable[Mapping[str, Any]] | None) -> frozenset[str]:
    """Each match as one text; without any, the rule is for everything, which can be said in two ways."""
    return frozenset(json.dumps(_plain(one), sort_keys=True) for one in asked or (EVERYTHING,))


def _plain(match: Mapping[str, Any]) -> dict[str, Any]:
    """The match with what it leaves to defaults filled in, and lists that have no order in one."""
    whole = {key: value for key, value in (EVERYTHING | dict(match)).items() if value}
    for field in ("headers", "queryParams"):
        if isinstance(whole.get(field), list):
            whole[field] = sorted([one["name"].lower(), one.get("type", "Exact"), one["value"]] for one in whole[field])
    return whole


ROUTES: Mapping[str, Language] = MappingProxyType(
    {
        "HTTPRoute": Language(_gateway_ways, "hostnames", _gateway_parents),
        "VirtualService": Language(_mesh_ways, "hosts", _mesh_parents),
    }
)
