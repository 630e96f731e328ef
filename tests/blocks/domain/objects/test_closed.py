"""Where a disabled plugin's host leads."""

import pytest

from blocks.domain.errors import Refused
from blocks.domain.objects.closed import closed_objects
from blocks.domain.objects.routes import http_route
from tests.blocks.domain.objects.blueprints import make_blueprint

ADDRESS = "10.244.0.1:8082"
ROUTE = http_route(make_blueprint())


def test_they_belong_to_whom_the_route_belongs_to() -> None:
    service, endpoints, route = closed_objects(ROUTE, ADDRESS)
    for made in (service, endpoints):
        assert made["metadata"]["name"] == "backstage-plugin-catalog-closed"
        assert made["metadata"]["namespace"] == "default-dev"
        assert made["metadata"]["labels"].items() >= ROUTE["metadata"]["labels"].items()
        assert made["metadata"]["annotations"] == ROUTE["metadata"]["annotations"]
    assert route["metadata"] == ROUTE["metadata"]


def test_the_service_selects_no_pods_and_leads_to_the_address() -> None:
    service, endpoints, _ = closed_objects(ROUTE, ADDRESS)
    assert "selector" not in service["spec"]
    assert service["spec"]["ports"][0]["port"] == 8082
    assert endpoints["metadata"]["labels"]["kubernetes.io/service-name"] == service["metadata"]["name"]
    assert endpoints["endpoints"][0]["addresses"] == ["10.244.0.1"]
    assert (endpoints["addressType"], endpoints["ports"][0]["port"]) == ("IPv4", 8082)


def test_an_address_of_the_newer_kind_is_one_too() -> None:
    _, endpoints, _ = closed_objects(ROUTE, "[fd00::1]:8082")
    assert (endpoints["addressType"], endpoints["endpoints"][0]["addresses"]) == ("IPv6", ["fd00::1"])


def test_the_host_stays_and_everything_on_it_says_for_which_installation_it_is() -> None:
    _, _, route = closed_objects(ROUTE, ADDRESS)
    assert {name: route["spec"][name] for name in ("hostnames", "parentRefs")} == {
        name: ROUTE["spec"][name] for name in ("hostnames", "parentRefs")
    }
    (rule,) = route["spec"]["rules"]
    assert rule["backendRefs"] == [{"name": "backstage-plugin-catalog-closed", "port": 8082, "weight": 100}]
    (marked,) = rule["filters"]
    said = {"name": "x-plugin-pipeline-installation", "value": "00000000-0000-0000-0000-000000000001"}
    assert marked["requestHeaderModifier"] == {"set": [said]}


def test_the_plugins_own_route_is_left_as_it_was() -> None:
    before = http_route(make_blueprint())
    closed_objects(ROUTE, ADDRESS)
    assert before == ROUTE


@pytest.mark.parametrize(
    ("address", "says"),
    [
        pytest.param("", "no address is not where", id="none"),
        pytest.param("10.244.0.1", "10.244.0.1 is not where", id="without a port"),
        pytest.param("api.local:8082", "api.local:8082 is not where", id="a name"),
        pytest.param("10.244.0.1:http", "10.244.0.1:http is not where", id="a port in words"),
        pytest.param("127.0.0.1:8082", "no cluster sends traffic to 127.0.0.1", id="loopback"),
        pytest.param("[fe80::1]:8082", "no cluster sends traffic to fe80::1", id="link-local"),
        pytest.param("0.0.0.0:8082", "no cluster sends traffic to 0.0.0.0", id="every address"),
    ],
)
def test_an_address_that_no_cluster_accepts_is_refused_before_the_cluster_sees_it(address: str, says: str) -> None:
    with pytest.raises(Refused, match=says):
        closed_objects(ROUTE, address)
