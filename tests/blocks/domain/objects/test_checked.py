"""What is wrong with a route is said before anybody is sent by it."""

import copy
from typing import Any

import pytest

from blocks.domain.errors import Refused
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.checked import Known, objections, refuse_objections, shape_objections
from blocks.domain.objects.closed import closed_objects
from blocks.domain.objects.istio import destination_rule, virtual_service
from blocks.domain.objects.phases import every, phases
from blocks.domain.objects.routes import beside, http_route, previewed, split
from tests.blocks.domain.objects.blueprints import make_blueprint

FIRST, SECOND = make_blueprint("service", revision=1), make_blueprint("service", revision=2)
BEFORE, NOW = http_route(FIRST), http_route(SECOND)
AROUND = [*every(phases(FIRST)), *every(phases(SECOND))]
HOST = "hello.default-dev.localhost"
RULE: dict[str, Any] = NOW["spec"]["rules"][0]
BACKEND: dict[str, Any] = RULE["backendRefs"][0]
MIRROR = {"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "hello-r2", "port": 8080}}}
MESHED = virtual_service(split(NOW, BEFORE, 30))
SUBSETS = destination_rule(split(NOW, BEFORE, 30))


def ruled(*rules: dict[str, Any]) -> Object:
    """The route with other rules."""
    return NOW | {"spec": NOW["spec"] | {"rules": [*rules]}}


def to(*backends: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A rule that leads there."""
    return {"backendRefs": [BACKEND | one for one in backends]} | more


def headers(*named: tuple[str, str]) -> dict[str, Any]:
    """A match by headers."""
    return {"headers": [{"name": name, "value": value} for name, value in named]}


def elsewhere(namespace: str, host: str, gateway: str = "contour") -> Object:
    """Somebody's route in another namespace."""
    spec = {"hostnames": [host], "parentRefs": [{"name": gateway, "namespace": "projectcontour"}], "rules": [RULE]}
    return {"kind": "HTTPRoute", "metadata": {"name": "theirs", "namespace": namespace}, "spec": spec}


def known(*others: Object, beside: list[Object] | None = None) -> Known:
    return Known(HOST, AROUND if beside is None else beside, others)


@pytest.mark.parametrize(
    "route",
    [
        pytest.param(NOW, id="everything"),
        pytest.param(beside(NOW, BEFORE), id="the other one is known"),
        pytest.param(split(NOW, BEFORE, 30), id="a share"),
        pytest.param(previewed(NOW, BEFORE), id="a preview"),
        pytest.param(previewed(NOW, None), id="a preview of the first"),
        pytest.param(ruled(to({}, filters=[MIRROR])), id="a mirror"),
        pytest.param(ruled({"backendRefs": [{"name": "hello-r2", "port": 8080}]}), id="one that says no weight"),
    ],
)
def test_nothing_is_said_of_what_the_steps_make(route: Object) -> None:
    assert objections([route], known(elsewhere("other-dev", "hello.other-dev.localhost"), NOW)) == []


def test_what_a_disabled_plugin_is_led_to_has_no_fault_of_shape() -> None:
    assert shape_objections(closed_objects(NOW, "10.244.0.1:8082")) == []


@pytest.mark.parametrize(
    ("route", "said"),
    [
        pytest.param(ruled(), "HTTPRoute/hello has no rule", id="no rule"),
        pytest.param(ruled({"matches": []}), "rule 1 of HTTPRoute/hello leads nowhere", id="no backend"),
        pytest.param(ruled(to(filters=[MIRROR])), "rule 1 of HTTPRoute/hello leads nowhere", id="only a mirror"),
        pytest.param(
            ruled(to({"weight": 60}, {"weight": 60})),
            "the weights of rule 1 of HTTPRoute/hello are 60 and 60, which is not 100 in all",
            id="too many",
        ),
        pytest.param(
            ruled(to({"weight": 0})), "the weights of rule 1 of HTTPRoute/hello are 0, which is not 100 in all", id="nobody"
        ),
        pytest.param(
            ruled(to({"weight": 110}, {"weight": -10})),
            "the weights of rule 1 of HTTPRoute/hello are 110 and -10, which is not 100 in all",
            id="less than nobody",
        ),
        pytest.param(
            ruled({"backendRefs": [{"name": "hello-r1", "port": 8080}, {"name": "hello-r2", "port": 8080}]}),
            "the weights of rule 1 of HTTPRoute/hello are 1 and 1, which is not 100 in all",
            id="two that say no weight",
        ),
        pytest.param(
            ruled(RULE, RULE | {"matches": [{"path": {"type": "PathPrefix", "value": "/"}}]}),
            "rules 1 and 2 of HTTPRoute/hello match the same requests",
            id="everything, said twice",
        ),
        pytest.param(
            ruled(
                RULE | {"matches": [headers(("A", "1"), ("b", "2"))]},
                RULE,
                RULE | {"matches": [headers(("c", "3")), headers(("b", "2"), ("a", "1"))]},
            ),
            "rules 1 and 3 of HTTPRoute/hello match the same requests",
            id="the same headers in another order",
        ),
    ],
)
def test_a_wrong_shape_is_said_whatever_is_around(route: Object, said: str) -> None:
    assert shape_objections([*AROUND, route]) == [said]
    assert said in objections([route], known())


@pytest.mark.parametrize(
    ("route", "about", "said"),
    [
        pytest.param(
            NOW | {"spec": NOW["spec"] | {"hostnames": ["Hello.Other-dev.localhost"]}},
            known(),
            f"HTTPRoute/hello is for host hello.other-dev.localhost, and the plugin's is {HOST}",
            id="another host",
        ),
        pytest.param(
            NOW,
            known(elsewhere("other-dev", HOST)),
            f"host {HOST} is held by HTTPRoute other-dev/theirs",
            id="a host of another tenant",
        ),
        pytest.param(
            ruled(to({"name": "hello-r7"})),
            known(),
            "rule 1 of HTTPRoute/hello leads to Service hello-r7, which is not there",
            id="no such Service",
        ),
        pytest.param(
            ruled(to({"port": 81})),
            known(),
            "rule 1 of HTTPRoute/hello leads to port 81 of Service hello-r2, which has 8080",
            id="no such port",
        ),
        pytest.param(
            ruled(to({}, filters=[{"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "gone", "port": 1}}}])),
            known(),
            "rule 1 of HTTPRoute/hello leads to Service gone, which is not there",
            id="a mirror of nothing",
        ),
        pytest.param(
            MESHED,
            known(beside=[*AROUND, destination_rule(NOW)]),
            "rule 1 of VirtualService/hello leads to subset r1 of hello.default-dev.svc.cluster.local, which no DestinationRule names",
            id="a missing subset",
        ),
    ],
)
def test_what_a_route_leads_to_must_be_there_and_its_host_free(route: Object, about: Known, said: str) -> None:
    assert objections([route], about) == [said]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(elsewhere("other-dev", HOST, "another"), id="at another gateway"),
        pytest.param(elsewhere("default-dev", HOST), id="of the same tenant"),
        pytest.param(elsewhere("other-dev", "*.localhost"), id="less particular"),
    ],
)
def test_not_every_route_of_others_is_in_the_way(other: Object) -> None:
    assert objections([NOW], known(other)) == []


def test_a_port_name_that_no_container_has_is_said() -> None:
    wrong = copy.deepcopy(AROUND)
    service = next(one for one in wrong if one["kind"] == "Service" and one["metadata"]["name"] == "hello-r2")
    service["spec"]["ports"][0]["targetPort"] = "web"
    said = "Service/hello-r2 leads to port web, and Deployment/hello-r2 has no port of that name"
    assert objections([NOW], known(beside=wrong)) == [said]


def test_a_port_by_number_needs_no_name() -> None:
    numbered = copy.deepcopy(AROUND)
    for service in (one for one in numbered if one["kind"] == "Service"):
        service["spec"]["ports"][0]["targetPort"] = 8080
    assert objections([NOW], known(beside=numbered)) == []


def test_in_istio_a_ports_name_says_what_is_spoken() -> None:
    assert objections([MESHED], known(beside=[*AROUND, SUBSETS])) == []
    ports = [{"name": "web", "port": 8080}]
    blueprint = make_blueprint("service", revision=2, plugin={"networking": {"ports": ports}})
    route = http_route(blueprint)
    around = [*every(phases(blueprint)), destination_rule(route)]
    said = "rule 1 of VirtualService/hello leads to port web of Service hello, whose name does not say that HTTP is spoken there"
    assert objections([virtual_service(route)], known(beside=around)) == [said]


def test_everything_is_said_at_once() -> None:
    with pytest.raises(Refused, match=r"^HTTPRoute/hello has no rule; it is late \(nothing was changed"):
        refuse_objections(["HTTPRoute/hello has no rule", "it is late", "it is late"])
    refuse_objections([])
