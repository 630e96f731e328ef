"""A request is checked to its last field; what is refused names the field."""

import hashlib
import json
from copy import deepcopy
from typing import Any

import pytest
from pydantic import ValidationError

from blocks.domain.experiment import Experiment
from blocks.domain.manifest import FolderSource, InstallRequest, NpmSource
from blocks.domain.strategy import StrategyConfig

# Document 000's own example, with the addresses of its fields.
DOCUMENT_000: dict[str, Any] = {
    "plugin": {
        "name": "@backstage/plugin-catalog",
        "version": "1.0.0",
        "runtime": {"type": "frontend", "framework": "react"},
        "resources": {"cpu": {"request": "100m", "limit": "500m"}, "memory": {"request": "128Mi", "limit": "512Mi"}},
        "networking": {"ports": [{"name": "http", "port": 3000, "protocol": "TCP"}]},
        "healthChecks": {
            "liveness": {"type": "http", "path": "/health", "port": 3000, "initialDelaySeconds": 30, "successThreshold": 1},
            "readiness": {"type": "http", "path": "/ready", "port": 3000, "periodSeconds": 5, "failureThreshold": 3},
        },
        "security": {"runAsNonRoot": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "observability": {
            "metrics": {"enabled": True, "path": "/metrics", "port": 9090},
            "tracing": {"enabled": True, "samplingRate": 0.1},
        },
    },
    "strategy": "rolling-update",
    "options": {"skipSecurityScan": False, "skipDependencyCheck": False, "priority": 1},
}


# The hash of what that example was written down as before a request could have stages.
WRITTEN_DOWN = "1ebc07ae0b85e5e60bf4329fb1c7e358f9814def594afd0213a38ba497ec01a3"


def changed(path: str, value: Any) -> dict[str, Any]:
    """Document 000's example with the field at the dotted path set to the value."""
    body = deepcopy(DOCUMENT_000)
    *folders, last = path.split(".")
    place: Any = body
    for name in folders:
        place = place.setdefault(name, {})
    place[last] = value
    return body


def test_the_example_of_document_000_is_accepted() -> None:
    """Word for word."""
    request = InstallRequest.model_validate(DOCUMENT_000)
    assert (request.tenant, request.environment, request.replicas) == ("default", "dev", 1)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param("plugin.colour", "red", id="unknown field"),
        pytest.param("plugin.networking.ports", [{"name": "http", "port": 70000}], id="port out of range"),
        pytest.param("plugin.networking.ports", [{"name": "http", "port": "80"}], id="port as text"),
        pytest.param("plugin.networking.ports", [{"name": "a", "port": 1}, {"name": "a", "port": 2}], id="two ports of one name"),
        pytest.param("plugin.networking.ports", [{"name": "a", "port": 1}, {"name": "b", "port": 1}], id="one port twice"),
        pytest.param("plugin.resources.cpu.request", "100Mi", id="bytes as cores"),
        pytest.param("plugin.resources.cpu", {"request": "2", "limit": "1"}, id="cores requested above the limit"),
        pytest.param("plugin.resources.memory", {"request": "1Gi", "limit": "512Mi"}, id="memory requested above the limit"),
        pytest.param("plugin.healthChecks.liveness.successThreshold", 2, id="liveness with two successes"),
        pytest.param("plugin.healthChecks.readiness.path", "ready", id="relative path"),
        pytest.param("plugin.security.runAsNonRoot", False, id="as root"),
        pytest.param("plugin.observability.tracing.samplingRate", 2, id="more than every request"),
        pytest.param("plugin.runtime.type", "lambda", id="unknown runtime"),
        pytest.param("plugin.name", "../etc", id="a path as name"),
        pytest.param("strategy", "a/b", id="a strategy that is not offered yet"),
        pytest.param("strategyConfig", {"stages": "100"}, id="stages without a strategy that has some"),
        pytest.param("strategyConfig.stages", "10,20", id="stages that do not end with all"),
        pytest.param("options.skipSecurityScan", True, id="no scan"),
        pytest.param("tenant", "Team A", id="a tenant that is no label"),
        pytest.param("environment", "qa", id="unknown environment"),
        pytest.param("replicas", 0, id="no replicas"),
        pytest.param("source", {"type": "folder", "path": "../x"}, id="a folder outside"),
        pytest.param("source", {"type": "folder", "path": "x"}, id="a frontend from a folder"),
        pytest.param("egress", [{"cidr": "10.0.0.0/99", "port": 443}], id="no network"),
        pytest.param("secretRefs", [{"secret": "a", "key": "b", "path": []}], id="a secret for nothing"),
    ],
)
def test_refuses_at_the_field(path: str, value: Any) -> None:
    """The error's location is the field or something in it."""
    with pytest.raises(ValidationError) as refused:
        InstallRequest.model_validate(changed(path, value))
    first = refused.value.errors()[0]["loc"]
    named = path.split(".")
    shared = [str(part) for part in first][: len(named)]
    assert shared == named[: len(shared)], first


