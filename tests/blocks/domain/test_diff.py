"""Two states of an object as the fields that differ; what only the server or our own stamp puts in is no difference."""

from typing import Any

import pytest

from blocks.domain.diff import HIDDEN, Change, bare, changes, differences, project

STAMPED = {"labels": {"app": "a", "plugin-pipeline.io/operation": "one"}}


def deployment(**container: Any) -> dict[str, Any]:
    return {"kind": "Deployment", "spec": {"replicas": 1, "template": {"containers": [{"name": "plugin", **container}]}}}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param({"a": 1}, {"a": 1}, [], id="the same is no change"),
        pytest.param({"a": 1}, {"a": 2}, [("a", 1, 2)], id="a field that changed"),
        pytest.param({"a": 1}, {}, [("a", 1, None)], id="a field that went"),
        pytest.param({}, {"a": {"b": 1}}, [("a.b", None, 1)], id="what is new is told field by field"),
        pytest.param({"a": {"b": 1}}, {"a": None}, [("a.b", 1, None)], id="what went is told field by field"),
        pytest.param({}, {"a": {}}, [("a", None, {})], id="nothing in braces is something"),
        pytest.param({"a": {"b": 1}}, {"a": "b"}, [("a", {"b": 1}, "b")], id="another form is told whole"),
        pytest.param(
            {}, {"a": [{"name": "x", "b": 1}]}, [("a[x].name", None, "x"), ("a[x].b", None, 1)], id="a list that is new"
        ),
        pytest.param({"a": [1, 2]}, {"a": [2]}, [("a", [1, 2], [2])], id="a plain list is told whole"),
        pytest.param({"a": []}, {"a": []}, [], id="two empty lists are the same"),
        pytest.param({"a": []}, {"a": [{"name": "x"}]}, [("a[x]", None, {"name": "x"})], id="an item that came is told whole"),
        pytest.param({"a": [{"x": 1}]}, {"a": [{"x": 2}]}, [("a[0].x", 1, 2)], id="items without names go by their place"),
        pytest.param(
            {"a": [{"port": 1}, {"port": 1}]}, {"a": [{"port": 1}]}, [("a[1]", {"port": 1}, None)], id="a name twice is no name"
        ),
        pytest.param(
            {"a": [{"name": "x", "v": 1}, {"name": "y"}]},
            {"a": [{"name": "y"}, {"name": "x", "v": 2}]},
            [("a[x].v", 1, 2)],
            id="order",
        ),
        pytest.param(
            {"a/b": 1, "c": {"d.e": 1}}, {}, [("[a/b]", 1, None), ("c[d.e]", 1, None)], id="keys with dots are bracketed"
        ),
        pytest.param({"f": '{"a": 1}'}, {"f": '{"a": 2}'}, [("f.a", 1, 2)], id="a file of JSON is looked into"),
        pytest.param({"f": "{"}, {"f": '{"a": 2}'}, [("f", "{", '{"a": 2}')], id="a file of something else is not"),
        pytest.param({"f": "x"}, {"f": "y"}, [("f", "x", "y")], id="plain text is told whole"),
    ],
)
def test_differences(before: Any, after: Any, expected: list[tuple[str, Any, Any]]) -> None:
    assert [*differences(before, after)] == [Change(*one) for one in expected]


def test_a_container_is_found_by_its_name() -> None:
    before, after = deployment(image="a@1"), deployment(image="a@2")
    assert changes(before, after) == (Change("spec.template.containers[plugin].image", "a@1", "a@2"),)


@pytest.mark.parametrize(
    "noise",
    [
        {"status": {"phase": "Active"}},
        {
            "metadata": STAMPED
            | {"uid": "u", "resourceVersion": "7", "generation": 3, "managedFields": [], "creationTimestamp": "now"}
        },
        {"metadata": {"labels": {"app": "a", "plugin-pipeline.io/operation": "two"}}},
        {"metadata": {"labels": {"app": "a"}, "annotations": None}},
        {
            "metadata": STAMPED
            | {"annotations": {"plugin-pipeline.io/installation": "x", "deployment.kubernetes.io/revision": "4"}}
        },
    ],
    ids=["status", "the server's own", "another operation", "no annotations", "makers and notes of tools"],
)
def test_noise_is_no_change(noise: dict[str, Any]) -> None:
    assert changes({"metadata": STAMPED} | noise, {"metadata": STAMPED}) == ()


def test_a_reload_is_no_change() -> None:
    before, after = ({"spec": {"annotations": {"a": "b"} | marks}} for marks in ({}, {"plugin-pipeline.io/reloaded-by": "one"}))
    assert changes(before, after) == changes(after, before) == ()


def test_a_value_of_a_secret_is_never_shown() -> None:
    def secret(**data: str) -> dict[str, Any]:
        return {"kind": "Secret", "type": "Opaque", "data": data}

    told = changes(secret(a="sesame", b="same"), secret(a="open", b="same", c="new") | {"type": "other"})
    assert told == (Change("type", "Opaque", "other"), Change("data.a", HIDDEN, HIDDEN), Change("data.c", None, HIDDEN))


def test_what_comes_and_what_goes_is_told_field_by_field() -> None:
    assert [one.path for one in changes(None, {"kind": "Role", "rules": [1]})] == ["kind", "rules"]
    assert [one.after for one in changes({"kind": "Role"}, None)] == [None]


def test_what_has_no_metadata_stays_as_it_is() -> None:
    assert bare({"a": 1}) == {"a": 1}


def test_looking_at_what_we_own_leaves_the_rest_out() -> None:
    live = {"spec": {"replicas": 3, "paused": True, "list": [{"a": 1, "default": 2}]}, "kind": "Deployment"}
    shape = {"spec": {"replicas": 1, "strategy": {"type": "x"}, "empty": {}, "list": [{"a": 1}]}}
    assert project(live, shape) == {
        "spec": {"replicas": 3, "strategy": {"type": None}, "empty": None, "list": [{"a": 1, "default": 2}]}
    }
