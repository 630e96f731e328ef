"""What plain Services cannot do is refused in sentences, everything at once; what they can is not."""

from typing import Any

import pytest

from blocks.domain.errors import Refused
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.routes import http_route, plain_service
from blocks.domain.plain import refuse_change, refuse_impossible, say_change, say_impossible
from tests.blocks.domain.objects.blueprints import make_blueprint, make_plain_blueprint
from tests.builders import make_request

METRIC = {"name": "errors", "query": "x", "max": 1}
OFF = {"enabled": False}
BETA = {"weight": 0, "header": {"name": "x-beta", "value": "1"}}
TESTER = {"weight": 0, "cookie": {"name": "tester", "value": "1"}}


def canary(*stages: object, **analysis: Any) -> dict[str, Any]:
    return {"strategy": "canary", "strategyConfig": {"stages": [*stages, 100], "stageInterval": 0, "analysis": analysis}}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        pytest.param({"strategy": "ab-testing"}, ["no A/B test"], id="an A/B test"),
        pytest.param(canary(BETA, 50, **OFF), ["x-beta: 1 cannot be told from others"], id="a header"),
        pytest.param(canary(TESTER, 50, **OFF), ["the cookie tester=1 cannot be told"], id="a cookie"),
        pytest.param(canary({"weight": 0, "mirror": True}, **OFF), ["a copy of every request cannot be told"], id="copies"),
        pytest.param(
            {"strategy": "canary"}, ["needs metrics that decide or pods, or must not be enabled"], id="a canary that says nothing"
        ),
        pytest.param({"strategy": "blue-green"}, ["needs metrics that decide or pods"], id="blue-green that says nothing"),
        pytest.param(canary(50, metrics=[METRIC | {"dryRun": True}]), ["needs metrics that decide"], id="what only reports"),
        pytest.param(
            canary(50, successRate=0.5, pods={}), ["no successRate, latencyMs or comparedToStable"], id="a success rate"
        ),
        pytest.param(canary(50, latencyMs=5.0, pods={}), ["no successRate, latencyMs"], id="a latency"),
        pytest.param(canary(50, comparedToStable={"latency": 2.0}, pods={}), ["comparedToStable is known"], id="beside stable"),
        pytest.param(canary(50, **OFF) | {"autoscaling": {"maxReplicas": 4}}, ["an autoscaler and a share"], id="an autoscaler"),
        pytest.param(canary(BETA, 50), ["x-beta", "no answers are counted"], id="everything at once"),
    ],
)
def test_it_is_refused_to_ask_for(asked: dict[str, Any], said: list[str]) -> None:
    with pytest.raises(Refused) as caught:
        refuse_impossible(make_request(**asked))
    assert [one for one in said if one not in str(caught.value)] == []
    assert "SERVICE_MESH_PROVIDER" in caught.value.hint


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({}, id="a rolling update"),
        pytest.param({"strategyConfig": {"maxSurge": 1}}, id="one in waves"),
        pytest.param(canary(10, 50, **OFF), id="a canary that nobody measures"),
        pytest.param(canary(10, metrics=[METRIC]), id="a metric of its own"),
        pytest.param(canary(10, pods={}), id="its pods"),
        pytest.param(
            {"strategy": "blue-green", "strategyConfig": {"analysis": OFF, "smokeTest": {"path": "/x"}}}, id="a preview"
        ),
    ],
)
def test_it_is_fine_to_ask_for(asked: dict[str, Any]) -> None:
    request = make_request(**asked)
    refuse_impossible(request)
    assert [*say_impossible(request)] == []


PLAIN, ROUTE = plain_service(make_plain_blueprint()), http_route(make_blueprint())
ELSEWHERE = plain_service(make_plain_blueprint(plugin={"networking": {"ports": [{"name": "http", "port": 4000}]}}))


@pytest.mark.parametrize(
    ("exposed", "said"),
    [
        pytest.param([ROUTE, PLAIN], "by its Service, and would be led by its HTTPRoute", id="from Services to a gateway"),
        pytest.param([PLAIN, ROUTE], "by its HTTPRoute, and would be led by its Service", id="from a gateway to Services"),
        pytest.param([PLAIN, ELSEWHERE], "listen on different ports", id="to other ports"),
    ],
)
def test_between_two_ways_there_is_none(exposed: list[Object], said: str) -> None:
    with pytest.raises(Refused, match=said):
        refuse_change(exposed)


@pytest.mark.parametrize("exposed", [[PLAIN], [PLAIN, PLAIN], [ROUTE, ROUTE]], ids=["the first", "Services", "routes"])
def test_what_stays_the_same_is_fine(exposed: list[Object]) -> None:
    refuse_change(exposed)
    assert [*say_change(exposed)] == []
