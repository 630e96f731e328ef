"""What people read of a plan, object by object and in one line."""

import copy
from typing import Any

import pytest

from blocks.domain.agreed import agree_on
from blocks.domain.diff import Change
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.names import Name
from blocks.domain.packages import Moved
from blocks.domain.replaced import Replaced
from blocks.domain.shown import (
    ObjectChange,
    Seen,
    as_shown,
    created,
    summarize,
    tell_changes,
    tell_packages,
    tell_secret,
    tell_traffic,
    warn,
)
from tests.blocks.domain.plans import as_new, as_served, make_hashed, make_replaced, make_revision

EGRESS = [{"cidr": "192.0.2.0/24", "port": 443}]


def update(replaced: Replaced, verb: str = "update", *, revision: int = 2, **asked: Any) -> dict[str, Any]:
    return agree_on(make_revision(revision=revision, **asked), replaced, verb, ())


def told(hashed: dict[str, Any], replaced: Replaced, seen: dict[Name, Seen]) -> dict[str, ObjectChange]:
    return {one.object: one for one in tell_changes(hashed, replaced, seen)}


def live_of(seen: dict[Name, Seen], short: str) -> Object:
    name = next(one for one in seen if one.short == short)
    seen[name] = Seen(copy.deepcopy(seen[name].live), seen[name].after)
    found = seen[name].live
    assert found is not None
    return found


def test_at_first_everything_is_new_and_said_as_it_would_stand() -> None:
    hashed = make_hashed()
    seen = as_new(hashed)
    name = Name("Service", "default-dev", "hello")
    seen[name] = Seen(None, (seen[name].after or {}) | {"status": {"loadBalancer": {}}})
    found = told(hashed, Replaced(), seen)
    assert {one.action for one in found.values()} == {"create"}
    assert Change("spec.type", None, "ClusterIP") in found["Service/hello"].fields
    assert not [one for one in found["Service/hello"].fields if one.path.startswith("status")]


def test_an_update_compares_the_new_revision_with_the_one_that_serves() -> None:
    served = make_replaced(config={"a": 1}, egress=EGRESS)
    hashed = update(served, config={"a": 2})
    found = told(hashed, served, as_served(served, hashed))
    assert found["ConfigMap/hello-r2"] == ObjectChange(
        "ConfigMap/hello-r2", "create", "ConfigMap/hello-r1", (Change("data[config.json].a", 1, 2),)
    )
    assert found["Deployment/hello-r1"].fields == (Change("spec.replicas", 1, 0),)
    assert found["NetworkPolicy/hello-egress"].action == "remove"
    assert found["Namespace/default-dev"] == ObjectChange("Namespace/default-dev", "keep", "", ())
    assert [one.path for one in found["HTTPRoute/hello"].fields][-2:] == [
        "spec.rules[0].backendRefs[hello-r1]",
        "spec.rules[0].backendRefs[hello-r2]",
    ]


def test_what_is_gone_already_is_not_taken_away_again() -> None:
    served = make_replaced(egress=EGRESS)
    hashed = update(served)
    seen = as_served(served, hashed)
    seen |= {name: Seen(None, one.after) for name, one in seen.items() if name.name in ("hello-egress", "hello-r1")}
    found = told(hashed, served, seen)
    assert not {"NetworkPolicy/hello-egress", "Deployment/hello-r1"} & found.keys()


def test_a_revision_that_sleeps_already_does_not_change() -> None:
    served = make_replaced()
    hashed = update(served)
    seen = as_served(served, hashed)
    live_of(seen, "Deployment/hello-r1")["spec"]["replicas"] = 0
    assert "Deployment/hello-r1" not in told(hashed, served, seen)


def test_the_way_back_wakes_a_revision_and_says_how_it_differs_from_what_serves() -> None:
    served = make_replaced(revision=2, replicas=3)
    hashed = update(served, "rollback", revision=1)
    seen = as_served(served, hashed) | {
        name: Seen(copy.deepcopy(one.after), one.after) for name, one in as_new(hashed).items() if name.name == "hello-r1"
    }
    live_of(seen, "Deployment/hello-r1")["spec"]["replicas"] = 0
    found = told(hashed, served, seen)["Deployment/hello-r1"]
    assert (found.action, found.compared) == ("change", "Deployment/hello-r2")
    assert found.fields == (Change("spec.replicas", 0, 1), Change("spec.replicas", 3, 1))


def test_where_there_is_nothing_to_do_everything_stays() -> None:
    served = make_replaced()
    hashed = update(served, revision=1)
    found = told(hashed, served, as_served(served, hashed))
    assert {one.action for one in found.values()} == {"keep"}
    assert summarize(hashed, found.values(), 0) == "nothing to do: hello 1.2.3 serves default/dev as asked for"


def test_the_database_secret_is_told_without_its_value() -> None:
    new, old = tell_secret("it-database", there=False), tell_secret("it-database", there=True)
    assert (new.action, old.action, new.fields) == ("create", "keep", ())
    assert created([new, old]) == [{"kind": "Secret", "metadata": {"name": "it-database"}}]


@pytest.mark.parametrize(
    ("replaced", "revision", "weights"),
    [
        pytest.param(Replaced(), 1, [{}, {"hello-r1": 0}, {"hello-r1": 100}], id="an install"),
        pytest.param(
            make_replaced(), 2, [{"hello-r1": 100}, {"hello-r1": 100, "hello-r2": 0}, {"hello-r2": 100}], id="an update"
        ),
        pytest.param(make_replaced(), 1, [], id="nothing to do"),
    ],
)
def test_traffic_is_told_step_by_step(replaced: Replaced, revision: int, weights: list[dict[str, int]]) -> None:
    assert [one["weights"] for one in tell_traffic(update(replaced, revision=revision))] == weights