def test_a_request_without_stages_is_written_down_as_before_there_were_any() -> None:
    """Or every plan of what serves would have another hash."""
    told = InstallRequest.model_validate(DOCUMENT_000 | {"strategyConfig": None}).model_dump(mode="json", by_alias=True)
    assert hashlib.sha256(json.dumps(told).encode()).hexdigest() == WRITTEN_DOWN


def test_a_canary_has_stages_whether_they_are_named_or_not() -> None:
    """And they are written down, so that other defaults one day change nothing of what was asked for."""
    for said in ({}, {"strategyConfig": None}, {"strategyConfig": {"stages": "10,30,50,100"}}):
        request = InstallRequest.model_validate(changed("strategy", "canary") | said)
        assert request.strategy_config == StrategyConfig()
        assert InstallRequest.model_validate_json(request.model_dump_json(by_alias=True)) == request


BLUE_GREEN = [
    pytest.param({}, 300, id="as usual"),
    pytest.param({"strategyConfig": {"stageInterval": 20}}, 20, id="for so many seconds"),
    pytest.param({"strategyConfig": {"stages": [{"weight": 100, "pause": 7}]}}, 7, id="as one stage"),
]


@pytest.mark.parametrize(("said", "warm"), BLUE_GREEN)
def test_blue_green_has_one_stage_in_which_the_other_side_is_kept_warm(said: dict[str, Any], warm: int) -> None:
    request = InstallRequest.model_validate(changed("strategy", "blue-green") | said)
    assert request.strategy_config is not None
    assert [(one.weight, one.pause) for one in request.strategy_config.stages] == [(100, warm)]
    assert InstallRequest.model_validate_json(request.model_dump_json(by_alias=True)) == request


@pytest.mark.parametrize("share", [50, 20])
def test_an_ab_test_has_an_experiment_whether_it_is_named_or_not(share: int) -> None:
    said = {"strategyConfig": {"experiment": {"share": share}}} if share != 50 else {}
    request = InstallRequest.model_validate(changed("strategy", "ab-testing") | said)
    assert request.strategy_config == StrategyConfig(experiment=Experiment(share=share))
    assert InstallRequest.model_validate_json(request.model_dump_json(by_alias=True)) == request


@pytest.mark.parametrize(
    ("strategy", "config", "said"),
    [
        pytest.param("blue-green", {"stages": "50,100"}, "blue-green sends all requests at once", id="stages for blue-green"),
        pytest.param("canary", {"smokeTest": {"path": "/"}}, "a canary has no preview", id="a smoke test for a canary"),
        pytest.param("blue-green", {"smokeTest": {"path": "hello"}}, "should match pattern", id="a path that is none"),
        pytest.param("canary", {"experiment": {}}, "canary compares no variants", id="an experiment for a canary"),
        pytest.param("ab-testing", {"stages": "50,100"}, "an A/B test has one stage", id="stages for an A/B test"),
        pytest.param("ab-testing", {"analysis": {"interval": 5}}, "judged by its experiment alone", id="its analysis"),
        pytest.param("canary", {"maxSurge": 1}, "canary puts up all that it needs", id="a surge for a canary"),
        pytest.param(
            "rolling-update", {"maxSurge": 1, "stageInterval": 5}, "its own are maxSurge", id="a pause for a rolling update"
        ),
        pytest.param("rolling-update", {"maxSurge": 0}, "not both nothing", id="no surge and nobody unavailable"),
        pytest.param("rolling-update", {"maxSurge": "0%", "maxUnavailable": "0%"}, "not both nothing", id="nothing in percent"),
        pytest.param(
            "rolling-update", {"maxSurge": 0, "maxUnavailable": 1}, "the only replica goes", id="the only replica without a surge"
        ),
        pytest.param("rolling-update", {"maxSurge": "101%"}, "should match pattern", id="more than all"),
        pytest.param("rolling-update", {"maxSurge": -1}, "greater than or equal to 0", id="fewer than none"),
    ],
)
def test_what_a_strategy_does_not_have_is_refused(strategy: str, config: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        InstallRequest.model_validate(changed("strategy", strategy) | {"strategyConfig": config})


@pytest.mark.parametrize("config", [{"maxSurge": 1}, {"maxUnavailable": "25%"}, {"maxSurge": 0, "maxUnavailable": 1}])
def test_a_rolling_update_says_how_many_pods_come_and_go(config: dict[str, Any]) -> None:
    request = InstallRequest.model_validate(changed("replicas", 3) | {"strategyConfig": config})
    assert request.strategy_config == StrategyConfig.model_validate(config)
    assert InstallRequest.model_validate_json(request.model_dump_json(by_alias=True)) == request


def test_stages_without_a_strategy_that_has_some_are_refused_with_a_sentence() -> None:
    """At the field, and with what would help."""
    with pytest.raises(ValidationError, match="rolling-update has no stages to configure; leave strategyConfig out, or ask for"):
        InstallRequest.model_validate(changed("strategyConfig", {}))


def test_source_follows_the_runtime() -> None:
    """A service comes from a folder, the others from npm."""
    body = changed("plugin.runtime.type", "service") | {"source": {"type": "folder", "path": "hello"}}
    assert isinstance(InstallRequest.model_validate(body).source, FolderSource)
    assert isinstance(InstallRequest.model_validate(DOCUMENT_000).source, NpmSource)
