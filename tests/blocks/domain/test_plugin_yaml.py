"""plugin.yaml is read strictly: every field that is wrong is named, and nothing unknown passes."""

from pathlib import Path

import pytest

from blocks.domain.errors import Unresolvable
from blocks.domain.plugin_yaml import read_plugin_yaml

HELLO = (Path(__file__).parents[2] / "cases/plugins/hello/plugin.yaml").read_text()
SMALL = "{id: hello, name: Hello, version: 1.2.3, endpoints: [{path: /hello}]}"


def test_reads_the_sample() -> None:
    """With everything that a container needs."""
    plugin = read_plugin_yaml(HELLO)
    assert (plugin.id, plugin.version, plugin.port, plugin.start) == ("hello", "1.0.0", 8080, ("node", "server.mjs"))
    assert plugin.release_path == "/hello"
    assert plugin.configuration == {"greeting": "Hello"}


def test_defaults_are_those_of_the_document() -> None:
    """A health check every five seconds on the usual paths, and no start command."""
    plugin = read_plugin_yaml(SMALL)
    assert (plugin.health.liveness, plugin.health.readiness, plugin.start) == ("/health", "/ready", ())


def test_a_service_may_have_no_route_that_can_simply_be_asked() -> None:
    """Then nothing is claimed."""
    assert read_plugin_yaml(SMALL.replace("/hello", "/hello, method: POST")).release_path == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("id: [", "not YAML", id="no YAML"),
        pytest.param("", "the whole", id="nothing"),
        pytest.param("[]", "the whole", id="no mapping"),
        pytest.param(SMALL.replace("}]}", "}], colour: red}"), "colour", id="an unknown field"),
        pytest.param(SMALL.replace("1.2.3", "1.2"), "version", id="a version that YAML takes for a number"),
        pytest.param(SMALL.replace("1.2.3", "one"), "version", id="a version that is none"),
        pytest.param(SMALL.replace("id: hello", "id: ../hello"), "id", id="an id that is a path"),
        pytest.param(SMALL.replace("/hello", "hello"), "endpoints.0.path", id="a path that is none"),
        pytest.param(SMALL.replace("[{path: /hello}]", "[]"), "endpoints", id="no endpoint"),
        pytest.param(SMALL.replace("}]}", "}], port: '80'}"), "port", id="a port in quotes"),
        pytest.param(SMALL.replace("}]}", "}], start: node server.mjs}"), "start", id="a command for a shell"),
        pytest.param(SMALL.replace("}]}", "}], security: {sandboxed: false}}"), "sandboxed", id="out of the sandbox"),
        pytest.param(SMALL.replace("}]}", "}], health: {interval_seconds: 0}}"), "interval_seconds", id="an interval of nothing"),
    ],
)
def test_refuses(text: str, said: str) -> None:
    """With the field."""
    with pytest.raises(Unresolvable) as raised:
        read_plugin_yaml(text)
    assert said in str(raised.value)
