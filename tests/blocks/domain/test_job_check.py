"""What a request may say of a Job that measures; what is wrong is named in a sentence."""

from typing import Any

import pytest
from pydantic import ValidationError

from blocks.domain.analysis import Analysis, Metric

IMAGE = f"registry.test:5000/checks/basket@sha256:{'a' * 64}"
BASKET: dict[str, Any] = {"name": "basket", "job": {"image": IMAGE}}


def asked(said: dict[str, Any] | None = None, **job: Any) -> dict[str, Any]:
    """The Job with something else said of it."""
    return BASKET | {"job": BASKET["job"] | job} | (said or {})


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(BASKET, id="an image alone"),
        pytest.param(asked(args=["--deep", ""], deadline=300), id="with arguments and a deadline"),
        pytest.param(asked({"failureLimit": 2, "dryRun": True}), id="its own limit, only reported"),
        pytest.param(asked(image=f"localhost/basket@sha256:{'a' * 64}"), id="a registry on the same machine"),
        pytest.param(asked(image=f"registry.test/a/b-c_d@sha256:{'a' * 64}"), id="a registry with a dot"),
    ],
)
def test_what_was_asked_for_is_read_as_it_was_told(said: dict[str, Any]) -> None:
    found = Analysis.model_validate({"metrics": [said]})
    assert Analysis.model_validate_json(found.model_dump_json(by_alias=True)) == found
    assert not found.asks_revision


def test_a_stage_waits_for_those_that_count() -> None:
    others = [{"name": "errors", "query": "x", "max": 1}, asked({"name": "tried", "dryRun": True})]
    found = Analysis.model_validate({"metrics": [BASKET, *others]})
    assert found.awaited == ("basket",)
    assert found.sentence.endswith(", the Job basket and errors too")


def test_what_is_no_job_says_nothing_of_one() -> None:
    """Or the plans of what serves would have other hashes."""
    told = Metric(name="errors", query="x", max=1).model_dump(mode="json", by_alias=True)
    assert "job" not in told
    assert {"http", "query"}.isdisjoint(Metric.model_validate(BASKET).model_dump(mode="json", by_alias=True))


@pytest.mark.parametrize(
    ("said", "message"),
    [
        pytest.param(asked({"query": "x"}), "say what basket asks, either in query, in http or in job", id="a query beside it"),
        pytest.param(asked({"http": {"path": "/"}}), "either in query, in http or in job", id="an HTTP check beside it"),
        pytest.param(asked({"args": {"code": "5"}}), "a Job has none", id="arguments of a query"),
        pytest.param(asked({"max": 1}), "a Job says by its exit code whether the revision is good", id="a bound"),
        pytest.param(asked(image="registry.test/basket:1.0"), "should match pattern", id="a tag"),
        pytest.param(asked(image="registry.test/basket"), "should match pattern", id="no digest"),
        pytest.param(asked(image=f"library/basket@sha256:{'a' * 64}"), "should match pattern", id="nobody's registry"),
        pytest.param(asked(image=f"basket@sha256:{'a' * 64}"), "should match pattern", id="no registry"),
        pytest.param(asked(image=f"{IMAGE} "), "should match pattern", id="a space"),
        pytest.param(asked(deadline=0), "greater than or equal to 1", id="no time"),
        pytest.param(
            asked(deadline=301), "a stage is prolonged by 300 s at most, and basket may take longer", id="too much time"
        ),
        pytest.param(asked(command=["sh"]), "Extra inputs", id="what is not known"),
    ],
)
def test_what_is_wrong_is_named(said: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Analysis.model_validate({"metrics": [said]})
