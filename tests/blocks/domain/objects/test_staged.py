"""The route of a stage: who meets which revision, and that nobody falls between."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocks.domain.match import CookieMatch, HeaderMatch
from blocks.domain.objects.routes import http_route, split
from blocks.domain.objects.staged import staged
from blocks.domain.strategy import Stage
from tests.blocks.domain.objects.blueprints import make_blueprint

BEFORE, NOW = http_route(make_blueprint(revision=1)), http_route(make_blueprint(revision=2))
OLD, NEW = "backstage-plugin-catalog-r1", "backstage-plugin-catalog-r2"
BETA = HeaderMatch(name="x-beta", value="1")
TESTER = CookieMatch(name="tester", value="v2.1")


def rules(stage: Stage) -> list[dict[str, Any]]:
    """The rules of the stage's route."""
    found: list[dict[str, Any]] = staged(NOW, BEFORE, stage)["spec"]["rules"]
    return found


def weights(rule: dict[str, Any]) -> dict[str, int]:
    """The share of each backend."""
    return {one["name"]: one["weight"] for one in rule["backendRefs"]}


def test_a_share_alone_is_a_split() -> None:
    assert staged(NOW, BEFORE, Stage(weight=30, pause=0)) == split(NOW, BEFORE, 30)


@pytest.mark.parametrize("weight", [0, 30])
def test_whoever_sends_the_header_meets_the_new_revision_whatever_the_share(weight: int) -> None:
    asked, rest = rules(Stage(weight=weight, pause=0, header=BETA))
    assert asked["matches"] == [{"headers": [{"name": "x-beta", "value": "1"}]}]
    assert weights(asked) == {NEW: 100}
    assert ("matches" in rest, weights(rest)) == (False, {NEW: weight, OLD: 100 - weight})


@pytest.mark.parametrize(
    ("cookies", "is_met"),
    [
        pytest.param("tester=v2.1", True, id="alone"),
        pytest.param("a=b; tester=v2.1; c=d", True, id="among others"),
        pytest.param("tester=v2x1", False, id="a dot is a dot"),
        pytest.param("tester=v2.10", False, id="a value that begins alike"),
        pytest.param("mytester=v2.1", False, id="a name that ends alike"),
        pytest.param("", False, id="none"),
    ],
)
def test_whoever_has_the_cookie_meets_the_new_revision(cookies: str, *, is_met: bool) -> None:
    asked, rest = rules(Stage(weight=0, pause=0, cookie=TESTER))
    (match,) = asked["matches"]
    (header,) = match["headers"]
    assert (header["name"], header["type"]) == ("cookie", "RegularExpression")
    assert (re.fullmatch(header["value"], cookies) is not None) is is_met
    assert (weights(asked), weights(rest)) == ({NEW: 100}, {NEW: 0, OLD: 100})


def test_a_header_or_a_cookie_is_enough() -> None:
    asked, _ = rules(Stage(weight=0, pause=0, header=BETA, cookie=TESTER))
    assert [one["headers"][0]["name"] for one in asked["matches"]] == ["x-beta", "cookie"]


def test_copies_go_to_the_new_revision_and_every_answer_comes_from_the_old_one() -> None:
    (rule,) = rules(Stage(weight=0, pause=0, mirror=True))
    port = BEFORE["spec"]["rules"][0]["backendRefs"][0]["port"]
    assert rule["filters"] == [{"type": "RequestMirror", "requestMirror": {"backendRef": {"name": NEW, "port": port}}}]
    assert weights(rule) == {NEW: 0, OLD: 100}


WAYS = st.one_of(
    st.builds(Stage, weight=st.integers(1, 99), pause=st.just(0), header=st.sampled_from([None, BETA])),
    st.builds(Stage, weight=st.integers(0, 99), pause=st.just(0), cookie=st.just(TESTER)),
    st.sampled_from([Stage(weight=0, pause=0, header=BETA), Stage(weight=0, pause=0, mirror=True), Stage(weight=100, pause=0)]),
)


@given(stage=WAYS)
def test_in_every_rule_all_requests_have_somewhere_to_go(stage: Stage) -> None:
    before, now = http_route(make_blueprint(revision=1)), http_route(make_blueprint(revision=2))
    route = staged(now, before, stage)
    assert [sum(weights(rule).values()) for rule in route["spec"]["rules"]] == [100] * len(route["spec"]["rules"])
    # The last rule is for everybody, and both revisions stay known to the gateway.
    assert "matches" not in route["spec"]["rules"][-1]
    assert {*weights(route["spec"]["rules"][-1])} == {OLD, NEW}
    assert {key: value for key, value in route.items() if key != "spec"} == {k: v for k, v in now.items() if k != "spec"}
    assert (before, now) == (BEFORE, NOW)
