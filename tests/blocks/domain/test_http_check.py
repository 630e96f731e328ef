"""What a request may say of an HTTP check; what is wrong is named in a sentence."""

from typing import Any

import pytest
from pydantic import ValidationError

from blocks.domain.analysis import Analysis, Metric

READY: dict[str, Any] = {"name": "ready", "http": {"path": "/ready"}}


def asked(said: dict[str, Any] | None = None, **http: Any) -> dict[str, Any]:
    """The check with something else said of it."""
    return READY | {"http": READY["http"] | http} | (said or {})


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(READY, id="a path alone"),
        pytest.param(asked(path="/"), id="the shortest path"),
        pytest.param(asked(path="/a/b?deep=1&x=%20"), id="a path with a question"),
        pytest.param(asked(status=[200, 204], timeout=0.5), id="two statuses, half a second"),
        pytest.param(asked(field="checks.0.state", equals="up"), id="a field that equals a text"),
        pytest.param(asked(field="ok", equals=True), id="or true"),
        pytest.param(asked(field="ok", equals=3), id="or a number"),
        pytest.param(asked({"max": 10}, field="queue.depth"), id="a field with a bound"),
        pytest.param(asked({"failureLimit": 2, "dryRun": True}), id="its own limit, only reported"),
    ],
)
def test_what_was_asked_for_is_read_as_it_was_told(said: dict[str, Any]) -> None:
    found = Analysis.model_validate({"metrics": [said]})
    assert Analysis.model_validate_json(found.model_dump_json(by_alias=True)) == found
    assert found.asks_revision
    assert not Analysis.model_validate({"enabled": False, "metrics": [said]}).asks_revision


def test_what_only_one_kind_has_is_not_told_of_the_other() -> None:
    """Or the plans of what serves would have other hashes."""
    told = Metric(name="errors", query="x", max=1).model_dump(mode="json", by_alias=True)
    assert (told["query"], "http" in told) == ("x", False)
    assert "query" not in Metric.model_validate(READY).model_dump(mode="json", by_alias=True)
    assert not Analysis.model_validate({"metrics": [{"name": "errors", "query": "x", "max": 1}]}).asks_revision


@pytest.mark.parametrize(
    ("said", "message"),
    [
        pytest.param({"name": "ready", "max": 1}, "say what ready asks, either in query, in http or in job", id="nothing"),
        pytest.param(asked({"query": "x", "max": 1}), "say what ready asks, either in query, in", id="both"),
        pytest.param(asked({"args": {"code": "5"}}), "an HTTP check has none", id="arguments"),
        pytest.param(asked(path="ready"), "should match pattern", id="a path that is none"),
        pytest.param(asked(path="http://elsewhere/"), "should match pattern", id="another host"),
        pytest.param(asked(path="//elsewhere/"), "should match pattern", id="another host without a scheme"),
        pytest.param(asked(path="/a b"), "should match pattern", id="a space"),
        pytest.param(asked(path="/a#b"), "should match pattern", id="a part that is never sent"),
        pytest.param(asked(path="/" + "a" * 201), "should match pattern", id="too long a path"),
        pytest.param(asked(status=[]), "at least 1 item", id="no status"),
        pytest.param(asked(status=[99]), "greater than or equal to 100", id="no such status"),
        pytest.param(asked(status=["200"]), "valid integer", id="a status in quotes"),
        pytest.param(asked(timeout=11), "less than or equal to 10", id="too long a wait"),
        pytest.param(asked(timeout=5.1), "at most half of the interval, 5 s", id="too long a wait between two samples"),
        pytest.param(asked(method="POST"), "not permitted", id="another method"),
        pytest.param(asked(field="a..b", equals=1), "should match pattern", id="a field without a name"),
        pytest.param(asked(field="ok"), "say in http.equals, min or max what ok must be", id="a field and nothing of it"),
        pytest.param(asked(equals=1), "equals is about a field", id="a value of nothing"),
        pytest.param(asked({"min": 1}), "min and max are about a field", id="a bound of nothing"),
        pytest.param(asked({"min": 1}, field="ok", equals=1), "either what the field equals", id="a value and a bound"),
        pytest.param(asked(field="ok", equals=[1]), "a text, a number, true or false", id="a list"),
        pytest.param(asked(field="ok", equals=float("inf")), "a number that is finite", id="no end"),
        pytest.param(asked(field="ok", equals="x" * 201), "at most 200 characters", id="too long a text"),
    ],
)
def test_refused_is(said: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Analysis.model_validate({"metrics": [said]})


def test_people_read_its_name() -> None:
    assert Analysis.model_validate({"metrics": [READY]}).sentence == "0.99 of the answers are good, ready too"
