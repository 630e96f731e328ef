"""The plan as a value, and its document as one text with a part that is agreed to."""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blocks.domain.errors import Refused
from blocks.domain.objects.blueprint import Serving
from blocks.domain.objects.labels import stamped
from blocks.domain.objects.phases import every, phases
from blocks.domain.plan import (
    compose_plan,
    count_changes,
    describe_revision,
    exact,
    hash_plan,
    read_document,
    read_hashed,
    write_document,
)
from blocks.domain.planned import steps_of
from tests.blocks.domain.objects.blueprints import make_blueprint
from tests.blocks.domain.plans import DONE, VERDICT, make_hashed

OPERATION = UUID(int=7)


def with_another(value: Any, path: tuple[Any, ...]) -> Any:
    """The value with something else in one place."""
    if not path:
        return f"{value} and more"
    key, *rest = path
    if isinstance(value, dict):
        return value | {key: with_another(value[key], tuple(rest))}
    return [with_another(one, tuple(rest)) if at == key else one for at, one in enumerate(value)]


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every field that has no fields of its own."""
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    inner = [leaf for key, one in below for leaf in leaves(one, (*path, key))]
    yield from inner or [path]


@pytest.mark.parametrize("runtime", ["backend", "frontend", "service"])
def test_the_document_holds_every_object(runtime: str) -> None:
    document = write_document(make_hashed(runtime), DONE)
    assert every(read_document(document)) == every(phases(make_blueprint(runtime)))


def test_the_objects_are_read_as_the_operation_makes_them() -> None:
    document = write_document(make_hashed(), DONE)
    planned = every(phases(make_blueprint("service")))
    assert every(read_document(document, OPERATION)) == [stamped(one, OPERATION) for one in planned]


def test_a_document_of_an_earlier_make_still_gives_its_objects_and_nothing_else() -> None:
    hashed = make_hashed()
    old = json.dumps({"schema": 1, "phases": hashed["phases"]})
    assert every(read_document(old)) == every(phases(make_blueprint("service")))
    with pytest.raises(Refused, match="an earlier version"):
        read_hashed(old)


def test_what_is_agreed_to_is_read_back_as_it_was() -> None:
    hashed = make_hashed("backend", config={"a": {"b": [1, None, True]}})
    assert read_hashed(write_document(hashed, DONE)) == hashed


def test_one_plan_has_one_hash_whatever_is_shown_beside_it() -> None:
    hashed = make_hashed()
    reordered = dict(reversed([*hashed.items()]))
    plans = [compose_plan(one, DONE | {"summary": summary}, "key") for one, summary in ((hashed, "a"), (reordered, "b"))]
    assert plans[0].hash == plans[1].hash == hash_plan(hashed)


def test_each_field_of_what_is_agreed_to_changes_the_hash() -> None:
    hashed = make_hashed("backend", environment="prod", config={"a": 1})
    hashed |= {"live": {"Service/x": {"spec": {"type": "ClusterIP"}}, "Role/x": None}, "data": "stays"}
    changed = {path: hash_plan(with_another(hashed, path)) for path in leaves(hashed)}
    assert len(changed) > 300
    assert hash_plan(hashed) not in changed.values()
    assert len({*changed.values()}) == len(changed)


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_what_was_typed_is_hashed_and_comes_back(config: Any) -> None:
    """Whatever JSON a person puts into the configuration; only numbers beyond 2^53 are kept as text."""
    hashed = exact({"inputs": {"request": {"config": config}}})
    assert read_hashed(write_document(hashed, DONE)) == hashed
    assert hash_plan(hashed) == hash_plan(json.loads(json.dumps(hashed)))


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (2**60, str(2**60)),
        (2**53 - 1, 2**53 - 1),
        (True, True),
        ((1, "a"), [1, "a"]),
        ({"a": [-(2**60)]}, {"a": [str(-(2**60))]}),
    ],
    ids=["too big for JSON", "just small enough", "a truth is no number", "a tuple is a list", "below"],
)
def test_numbers_that_canonical_json_cannot_hold_are_kept_as_text(value: Any, kept: Any) -> None:
    assert exact(value) == kept


def test_the_plan_is_small_and_names_what_it_makes() -> None:
    hashed = make_hashed("backend")
    shown = DONE | {"steps": [asdict(one) for one in steps_of(hashed)], "changes": [{"action": "create"}, {"action": "keep"}]}
    plan = compose_plan(hashed, shown, "sha256:key")
    assert (plan.document, plan.name, plan.database) == ("sha256:key", "backstage-plugin-proxy-backend-r1", "p_0000000000000000")
    assert {"Namespace/default-dev", "Deployment/backstage-plugin-proxy-backend-r1", f"Secret/{plan.database_secret}"} <= {
        *plan.objects
    }
    assert (plan.verb, plan.target, plan.integrity, plan.changes) == (
        "install",
        "@backstage/plugin-proxy-backend@1.2.3",
        "sha512-abc",
        1,
    )
    assert plan.steps == steps_of(hashed)


def test_a_plugin_without_a_database_names_no_secret() -> None:
    plan = compose_plan(make_hashed("service"), DONE, "key")
    assert plan.database == ""
    assert not [one for one in plan.objects if one.startswith("Secret/")]


def test_no_probe_is_no_path() -> None:
    blueprint = replace(make_blueprint("service"), serving=Serving(8080, "", "", "/hello"))
    plan = compose_plan(make_hashed() | describe_revision(blueprint, "", VERDICT), DONE, "key")
    assert (plan.liveness, plan.readiness, plan.release) == ("", "", "/hello")


def test_what_stays_is_no_change() -> None:
    assert count_changes([{"action": one} for one in ("create", "keep", "change", "remove")]) == 3
