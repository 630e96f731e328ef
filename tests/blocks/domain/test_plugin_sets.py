"""Sets of plugins: what is refused, and the order in which they are installed."""

from typing import Any

import pytest
from pydantic import ValidationError

from blocks.domain.errors import Needed
from blocks.domain.plugin_sets import SetRequest, count_stages, hash_together, put_in_order
from tests.builders import make_request

STAGES = {"strategy": "canary", "strategyConfig": {"stages": "20,60,100", "stageInterval": "1"}}


def plugin(name: str, *needs: str, **changes: Any) -> dict[str, Any]:
    """A plugin of a set."""
    return {"plugin": {"name": name, "runtime": {"type": "frontend"}}, "dependsOn": needs} | changes


def make_set(*plugins: object, **changes: Any) -> SetRequest:
    """A set of these plugins."""
    return SetRequest.model_validate({"name": "search", "plugins": plugins} | changes)


def test_what_a_plugin_does_not_say_the_set_says() -> None:
    wanted = make_set(plugin("a"), plugin("b"), tenant="acme", environment="prod")
    assert {(one.tenant, one.environment) for one in wanted.plugins} == {("acme", "prod")}
    assert SetRequest.model_validate(wanted.model_dump(by_alias=True)) == wanted


@pytest.mark.parametrize(
    ("body", "told"),
    [
        pytest.param({"plugins": [plugin("a")]}, "at least 2 items", id="one alone"),
        pytest.param({"plugins": [plugin("a"), plugin("a")]}, "a is named more than once", id="twice"),
        pytest.param({"plugins": [plugin("a"), plugin("b", tenant="b")]}, "b is not for default/dev", id="of another tenant"),
        pytest.param({"plugins": [plugin("a"), plugin("b", **STAGES)]}, "a has 1, b has 3", id="other stages"),
        pytest.param({"plugins": [plugin("a"), "b"]}, "plugins.1", id="no plugin"),
        pytest.param({"plugins": "ab"}, "plugins", id="no list"),
        pytest.param([], "dictionary", id="no set"),
    ],
)
def test_what_is_no_set_is_refused(body: Any, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        SetRequest.model_validate(body | {"name": "search"} if isinstance(body, dict) else body)


def test_stages_are_those_that_an_update_goes_through() -> None:
    assert [count_stages(make_request(**said)) for said in ({}, STAGES, {"strategy": "blue-green"})] == [1, 3, 1]


def order(*plugins: dict[str, Any], serving: frozenset[str] = frozenset()) -> list[str]:
    """The names in their order."""
    return [one.plugin.name for one in put_in_order(make_set(*plugins).plugins, serving)]


def test_what_is_needed_comes_first_and_else_it_is_as_written() -> None:
    assert order(plugin("b"), plugin("a"), plugin("c")) == ["b", "a", "c"]
    assert order(plugin("a", "b"), plugin("b", "c"), plugin("c", "d"), serving=frozenset({"d"})) == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("plugins", "told"),
    [
        pytest.param([plugin("a", "y"), plugin("b", "x")], "x, y must serve first", id="nowhere"),
        pytest.param([plugin("a", "b"), plugin("b", "a")], "a, b need each other in a circle", id="a circle"),
        pytest.param([plugin("a", "a"), plugin("b")], "a need each other", id="itself"),
    ],
)
def test_what_cannot_be_put_in_order_is_named(plugins: list[dict[str, Any]], told: str) -> None:
    with pytest.raises(Needed, match=told):
        order(*plugins)


def test_another_plan_is_another_set_to_agree_to() -> None:
    hashes = {hash_together(plans) for plans in (["a", "b"], ["b", "a"], ["a"], ["a", "c"])}
    assert len(hashes) == 4
    assert hash_together(["a", "b"]) == hash_together(("a", "b"))
