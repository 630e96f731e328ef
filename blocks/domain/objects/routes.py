"""How a plugin is reached: a Service for each revision, one that stays, and the route through the gateway.

Where there is no gateway, the Service that stays is the route: it leads to the pods of one revision, of the other, or of both.
"""

from collections.abc import Sequence
from typing import Any

from blocks.domain.objects.blueprint import Blueprint, Object
from blocks.domain.objects.labels import own, revision_selector, selector

# Whoever sends this header, with the name of a revision, is sent to that one.
PREVIEW = "x-plugin-preview"


def revision_service(blueprint: Blueprint) -> Object:
    """Reaches the pods of this revision alone."""
    return _service(blueprint, blueprint.name, revision_selector(blueprint))


def stable_service(blueprint: Blueprint) -> Object:
    """Reaches the pods of every revision of the plugin."""
    return _service(blueprint, blueprint.slug, selector(blueprint))


def plain_service(blueprint: Blueprint) -> Object:
    """Sends everything for the plugin's Service to this revision."""
    return _service(blueprint, blueprint.slug, revision_selector(blueprint))


def http_route(blueprint: Blueprint) -> Object:
    """Sends everything for the plugin's host to this revision."""
    backend = {"name": blueprint.name, "port": blueprint.ports[0].port, "weight": 100}
    parent = {"name": blueprint.site.gateway_name, "namespace": blueprint.site.gateway_namespace}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": own(blueprint) | {"name": blueprint.slug},
        "spec": {"hostnames": [blueprint.host], "parentRefs": [parent], "rules": [{"backendRefs": [backend]}]},
    }


def beside(route: Object, other: Object) -> Object:
    """The route with the backends of the other one too, to which nobody is sent."""
    return split(route, other, 100)


def split(route: Object, other: Object, weight: int) -> Object:
    """The route for so many of a hundred requests, and the backends of the other one for the rest.

    A gateway learns of a backend and of a route to it in two messages: one that knows the backend already is not asked to send people
    where nothing is known to be, and one that still knows the last does not lose those who are on their way.
    """
    if route["kind"] == "Service":
        return _select(route, other, weight)
    mine = [_weighed(rule["backendRefs"], weight) for rule in route["spec"]["rules"]]
    rest = [one for rule in other["spec"]["rules"] for one in _weighed(rule["backendRefs"], 100 - weight)]
    rules = [rule | {"backendRefs": [*own, *rest]} for rule, own in zip(route["spec"]["rules"], mine, strict=True)]
    return route | {"spec": route["spec"] | {"rules": rules}}


def previewed(route: Object, before: Object | None) -> Object:
    """The route as it was before, if it was, and this one for whoever sends the header with the name of its backend."""
    kept = beside(before, route) if before else route | {"spec": route["spec"] | {"rules": []}}
    return asked_for(route, kept)


def asked_for(route: Object, kept: Object) -> Object:
    """The other route as it is kept, and this one for whoever sends the header with the name of its backend."""
    (rule,) = route["spec"]["rules"]
    asked = {"headers": [{"name": PREVIEW, "value": rule["backendRefs"][0]["name"]}]}
    return kept | {"spec": kept["spec"] | {"rules": [rule | {"matches": [asked]}, *kept["spec"]["rules"]]}}


def _select(service: Object, other: Object, weight: int) -> Object:
    """The Service for one side's pods or for both: there how many pods each has is what shares the requests."""
    mine, theirs = service["spec"]["selector"], other["spec"]["selector"]
    both = {key: value for key, value in mine.items() if theirs.get(key) == value}
    chosen = {0: theirs, 100: mine}.get(weight, both)
    return service | {"spec": service["spec"] | {"selector": chosen}}


def _weighed(backends: Sequence[Object], weight: int) -> list[Object]:
    return [one | {"weight": weight} for one in backends]


def _service(blueprint: Blueprint, name: str, chosen: dict[str, str]) -> Object:
    ports: list[dict[str, Any]] = [
        {"name": one.name, "port": one.port, "targetPort": one.name, "protocol": one.protocol} for one in blueprint.ports
    ]
    spec = {"type": "ClusterIP", "selector": chosen, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": own(blueprint) | {"name": name}, "spec": spec}
