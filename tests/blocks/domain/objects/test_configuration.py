"""What a plugin is told, and that a secret is only ever referred to."""

import json
from typing import Any

import pytest

from blocks.domain.errors import Refused
from blocks.domain.objects import configuration
from blocks.domain.objects.phases import phases
from blocks.domain.objects.workload import deployment
from tests.blocks.domain.objects.blueprints import make_blueprint

TOKEN = {"secret": "proxy", "key": "token", "path": ["proxy", "headers", "token"]}


def told(runtime: str, **asked: Any) -> dict[str, Any]:
    (text,) = configuration.config_map(make_blueprint(runtime, **asked))["data"].values()
    found: dict[str, Any] = json.loads(text)
    return found


def test_a_backend_is_told_its_address_its_port_and_its_database() -> None:
    backend = told("backend")["backend"]
    assert backend["baseUrl"] == "http://backstage-plugin-proxy-backend.default-dev.localhost:8888"
    assert backend["listen"] == ":7007"
    connection = backend["database"]["connection"]
    assert connection["password"] == {"$file": "/etc/plugin/secrets/database/password"}
    assert (connection["host"], connection["user"], connection["database"]) == ("10.244.0.1", *["p_0000000000000000"] * 2)


def test_a_person_adds_to_it() -> None:
    said = told("backend", config={"proxy": {"/a": "b"}, "backend": {"cors": True, "baseUrl": "https://mine"}})
    assert (said["proxy"], said["backend"]["cors"], said["backend"]["baseUrl"]) == ({"/a": "b"}, True, "https://mine")


@pytest.mark.parametrize("theirs", [{"database": {"client": "better-sqlite3"}}, {"listen": ":1"}], ids=["database", "port"])
def test_what_is_not_theirs_to_choose_stays(theirs: dict[str, Any]) -> None:
    assert told("backend", config={"backend": theirs}) == told("backend")


def test_a_secret_is_referred_to_where_it_belongs() -> None:
    said = told("backend", config={"proxy": {"target": "x", "headers": {"a": "b"}}}, secretRefs=[TOKEN])
    assert said["proxy"] == {"target": "x", "headers": {"a": "b", "token": {"$file": "/etc/plugin/secrets/proxy/token"}}}


@pytest.mark.parametrize("runtime", ["frontend", "service"])
def test_others_are_told_what_was_asked_and_nothing_else(runtime: str) -> None:
    assert told(runtime, config={"a": [1, "two"]}) == {"a": [1, "two"]}
    assert [*configuration.config_map(make_blueprint(runtime))["data"]] == ["config.json"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        pytest.param(
            {"config": {"proxy": "x"}, "secretRefs": [TOKEN]}, "config.proxy must be an object", id="a path through a text"
        ),
        pytest.param(
            {"config": {"proxy": {"headers": []}}, "secretRefs": [TOKEN]},
            "config.proxy.headers must be",
            id="a path through a list",
        ),
        pytest.param({"config": {"backend": "x"}}, "config.backend must be an object", id="a backend that is a text"),
        pytest.param({"secretRefs": [TOKEN | {"secret": "database"}]}, "would hide", id="a Secret in the place of ours"),
    ],
)
def test_what_contradicts_itself_is_refused(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(Refused, match=message):
        phases(make_blueprint("backend", **asked))


def test_only_keys_that_were_asked_for_are_mounted() -> None:
    refs = [TOKEN, TOKEN | {"key": "other", "path": ["o"]}, TOKEN | {"secret": "a"}]
    sources = configuration.mounted_secrets(make_blueprint("backend", secretRefs=refs))
    paths = [item["path"] for one in sources for item in one["secret"]["items"]]
    assert paths == ["secrets/a/token", "secrets/proxy/other", "secrets/proxy/token", "secrets/database/password"]


def test_the_secrets_of_persons_are_told_apart_from_ours() -> None:
    assert configuration.keys_of_persons(deployment(make_blueprint("backend", secretRefs=[TOKEN]))) == [("proxy", "token")]


def test_the_password_is_in_the_secret_alone() -> None:
    beside = configuration.config_map(make_blueprint("backend"))
    secret = configuration.database_secret(beside, "it-database", "hush")
    assert configuration.password_in(secret) == "hush"
    assert secret["metadata"]["labels"] == beside["metadata"]["labels"]
    assert configuration.password_in(None) == ""


@pytest.mark.parametrize(
    ("under", "over", "both"),
    [
        pytest.param({"a": 1}, {"b": 2}, {"a": 1, "b": 2}, id="both are there"),
        pytest.param({"a": {"b": 1}}, {"a": {"c": 2}}, {"a": {"b": 1, "c": 2}}, id="objects are merged"),
        pytest.param({"a": [1]}, {"a": [2]}, {"a": [2]}, id="lists are replaced"),
        pytest.param({"a": {"b": 1}}, {"a": None}, {"a": None}, id="an object gives way to anything else"),
    ],
)
def test_merging(under: dict[str, Any], over: dict[str, Any], both: dict[str, Any]) -> None:
    assert configuration.merge(under, over) == both