@pytest.mark.parametrize(
    ("replaced", "revision", "shares"),
    [
        pytest.param(
            make_replaced(),
            2,
            [("route_stage:1", {"hello-r1": 75, "hello-r2": 25}), ("route_stage:2", {"hello-r2": 100})],
            id="of an update rises",
        ),
        pytest.param(Replaced(), 1, [("route_stage:1", {"hello-r1": 100})], id="of a first revision is all"),
    ],
)
def test_the_share_of_a_canary(replaced: Replaced, revision: int, shares: list[tuple[str, dict[str, int]]]) -> None:
    canary = {"strategy": "canary", "strategyConfig": {"stages": "25,100"}}
    _, _, *staged = tell_traffic(update(replaced, "update" if replaced.number else "install", revision=revision, **canary))
    assert [(one["step"], one["weights"]) for one in staged] == shares


def test_whom_a_revision_meets_beside_its_share_is_told() -> None:
    stages: list[Any] = [{"weight": 0, "mirror": True}, {"weight": 25, "header": {"name": "x-beta", "value": "1"}}, 100]
    _, _, *staged = tell_traffic(
        update(make_replaced(), "update", revision=2, strategy="canary", strategyConfig={"stages": stages})
    )
    assert staged == [
        {"step": "route_stage:1", "weights": {"hello-r1": 100, "hello-r2": 0}, "also": "a copy of every request to hello-r2"},
        {"step": "route_stage:2", "weights": {"hello-r1": 75, "hello-r2": 25}, "also": "requests with x-beta: 1 to hello-r2"},
        {"step": "route_stage:3", "weights": {"hello-r2": 100}},
    ]


def test_the_share_of_a_variant() -> None:
    asked: dict[str, Any] = {"strategy": "ab-testing", "strategyConfig": {"experiment": {"share": 30}}}
    _, _, *shares = tell_traffic(update(make_replaced(), revision=2, **asked))
    assert [(one["step"], one["weights"]) for one in shares] == [
        ("open_variants", {"hello-r1": 70, "hello-r2": 30}),
        ("shift_traffic", {"hello-r2": 100}),
    ]
    _, _, *alone = tell_traffic(update(Replaced(), "install", **asked))
    assert [one["step"] for one in alone] == ["shift_traffic"]


def test_packages_are_counted() -> None:
    moved = (Moved("a", "", "1"), Moved("b", "1", ""), Moved("c", "1", "2"), Moved("d", "1", "2"))
    assert tell_packages(moved) == {"added": 1, "removed": 1, "changed": 2}


@pytest.mark.parametrize(
    ("environment", "final", "said"),
    [
        pytest.param(
            "dev",
            0,
            "install hello 1.2.3 for default/dev: 1 to create, 0 to change, 0 to remove; nobody has to approve",
            id="dev",
        ),
        pytest.param("prod", 1, "; 1 of admin, approver must approve; 1 step cannot be taken back", id="prod"),
    ],
)
def test_the_whole_in_one_line(environment: str, final: int, said: str) -> None:
    assert summarize(make_hashed(environment=environment), [tell_secret("x", there=False)], final).endswith(said)


def test_an_update_names_both_releases() -> None:
    assert summarize(update(make_replaced()), [], 0).startswith("update hello 1.2.3 → 1.2.3 for default/dev: ")


def test_people_are_warned_of_what_cannot_be_taken_back() -> None:
    served = make_replaced("backend")
    assert warn(make_hashed(), []) == []
    (data,) = warn(agree_on(make_revision("backend", revision=2), served, "update", ()), [])
    assert "take a copy of the database first" in data
    (back,) = warn(agree_on(make_revision("backend", revision=2), served, "rollback", ()), [])
    assert "the database stays as revision 1 leaves it" in back


@pytest.mark.parametrize(
    ("strategy", "enabled", "warned"),
    [
        pytest.param("canary", True, True, id="at its stages"),
        pytest.param("canary", False, False, id="not without analysis"),
        pytest.param("blue-green", True, True, id="while the other side is kept warm"),
    ],
)
def test_people_are_told_which_jobs_run(strategy: str, enabled: bool, warned: bool) -> None:  # noqa: FBT001
    image = f"registry.test/basket@sha256:{'a' * 64}"
    analysis = {"enabled": enabled, "metrics": [{"name": "basket", "job": {"image": image}}]}
    hashed = make_hashed(strategy=strategy, strategyConfig={"analysis": analysis})
    told = f"a Job runs in the namespace at each stage, for basket: {image}, which no scanner has seen"
    assert warn(hashed, []) == ([told] if warned else [])


def test_people_are_told_what_somebody_changed_where_there_is_nothing_to_do() -> None:
    served = make_replaced()
    hashed = update(served, revision=1)
    seen = as_served(served, hashed)
    live_of(seen, "Service/hello")["spec"]["type"] = "NodePort"
    seen |= {name: Seen(None, one.after) for name, one in seen.items() if name.kind == "HTTPRoute"}
    assert warn(hashed, tell_changes(hashed, served, seen)) == [
        "Service/hello is not as it was put up: spec.type",
        "HTTPRoute/hello is not as it was put up: it is gone",
    ]


def test_a_change_is_plain_json() -> None:
    assert as_shown(ObjectChange("Role/x", "change", "", (Change("rules", None, []),))) == {
        "object": "Role/x",
        "action": "change",
        "compared": "",
        "fields": [{"path": "rules", "before": None, "after": []}],
    }
