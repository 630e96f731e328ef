"""A deployment in document 001's words is the request that was installed with, but for what those words say."""

from dataclasses import replace
from typing import Any, get_args
from uuid import UUID

import pytest
from pydantic import ValidationError

from blocks.domain.asking import Standing
from blocks.domain.deployment import ENVIRONMENTS, Deployment, NotDescribed, ask_for_deployment, read_strategy, tell_strategy
from blocks.domain.manifest import InstallRequest
from blocks.domain.strategy import Strategy
from blocks.domain.watch import Environment, Spot
from tests.builders import make_request

WORDS = {
    "pluginId": "payment-stripe",
    "pluginVersion": "2.0.0",
    "tenantId": "tenant-acme-corp",
    "environment": "Production",
    "strategy": "Canary",
    "strategyConfig": {"stages": "10,30,50,100", "stageInterval": "300"},
    "totalInstances": 10,
}
PLUGIN = {"name": "payment-stripe", "version": "1.0.0", "runtime": {"type": "backend"}}
INSTALLED = make_request(
    plugin=PLUGIN,
    tenant="tenant-acme-corp",
    environment="prod",
    replicas=4,
    config={"payment": {"currency": "EUR"}},
    egress=[{"cidr": "192.0.2.10/32", "port": 443}],
    depends_on=["ledger"],
)
BODY = INSTALLED.model_dump_json(by_alias=True)
SERVES = Standing(revision=1, serving_operation=UUID(int=1), serving_request=BODY)
INSTALLING = Standing(active=UUID(int=1), active_verb="install", active_request=BODY)


def read(**said: Any) -> Deployment:
    """What a request says; None leaves a field out."""
    return Deployment.model_validate({name: value for name, value in (WORDS | said).items() if value is not None})


def test_the_words_of_document_001_mean() -> None:
    meant = ask_for_deployment(SERVES, read())
    stages = [(stage.weight, stage.pause) for stage in meant.strategy_config.stages] if meant.strategy_config else []
    assert (meant.plugin.version, meant.strategy, meant.replicas) == ("2.0.0", "canary", 10)
    assert stages == [(10, 300), (30, 300), (50, 300), (100, 300)]
    assert read().spot == Spot("tenant-acme-corp", "prod", "payment-stripe")


@pytest.mark.parametrize("standing", [pytest.param(SERVES, id="what serves"), pytest.param(INSTALLING, id="what is on its way")])
def test_what_it_leaves_out_stays_as_it_was_asked_for(standing: Standing) -> None:
    meant = ask_for_deployment(standing, read(strategy="RollingUpdate", strategyConfig=None, totalInstances=None))
    version = INSTALLED.plugin.model_copy(update={"version": "2.0.0"})
    assert meant == INSTALLED.model_copy(update={"plugin": version})


def test_the_same_deployment_again_means_the_same_request() -> None:
    meant = ask_for_deployment(SERVES, read())
    again = ask_for_deployment(replace(SERVES, serving_request=meant.model_dump_json(by_alias=True)), read())
    assert again == meant


def test_without_a_strategy_it_is_a_canary_with_the_stages_of_document_001() -> None:
    meant = ask_for_deployment(SERVES, read(strategy=None, strategyConfig=None))
    assert (meant.strategy, meant.strategy_config) == ("canary", ask_for_deployment(SERVES, read()).strategy_config)


@pytest.mark.parametrize(
    "standing",
    [
        pytest.param(Standing(), id="nothing was ever asked for"),
        pytest.param(Standing(active=UUID(int=1), active_verb="uninstall", active_request=BODY), id="it is being uninstalled"),
        pytest.param(Standing(active_verb="install", active_request=BODY), id="an install ended without anything"),
    ],
)
def test_where_nothing_says_how_it_runs_it_is_refused(standing: Standing) -> None:
    with pytest.raises(NotDescribed, match="payment-stripe serves for tenant tenant-acme-corp in Production") as refused:
        ask_for_deployment(standing, read())
    assert "/api/v1/plugins/install" in refused.value.hint


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        pytest.param({"strategy": "RollingUpdate"}, "rolling-update has no stages", id="stages where there are none"),
        pytest.param({"strategy": "BlueGreen"}, "blue-green sends all requests at once", id="stages where there is one"),
    ],
)
def test_a_strategy_that_does_not_fit_is_named(said: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence) as refused:
        ask_for_deployment(SERVES, read(**said))
    assert refused.value.errors()[0]["loc"] == ("strategyConfig",)


@pytest.mark.parametrize(
    ("said", "environment"),
    [
        pytest.param("Production", "prod", id="document 001"),
        pytest.param("production", "prod", id="in small letters"),
        pytest.param("PROD", "prod", id="short"),
        pytest.param("Staging", "staging", id="staging"),
        pytest.param("Development", "dev", id="development"),
        pytest.param("dev", "dev", id="ours"),
    ],
)
def test_environments(said: str, environment: str) -> None:
    assert read(environment=said).environment == environment


@pytest.mark.parametrize("strategy", get_args(Strategy))
def test_every_strategy_is_understood_however_it_is_written(strategy: str) -> None:
    spoken = tell_strategy(strategy)
    assert {read_strategy(said) for said in (spoken, spoken.lower(), spoken.upper(), strategy)} == {strategy}


@pytest.mark.parametrize(
    ("strategy", "spoken"),
    [("canary", "Canary"), ("blue-green", "BlueGreen"), ("rolling-update", "RollingUpdate"), ("ab-testing", "ABTesting")],
)
def test_strategies_in_document_001s_words(strategy: str, spoken: str) -> None:
    assert tell_strategy(strategy) == spoken


def test_every_environment_has_a_word() -> None:
    assert set(ENVIRONMENTS) == set(get_args(Environment))


@pytest.mark.parametrize(
    ("said", "field"),
    [
        pytest.param({"environment": "QA"}, "environment", id="an environment there is not"),
        pytest.param({"environment": 3}, "environment", id="an environment that is no text"),
        pytest.param({"strategy": "BigBang"}, "strategy", id="a strategy there is not"),
        pytest.param({"strategy": ["Canary"]}, "strategy", id="a strategy that is no text"),
        pytest.param({"totalInstances": 21}, "totalInstances", id="too many instances"),
        pytest.param({"totalInstances": "10"}, "totalInstances", id="instances as text"),
        pytest.param({"pluginId": "Payment Stripe"}, "pluginId", id="a name that is none"),
        pytest.param({"pluginVersion": ""}, "pluginVersion", id="no version"),
        pytest.param({"tenantId": "Acme"}, "tenantId", id="a tenant that is no label"),
    ],
)
def test_what_is_wrong_is_named(said: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        read(**said)
    assert [error["loc"][0] for error in refused.value.errors()] == [field]


def test_instances_reach_as_far_as_replicas() -> None:
    most = InstallRequest.model_json_schema()["properties"]["replicas"]["maximum"]
    assert ask_for_deployment(SERVES, read(totalInstances=most)).replicas == most
