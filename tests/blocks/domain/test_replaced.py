"""What a revision replaces, what is left over of it, and what stands of both."""

import copy
import json
from typing import Any

import pytest

from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.names import Name
from blocks.domain.objects.phases import every
from blocks.domain.plan import objects_of
from blocks.domain.replaced import Replaced, is_revisioned, is_same, left_over, read_replaced, renumbered, see_live
from tests.blocks.domain.plans import make_hashed, make_replaced, make_revision

EGRESS = [{"cidr": "192.0.2.0/24", "port": 443}]


def by_name(objects: list[Object]) -> dict[Name, Object | None]:
    return {Name.of(one): copy.deepcopy(one) for one in objects}


def test_nothing_is_replaced_at_first() -> None:
    assert Replaced().objects == []
    assert not is_same(make_revision(), Replaced())


def test_a_plan_of_an_earlier_make_can_be_replaced_and_compared_with_nothing() -> None:
    old = json.dumps({"schema": 1, "phases": make_hashed()["phases"]})
    replaced = read_replaced((1, "hello@1.2.3", "op"), "key", old)
    assert (replaced.hashed, replaced.operation, len(replaced.objects)) == ({}, "op", 16)


@pytest.mark.parametrize(
    ("name", "own"),
    [
        (Name("Deployment", "x", "hello-r12"), True),
        (Name("Service", "x", "hello"), False),
        (Name("Service", "x", "hello-rx"), False),
        (Name("Role", "x", "hello-r1"), False),
        (Name("ConfigMap", "x", "other-r1"), False),
    ],
    ids=str,
)
def test_an_object_of_one_revision_is_known_by_its_name(name: Name, *, own: bool) -> None:
    assert is_revisioned(name, "hello") is own


def test_what_only_the_revision_before_had_is_left_over_but_not_the_revision_itself() -> None:
    before = make_replaced(egress=EGRESS).objects
    after = every(objects_of(make_hashed(revision=2)))
    assert [Name.of(one).short for one in left_over(before, after, "hello")] == ["NetworkPolicy/hello-egress"]


def test_another_number_is_no_other_revision() -> None:
    first, second = (make_revision(revision=number) for number in (1, 2))
    assert renumbered(first, "hello", (1, 2))["phases"] == second["phases"]
    assert is_same(second, make_replaced())


@pytest.mark.parametrize(
    "asked",
    [{"replicas": 2}, {"config": {"a": 1}}, {"egress": EGRESS}, {"dependsOn": ["other"]}],
    ids=lambda one: next(iter(one)),
)
def test_another_wish_is_another_revision(asked: dict[str, Any]) -> None:
    assert not is_same(make_revision(revision=2, **asked), make_replaced())


def test_how_it_was_asked_for_makes_no_other_revision() -> None:
    assert is_same(make_revision(revision=2, options={"priority": 9}), make_replaced())


def test_another_release_of_the_same_content_is_another_revision() -> None:
    revision = make_revision(revision=2)
    revision["inputs"]["release"]["integrity"] = "sha512-other"
    assert not is_same(revision, make_replaced())


def test_of_what_is_not_there_nothing_is_seen() -> None:
    planned = every(objects_of(make_hashed()))
    seen = see_live(planned, (), {})
    assert set(seen.values()) == {None}
    assert "Namespace/default-dev" not in seen


def test_only_what_is_ours_is_seen() -> None:
    planned = every(objects_of(make_hashed()))
    live = by_name(planned)
    before = see_live(planned, (), live)
    route = next(one for name, one in live.items() if name.kind == "HTTPRoute" and one)
    route |= {"status": {"parents": []}}
    route["metadata"] |= {"uid": "u", "resourceVersion": "9", "labels": route["metadata"]["labels"] | {"theirs": "x"}}
    assert see_live(planned, (), live) == before
    route["spec"]["hostnames"] = ["elsewhere"]
    assert see_live(planned, (), live)["HTTPRoute/hello"]["spec"]["hostnames"] == ["elsewhere"]


def test_what_will_be_taken_away_is_seen_too() -> None:
    served = make_replaced(egress=EGRESS)
    planned = every(objects_of(make_hashed(revision=2)))
    seen = see_live(planned, served.objects, by_name(served.objects))
    assert seen["NetworkPolicy/hello-egress"]["spec"]["policyTypes"] == ["Egress"]
    assert seen["Deployment/hello-r1"]["spec"]["replicas"] == 1
    assert seen["Deployment/hello-r2"] is None


def test_what_plugins_share_is_seen_only_where_it_is_not_as_planned() -> None:
    planned = every(objects_of(make_hashed()))
    live = by_name(planned)
    assert "ResourceQuota/quota" not in see_live(planned, (), live)
    quota = next(one for name, one in live.items() if name.kind == "ResourceQuota" and one)
    quota["spec"]["hard"]["pods"] = "1"
    assert see_live(planned, (), live)["ResourceQuota/quota"] == {"spec.hard.pods": "1"}
