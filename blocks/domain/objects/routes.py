"""How a plugin is reached: a Service for each revision, one that stays, and the route through the gateway."""

from typing import Any

from blocks.domain.objects.blueprint import Blueprint, Object
from blocks.domain.objects.labels import own, revision_selector, selector


def revision_service(blueprint: Blueprint) -> Object:
    """Reaches the pods of this revision alone."""
    return _service(blueprint, blueprint.name, revision_selector(blueprint))


def stable_service(blueprint: Blueprint) -> Object:
    """Reaches the pods of every revision of the plugin."""
    return _service(blueprint, blueprint.slug, selector(blueprint))


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
    """The route with the backends of the other one too, to which nobody is sent.

    A gateway learns of a backend and of a route to it in two messages: one that knows the backend already is not asked to send people
    where nothing is known to be, and one that still knows the last does not lose those who are on their way.
    """
    idle = [backend | {"weight": 0} for rule in other["spec"]["rules"] for backend in rule["backendRefs"]]
    rules = [rule | {"backendRefs": [*rule["backendRefs"], *idle]} for rule in route["spec"]["rules"]]
    return route | {"spec": route["spec"] | {"rules": rules}}


def _service(blueprint: Blueprint, name: str, chosen: dict[str, str]) -> Object:
    ports: list[dict[str, Any]] = [
        {"name": one.name, "port": one.port, "targetPort": one.name, "protocol": one.protocol} for one in blueprint.ports
    ]
    spec = {"type": "ClusterIP", "selector": chosen, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": own(blueprint) | {"name": name}, "spec": spec}
