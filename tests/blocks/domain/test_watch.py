"""What a watch may say, and how it is changed."""

from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from blocks.domain.asking import NotInstalled
from blocks.domain.errors import NotAllowed, PipelineError
from blocks.domain.manifest import NpmSource
from blocks.domain.watch import Action, AlreadyWatched, Spot, Terms, Watch, may_watch, same_watch

SPOT = Spot("acme", "dev", "@a/b")
NPM = NpmSource(registry="https://npm.example")


@pytest.mark.parametrize("version", ["*", "1.2.3", "^1.2.0", "1.x", ">=1.0.0-rc.1", "^1 || ^2", "1 - 2"])
def test_a_version_may_be_what_npm_takes_for_a_range(version: str) -> None:
    assert Terms(version=version).version == version


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"version": "latest"}, id="a tag, which moves"),
        pytest.param({"version": "../x"}, id="a path"),
        pytest.param({"version": ""}, id="no version"),
        pytest.param({"action": "install"}, id="an action there is not"),
        pytest.param({"enabled": "yes"}, id="a word for a truth value"),
        pytest.param({"interval": 5}, id="a field there is not"),
    ],
)
def test_terms_are_refused_with(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Terms.model_validate(wrong)


@pytest.mark.parametrize(
    ("terms", "serves", "problem"),
    [
        pytest.param(Terms(), False, None, id="what is not installed may be heard of"),
        pytest.param(Terms(source=NPM), True, None, id="another registry may be heard of"),
        pytest.param(Terms(action=Action.UPDATE), True, None, id="what serves may be updated"),
        pytest.param(Terms(action=Action.PLAN), False, NotInstalled, id="what is not installed is not planned"),
        pytest.param(Terms(action=Action.UPDATE), False, NotInstalled, id="what is not installed is not updated"),
        pytest.param(Terms(action=Action.UPDATE, source=NPM), True, NotAllowed, id="no update goes to another registry"),
    ],
)
def test_a_watch(terms: Terms, *, serves: bool, problem: type[PipelineError] | None) -> None:
    if problem is None:
        may_watch(SPOT, terms, serves=serves)
        assert terms.enabled
    else:
        with pytest.raises(problem, match=f"{terms.action.value}"):
            may_watch(SPOT, terms, serves=serves)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param({}, Terms(source=NPM, version="^1"), id="nothing"),
        pytest.param({"enabled": False}, Terms(source=NPM, version="^1", enabled=False), id="only what was said"),
        pytest.param({"source": None, "version": "*"}, Terms(), id="back to what it is by itself"),
    ],
)
def test_terms_are_changed_by(said: dict[str, Any], expected: Terms) -> None:
    assert Terms(source=NPM, version="^1").changed(Terms.model_validate(said)) == expected


def test_one_spot_has_one_watch() -> None:
    known = Watch(UUID(int=1), SPOT, Terms(version="^1"), "ann", "security", 1, 1)
    assert same_watch(known, Terms(version="^1")) is known
    with pytest.raises(AlreadyWatched, match="acme/dev/@a/b has the watch"):
        same_watch(known, Terms(version="^2"))
