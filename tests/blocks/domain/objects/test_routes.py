"""How a plugin is reached."""

import pytest

from blocks.domain.objects.routes import (
    PREVIEW,
    asked_for,
    beside,
    http_route,
    previewed,
    revision_service,
    split,
    stable_service,
)
from tests.blocks.domain.objects.blueprints import make_blueprint


def test_the_route_sends_the_plugins_host_to_the_revision() -> None:
    spec = http_route(make_blueprint(revision=2))["spec"]
    assert spec == {
        "hostnames": ["backstage-plugin-catalog.default-dev.localhost"],
        "parentRefs": [{"name": "contour", "namespace": "projectcontour"}],
        "rules": [{"backendRefs": [{"name": "backstage-plugin-catalog-r2", "port": 3000, "weight": 100}]}],
    }


def test_the_revisions_service_selects_it_alone_and_the_stable_one_all() -> None:
    blueprint = make_blueprint(revision=2)
    own, stable = revision_service(blueprint), stable_service(blueprint)
    assert (own["metadata"]["name"], stable["metadata"]["name"]) == ("backstage-plugin-catalog-r2", "backstage-plugin-catalog")
    assert own["spec"]["selector"] == stable["spec"]["selector"] | {"plugin-pipeline.io/revision": "2"}


def test_every_port_is_reached() -> None:
    ports = [{"name": "web", "port": 4000}, {"name": "metrics", "port": 9090}]
    spec = stable_service(make_blueprint(plugin={"networking": {"ports": ports}}))["spec"]
    assert [(one["name"], one["port"]) for one in spec["ports"]] == [("web", 4000), ("metrics", 9090)]


def test_a_revision_can_be_known_to_the_gateway_before_anybody_is_sent_to_it() -> None:
    now, coming = http_route(make_blueprint(revision=1)), http_route(make_blueprint(revision=2))
    (rule,) = beside(now, coming)["spec"]["rules"]
    assert [(one["name"], one["weight"]) for one in rule["backendRefs"]] == [
        ("backstage-plugin-catalog-r1", 100),
        ("backstage-plugin-catalog-r2", 0),
    ]
    assert beside(now, coming)["spec"]["hostnames"] == now["spec"]["hostnames"]


@pytest.mark.parametrize("weight", [1, 60, 100])
def test_of_a_hundred_requests_each_revision_gets_its_share(weight: int) -> None:
    before, now = http_route(make_blueprint(revision=1)), http_route(make_blueprint(revision=2))
    (rule,) = split(now, before, weight)["spec"]["rules"]
    assert [(one["name"], one["weight"]) for one in rule["backendRefs"]] == [
        ("backstage-plugin-catalog-r2", weight),
        ("backstage-plugin-catalog-r1", 100 - weight),
    ]
    assert split(now, before, weight)["spec"]["hostnames"] == now["spec"]["hostnames"]


def test_a_preview_is_met_by_those_who_ask_for_it_and_nobody_else() -> None:
    before, now = http_route(make_blueprint(revision=1)), http_route(make_blueprint(revision=2))
    asked, rest = previewed(now, before)["spec"]["rules"]
    header = {"name": "x-plugin-preview", "value": "backstage-plugin-catalog-r2"}
    assert asked == {**now["spec"]["rules"][0], "matches": [{"headers": [header]}]}
    assert [rest] == beside(before, now)["spec"]["rules"]
    assert previewed(now, None)["spec"]["rules"] == [asked]


def test_a_share_and_a_preview_go_together() -> None:
    before, now = http_route(make_blueprint(revision=1)), http_route(make_blueprint(revision=2))
    shared = split(now, before, 30)
    asked, rest = asked_for(now, shared)["spec"]["rules"]
    assert (asked["matches"][0]["headers"][0]["name"], asked["backendRefs"]) == (PREVIEW, now["spec"]["rules"][0]["backendRefs"])
    assert [rest] == shared["spec"]["rules"]


def test_a_split_leaves_both_routes_as_they_were() -> None:
    before, now = http_route(make_blueprint(revision=1)), http_route(make_blueprint(revision=2))
    split(now, before, 60)
    assert (before, now) == (http_route(make_blueprint(revision=1)), http_route(make_blueprint(revision=2)))
