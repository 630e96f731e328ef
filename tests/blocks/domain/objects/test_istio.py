"""A plugin in Istio's own words: the same route, its revisions as subsets, and who may reach it."""

from dataclasses import replace
from typing import Any

import pytest

from blocks.domain.errors import Refused
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.istio import destination_rule, protection, virtual_service
from blocks.domain.objects.routes import http_route, previewed, split
from tests.blocks.domain.objects.blueprints import SITE, make_blueprint

BEFORE, NOW = (http_route(make_blueprint("service", revision=number)) for number in (1, 2))
HOST = "hello.default-dev.svc.cluster.local"


def subset(number: int, weight: int) -> dict[str, Any]:
    return {"destination": {"host": HOST, "port": {"number": 8080}, "subset": f"r{number}"}, "weight": weight}


def filtered(*filters: dict[str, Any], **more: Any) -> Object:
    """The route with filters on its only rule."""
    return NOW | {"spec": NOW["spec"] | {"rules": [NOW["spec"]["rules"][0] | {"filters": [*filters]} | more]}}


def rule_of(route: Object) -> Any:
    (rule,) = virtual_service(route)["spec"]["http"]
    return rule


def test_a_share_is_a_share_of_subsets() -> None:
    spec = virtual_service(split(NOW, BEFORE, 30))["spec"]
    assert spec == {
        "hosts": ["hello.default-dev.localhost"],
        "gateways": ["projectcontour/contour"],
        "exportTo": ["."],
        "http": [{"route": [subset(2, 30), subset(1, 70)]}],
    }


def test_every_revision_that_is_led_to_is_a_subset() -> None:
    rule = destination_rule(split(NOW, BEFORE, 30))
    assert (rule["metadata"]["name"], rule["spec"]) == (
        "hello",
        {
            "host": HOST,
            "exportTo": ["."],
            "trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}},
            "subsets": [{"name": f"r{one}", "labels": {"plugin-pipeline.io/revision": one}} for one in ("1", "2")],
        },
    )


def test_a_preview_is_met_by_its_header() -> None:
    asked, rest = virtual_service(previewed(NOW, BEFORE))["spec"]["http"]
    assert asked == {"match": [{"headers": {"x-plugin-preview": {"exact": "hello-r2"}}}], "route": [subset(2, 100)]}
    assert "match" not in rest


@pytest.mark.parametrize(
    ("match", "said"),
    [
        pytest.param({"path": {"type": "PathPrefix", "value": "/a"}}, {"uri": {"prefix": "/a"}}, id="what a path begins with"),
        pytest.param({"path": {"type": "Exact", "value": "/a"}}, {"uri": {"exact": "/a"}}, id="a path"),
        pytest.param({"method": "GET"}, {"method": {"exact": "GET"}}, id="a method"),
        pytest.param(
            {"headers": [{"type": "RegularExpression", "name": "cookie", "value": ".*b=1.*"}]},
            {"headers": {"cookie": {"regex": ".*b=1.*"}}},
            id="a cookie",
        ),
        pytest.param({"queryParams": [{"name": "q", "value": "1"}]}, {"queryParams": {"q": {"exact": "1"}}}, id="a question"),
    ],
)
def test_what_is_matched_is_the_same(match: dict[str, Any], said: dict[str, Any]) -> None:
    assert rule_of(filtered(matches=[match]))["match"] == [said]


def test_headers_are_changed_on_both_ways() -> None:
    there = {"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "a", "value": "1"}], "remove": ["b"]}}
    back = {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"add": [{"name": "set-cookie", "value": "v=a"}]}}
    assert rule_of(filtered(there, back))["headers"] == {
        "request": {"set": {"a": "1"}, "remove": ["b"]},
        "response": {"add": {"set-cookie": "v=a"}},
    }
    backend = NOW["spec"]["rules"][0]["backendRefs"][0] | {"filters": [back]}
    (routed,) = rule_of(filtered(backendRefs=[backend]))["route"]
    assert routed["headers"] == {"response": {"add": {"set-cookie": "v=a"}}}


def test_a_mirror_is_a_copy_to_a_subset() -> None:
    other = {"name": "hello-r1", "port": 8080}
    whole = filtered({"type": "RequestMirror", "requestMirror": {"backendRef": other}})
    part = filtered({"type": "RequestMirror", "requestMirror": {"backendRef": other, "percent": 5}})
    where = subset(1, 0)["destination"]
    assert rule_of(whole)["mirrors"] == [{"destination": where}]
    assert rule_of(part)["mirrors"] == [{"destination": where, "percentage": {"value": 5}}]
    assert [one["name"] for one in destination_rule(whole)["spec"]["subsets"]] == ["r1", "r2"]


def test_what_is_no_revision_is_no_subset() -> None:
    backend = {"name": "hello-closed", "port": 8082, "weight": 100}
    route = filtered(backendRefs=[backend])
    (routed,) = rule_of(route)["route"]
    assert routed["destination"] == {"host": "hello-closed.default-dev.svc.cluster.local", "port": {"number": 8082}}
    assert destination_rule(route)["spec"]["subsets"] == []


def test_what_istio_cannot_say_is_refused() -> None:
    with pytest.raises(Refused, match="filter RequestRedirect cannot be said"):
        virtual_service(filtered({"type": "RequestRedirect"}))


def test_only_gateway_and_tenant_are_let_in_and_nothing_in_the_clear() -> None:
    blueprint = replace(make_blueprint("service"), site=replace(SITE, gateway_namespace="gateways"))
    strict, nobody, allowed = protection(blueprint)
    assert (strict["kind"], strict["metadata"]["namespace"], strict["spec"]) == (
        "PeerAuthentication",
        "default-dev",
        {"mtls": {"mode": "STRICT"}},
    )
    assert (nobody["kind"], nobody["spec"]) == ("AuthorizationPolicy", {})
    (rule,) = allowed["spec"]["rules"]
    assert rule == {
        "from": [{"source": {"namespaces": ["default-dev", "gateways"]}}],
        "to": [{"operation": {"ports": ["8080"]}}],
    }
