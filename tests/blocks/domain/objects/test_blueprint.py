"""What a revision is called, where it is reached and how it says how it is."""

from dataclasses import replace

import pytest

from blocks.domain.objects.blueprint import serving_of
from blocks.domain.plugin_yaml import read_plugin_yaml
from tests.blocks.domain.objects.blueprints import SITE, make_blueprint

SERVICE = "{id: hello, name: Hello, version: 1.0.0, port: 9000, endpoints: [{path: /hello}], health: {enabled: %s}}"


def test_names_follow_plugin_tenant_and_revision() -> None:
    blueprint = make_blueprint(revision=3, tenant="team-a", environment="staging")
    assert (blueprint.namespace, blueprint.slug, blueprint.name) == (
        "team-a-staging",
        "backstage-plugin-catalog",
        "backstage-plugin-catalog-r3",
    )
    assert blueprint.url == "http://backstage-plugin-catalog.team-a-staging.localhost:8888"


def test_a_gateway_on_the_usual_port_needs_none_in_the_address() -> None:
    blueprint = replace(
        make_blueprint("service"), site=replace(SITE, gateway_scheme="https", gateway_port="", gateway_domain="example.org")
    )
    assert blueprint.url == "https://hello.default-dev.example.org"


@pytest.mark.parametrize(
    ("runtime", "database"),
    [
        pytest.param("backend", "p_0000000000000000", id="a backend has a database"),
        pytest.param("frontend", "", id="a frontend has none"),
        pytest.param("service", "", id="a service has none"),
    ],
)
def test_only_a_backend_has_a_database(runtime: str, database: str) -> None:
    assert make_blueprint(runtime).database == database


@pytest.mark.parametrize(
    ("runtime", "port", "liveness", "readiness"),
    [
        pytest.param("backend", 7007, "/.backstage/health/v1/liveness", "/.backstage/health/v1/readiness", id="backend"),
        pytest.param("frontend", 3000, "/health", "/ready", id="frontend"),
    ],
)
def test_a_runtime_has_its_own_checks(runtime: str, port: int, liveness: str, readiness: str) -> None:
    blueprint = make_blueprint(runtime)
    assert blueprint.liveness is not None
    assert blueprint.readiness is not None
    assert blueprint.ports[0].port == port
    assert (blueprint.liveness.path, blueprint.readiness.path) == (liveness, readiness)


def test_what_is_asked_for_wins() -> None:
    asked = {"liveness": {"path": "/alive", "port": 1}, "readiness": {"path": "/able", "port": 2}}
    blueprint = make_blueprint(plugin={"healthChecks": asked, "networking": {"ports": [{"name": "web", "port": 4000}]}})
    assert blueprint.liveness is not None
    assert blueprint.readiness is not None
    assert (blueprint.liveness.path, blueprint.readiness.path, blueprint.ports[0].port) == ("/alive", "/able", 4000)


def test_a_service_is_reached_as_its_manifest_says() -> None:
    serving = serving_of(read_plugin_yaml(SERVICE % "true"))
    assert (serving.port, serving.liveness, serving.readiness, serving.release) == (9000, "/health", "/ready", "/hello")


def test_a_service_without_health_checks_has_none() -> None:
    blueprint = replace(make_blueprint("service"), serving=serving_of(read_plugin_yaml(SERVICE % "false")))
    assert blueprint.liveness is None
    assert blueprint.readiness is None


def test_a_service_that_answers_no_question_is_asked_at_the_usual_place() -> None:
    text = "{id: hello, name: Hello, version: 1.0.0, endpoints: [{path: /hello, method: POST}]}"
    assert serving_of(read_plugin_yaml(text)).release == "/release"
