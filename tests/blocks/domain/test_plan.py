"""The plan as a value and its document as one text."""

import json
from dataclasses import replace
from typing import Any

import pytest

from blocks.domain.objects.blueprint import Serving
from blocks.domain.objects.phases import every, phases
from blocks.domain.plan import compose_plan, read_document, write_document
from tests.blocks.domain.objects.blueprints import make_blueprint

VERDICT: dict[str, Any] = {"admitted_by": ("every scanner answered",), "counts": ()}


@pytest.mark.parametrize("runtime", ["backend", "frontend", "service"])
def test_the_document_holds_every_object(runtime: str) -> None:
    blueprint = make_blueprint(runtime)
    assert every(read_document(write_document(blueprint, VERDICT))) == every(phases(blueprint))


def test_one_plan_has_one_text() -> None:
    reordered = dict(reversed([*VERDICT.items()]))
    assert write_document(make_blueprint(), VERDICT) == write_document(make_blueprint(), reordered)


@pytest.mark.parametrize("changed", [{"replicas": 2}, {"config": {"a": 1}}, {"tenant": "other"}], ids=lambda one: next(iter(one)))
def test_another_wish_is_another_plan(changed: dict[str, Any]) -> None:
    def hashed(**asked: Any) -> str:
        blueprint = make_blueprint(**asked)
        return compose_plan(blueprint, write_document(blueprint, VERDICT), "key").hash

    assert hashed(**changed) != hashed()


def test_numbers_that_canonical_json_cannot_hold_are_kept_as_text() -> None:
    text = write_document(make_blueprint(config={"big": 2**60, "small": 1, "yes": True}), VERDICT)
    assert json.loads(text)["inputs"]["request"]["config"] == {"big": str(2**60), "small": 1, "yes": True}


def test_the_plan_is_small_and_names_what_it_makes() -> None:
    blueprint = make_blueprint("backend")
    plan = compose_plan(blueprint, write_document(blueprint, VERDICT), "sha256:key")
    assert (plan.document, plan.name, plan.database) == ("sha256:key", "backstage-plugin-proxy-backend-r1", "p_0000000000000000")
    assert {"Namespace/default-dev", "Deployment/backstage-plugin-proxy-backend-r1", f"Secret/{plan.database_secret}"} <= {
        *plan.objects
    }
    assert [(one.name, one.undo) for one in plan.steps] == [
        ("provision_namespace", "reversible"),
        ("provision_database", "compensatable"),
        ("roll_out", "compensatable"),
        ("verify", "needless"),
    ]


def test_a_plugin_without_a_database_plans_none() -> None:
    blueprint = make_blueprint("service")
    plan = compose_plan(blueprint, write_document(blueprint, VERDICT), "key")
    assert plan.database == ""
    assert "provision_database" not in [one.name for one in plan.steps]
    assert not [one for one in plan.objects if one.startswith("Secret/")]


def test_no_probe_is_no_path() -> None:

    blueprint = replace(make_blueprint("service"), serving=Serving(8080, "", "", "/hello"))
    plan = compose_plan(blueprint, write_document(blueprint, VERDICT), "key")
    assert (plan.liveness, plan.readiness, plan.release) == ("", "", "/hello")
