"""What is wrong with a route before anybody is sent by it: said in sentences, from what is about to stand and what others hold.

A gateway takes most of these without a word: it sends people to nowhere, or somebody else's people to us.

To add a check: a generator of sentences beside the others, and a line in `objections` or in `shape_objections`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from blocks.domain.errors import Refused
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.names import Name
from blocks.domain.objects.ways import ROUTES, Way, hosts_of, parents_of, ways_of

WHOLE = 100
# By the name of a Service's port Istio tells what is spoken there; anything else it passes on as bytes, without weights or matches.
SPOKEN = ("http", "http2", "grpc", "grpc-web")
HINT = "nothing was changed; see how the plugin is to be reached, then plan again"


@dataclass(frozen=True)
class Known:
    """What a route is checked against: its one host, what will stand beside it, and every route that the cluster has."""

    host: str
    beside: Sequence[Object]
    others: Sequence[Object] = ()


def refuse_objections(said: Iterable[str]) -> None:
    """Nothing where nothing was said against a route; otherwise `Refused` with everything."""
    if told := [*dict.fromkeys(said)]:
        raise Refused("; ".join(told), HINT)


def shape_objections(objects: Iterable[Object]) -> list[str]:
    """What is wrong with the routes among the objects, whatever is around them."""
    return [said for route in _routes(objects) for said in (*_say_shares(route), *_say_twice(route))]


def objections(objects: Iterable[Object], known: Known) -> list[str]:
    """All that is wrong with the routes among the objects, and with the Services that they lead to."""
    routes = _routes(objects)
    around = [said for route in routes for said in (*_say_hosts(route, known), *_say_unknown(route, known.beside))]
    return [*shape_objections(routes), *around, *_say_ports(known.beside)]


def _routes(objects: Iterable[Object]) -> list[Object]:
    return [one for one in objects if one["kind"] in ROUTES]


def _say_shares(route: Object) -> Iterator[str]:
    """Every rule leads somewhere, and says of each of a hundred requests where."""
    name, ways = Name.of(route).short, ways_of(route)
    if not ways:
        yield f"{name} has no rule"
    for number, way in enumerate(ways, 1):
        weights = [one.weight for one in way.ends if not one.mirrored]
        if not weights:
            yield f"rule {number} of {name} leads nowhere"
        elif sum(weights) != WHOLE or min(weights) < 0:
            yield f"the weights of rule {number} of {name} are {' and '.join(map(str, weights))}, which is not {WHOLE} in all"


def _say_twice(route: Object) -> Iterator[str]:
    """No two rules are for the same requests: the second would never be met."""
    for (first, one), (second, other) in combinations(enumerate(ways_of(route), 1), 2):
        if one.matches & other.matches:
            yield f"rules {first} and {second} of {Name.of(route).short} match the same requests"


def _say_hosts(route: Object, known: Known) -> Iterator[str]:
    """The route is for the plugin's host alone, and nobody else's route is."""
    for host in hosts_of(route):
        if host != known.host:
            yield f"{Name.of(route).short} is for host {host}, and the plugin's is {known.host}"
    yield from (f"host {host} is held by {holder}" for host, holder in _held(route, known.others))


def _held(route: Object, others: Iterable[Object]) -> Iterator[tuple[str, Name]]:
    """Hosts that routes of other namespaces hold at the same gateway: whose is older gets the requests there."""
    name, hosts, parents = Name.of(route), set(hosts_of(route)), parents_of(route)
    for other in others:
        if Name.of(other).namespace != name.namespace and parents & parents_of(other):
            yield from ((host, Name.of(other)) for host in sorted(hosts & set(hosts_of(other))))


def _say_unknown(route: Object, beside: Sequence[Object]) -> Iterator[str]:
    """Everything that the route leads to is there: Service, port and subset."""
    services = {one["metadata"]["name"]: one for one in beside if one["kind"] == "Service"}
    subsets = {
        (one["spec"]["host"], subset["name"])
        for one in beside
        if one["kind"] == "DestinationRule"
        for subset in one["spec"].get("subsets", ())
    }
    for number, way in enumerate(ways_of(route), 1):
        for said in _say_way(way, services, subsets, is_mesh=route["kind"] == "VirtualService"):
            yield f"rule {number} of {Name.of(route).short} leads to {said}"


def _say_way(way: Way, services: Mapping[str, Object], subsets: set[tuple[str, str]], *, is_mesh: bool) -> Iterator[str]:
    for end in way.ends:
        ports = {one["port"]: one for one in services[end.service]["spec"]["ports"]} if end.service in services else {}
        if not ports:
            yield f"Service {end.service}, which is not there"
        elif end.port not in ports:
            yield f"port {end.port} of Service {end.service}, which has {', '.join(map(str, ports))}"
        elif is_mesh and not _says_http(ports[end.port]):
            yield f"port {ports[end.port]['name']} of Service {end.service}, whose name does not say that HTTP is spoken there"
        if end.subset and (end.host, end.subset) not in subsets:
            yield f"subset {end.subset} of {end.host}, which no DestinationRule names"


def _says_http(port: Mapping[str, Any]) -> bool:
    return any(port["name"] == one or port["name"].startswith(f"{one}-") for one in SPOKEN)


def _say_ports(beside: Sequence[Object]) -> Iterator[str]:
    """Each port of a Service that has a name has it in the pods that the Service selects."""
    for deployment in (one for one in beside if one["kind"] == "Deployment"):
        template = deployment["spec"]["template"]
        named = {port["name"] for one in template["spec"]["containers"] for port in one.get("ports", ())}
        for service in (one for one in beside if one["kind"] == "Service" and _selects(one, template)):
            for target in (one["targetPort"] for one in service["spec"]["ports"] if isinstance(one["targetPort"], str)):
                if target not in named:
                    yield f"{Name.of(service).short} leads to port {target}, and {Name.of(deployment).short} has no port of that name"


def _selects(service: Object, template: Mapping[str, Any]) -> bool:
    return bool(service["spec"].get("selector", {}).items() <= template["metadata"]["labels"].items())
