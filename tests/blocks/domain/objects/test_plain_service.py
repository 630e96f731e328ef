"""Where nothing but plain Services leads people, the Service that stays is the route."""

from dataclasses import replace

import pytest

from blocks.domain.errors import Refused
from blocks.domain.mesh import Mesh
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.closed import closed_objects
from blocks.domain.objects.labels import REVISION, revision_selector, selector
from blocks.domain.objects.network import from_gateway
from blocks.domain.objects.phases import Phase, every, phases
from blocks.domain.objects.routes import beside, plain_service, split
from blocks.domain.objects.workload import deployment
from tests.blocks.domain.objects.blueprints import SITE, make_blueprint, make_plain_blueprint

FIRST, SECOND = make_plain_blueprint(revision=1), make_plain_blueprint(revision=2)
BEFORE, NOW = plain_service(FIRST), plain_service(SECOND)


def chosen(service: Object) -> dict[str, str]:
    found: dict[str, str] = service["spec"]["selector"]
    return found


@pytest.mark.parametrize(
    ("weight", "selected"),
    [
        pytest.param(0, revision_selector(FIRST), id="nobody meets the new one"),
        pytest.param(1, selector(FIRST), id="some do"),
        pytest.param(99, selector(FIRST), id="nearly all do"),
        pytest.param(100, revision_selector(SECOND), id="all do"),
    ],
)
def test_it_leads_to_the_pods_of_one_side_or_of_both(weight: int, selected: dict[str, str]) -> None:
    service = split(NOW, BEFORE, weight)
    assert chosen(service) == selected
    assert service["metadata"] == NOW["metadata"]
    for one in (FIRST, SECOND):
        labels = deployment(one)["spec"]["template"]["metadata"]["labels"]
        assert (selected.items() <= labels.items()) is (selected.get(REVISION, labels[REVISION]) == labels[REVISION])


def test_nobody_is_led_to_what_is_only_there() -> None:
    assert beside(BEFORE, NOW) == BEFORE


def test_it_is_put_up_last_and_nothing_of_a_gateway_is() -> None:
    staged = phases(FIRST)
    assert staged[Phase.EXPOSURE] == [BEFORE]
    kinds = [one["kind"] for one in every(staged)]
    assert (kinds.count("Service"), "HTTPRoute" in kinds) == (2, False)


def test_people_in_the_cluster_find_it_by_its_name() -> None:
    assert FIRST.host == "backstage-plugin-catalog.default-dev.svc:3000"
    assert FIRST.url == f"http://{FIRST.host}"


def test_who_asks_through_the_api_server_is_let_in() -> None:
    site = replace(SITE, mesh=Mesh.SERVICES, pipeline_cidrs=("10.0.0.9/32", *SITE.gateway_cidrs))
    (come,) = from_gateway(replace(FIRST, site=site))["spec"]["ingress"]
    assert [one["ipBlock"]["cidr"] for one in come["from"]] == [*SITE.gateway_cidrs, "10.0.0.9/32"]
    behind = replace(make_blueprint(), site=replace(site, mesh=Mesh.GATEWAY_API))
    (come,) = from_gateway(behind)["spec"]["ingress"]
    assert [one["ipBlock"]["cidr"] for one in come["from"]] == [*SITE.gateway_cidrs]


def test_nothing_answers_in_its_place() -> None:
    with pytest.raises(Refused, match="reached by its Service alone cannot be switched off"):
        closed_objects(NOW, "10.244.0.1:8082")
