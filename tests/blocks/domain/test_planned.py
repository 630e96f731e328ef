"""Which steps follow a plan, and how each is taken back."""

from typing import Any

import pytest

from blocks.domain.agreed import agree_on
from blocks.domain.planned import steps_of
from blocks.domain.replaced import Replaced
from tests.blocks.domain.plans import make_replaced, make_revision

ALWAYS = ["confirm_plan", "provision_namespace", "roll_out", "shift_traffic", "verify", "serve_revision"]


def names(verb: str, replaced: Replaced, runtime: str = "service", **asked: Any) -> list[str]:
    revision = make_revision(runtime, revision=replaced.number + 1, **asked)
    return [one.name for one in steps_of(agree_on(revision, replaced, verb, ()))]


def test_a_first_install_replaces_nothing() -> None:
    assert names("install", Replaced()) == ALWAYS


def test_production_asks_first() -> None:
    assert names("install", Replaced(), environment="prod") == ["approval", *ALWAYS]


def test_an_update_lets_the_revision_before_sleep() -> None:
    assert names("update", make_replaced()) == [*ALWAYS, "retire_revision"]


@pytest.mark.parametrize(
    ("verb", "serves", "extra"),
    [
        pytest.param("install", False, {"provision_database"}, id="a first install makes the database"),
        pytest.param(
            "update", True, {"provision_database", "hand_over_data", "retire_revision"}, id="an update hands the data over"
        ),
        pytest.param("rollback", True, {"provision_database", "retire_revision", "quarantine_release"}, id="a way back does not"),
    ],
)
def test_a_plugin_with_a_database(verb: str, extra: set[str], *, serves: bool) -> None:
    taken = names(verb, make_replaced("backend") if serves else Replaced(), "backend")
    assert set(taken) - set(ALWAYS) == extra


CANARY: dict[str, Any] = {"strategy": "canary", "strategyConfig": {"stages": "25,100", "stageInterval": 60}}


def staged(**analysis: Any) -> dict[str, tuple[str, str, str]]:
    """For each step of a canary's stages how it is undone, what it does, and what taking it back does."""
    asked = CANARY | {"strategyConfig": CANARY["strategyConfig"] | {"analysis": analysis}}
    taken = steps_of(agree_on(make_revision(revision=2, **asked), make_replaced(), "update", ()))
    return {one.name: (one.undo, one.what, one.back) for one in taken if "_stage:" in one.name}


def test_a_canary_goes_stage_by_stage_where_others_send_all_at_once() -> None:
    stages = ["route_stage:1", "watch_stage:1", "route_stage:2", "watch_stage:2"]
    assert names("update", make_replaced(), **CANARY) == [*ALWAYS[:3], *stages, *ALWAYS[4:], "retire_revision"]


def test_a_first_canary_has_its_last_stage_alone() -> None:
    assert names("install", Replaced(), **CANARY) == [*ALWAYS[:3], "route_stage:1", "watch_stage:1", *ALWAYS[4:]]


def test_a_stage_says_its_share_its_time_and_what_is_wanted_meanwhile() -> None:
    said = staged(successRate=0.95)
    assert said["route_stage:1"] == (
        "reversible",
        "send 25 % of the requests to the revision, in one write",
        "send all back, in one write",
    )
    assert said["watch_stage:1"] == ("needless", "keep it so for 60 s, as long as 0.95 of the answers are good", "")


def test_a_stage_says_how_large_the_revision_is_then() -> None:
    taken = steps_of(agree_on(make_revision(revision=2, replicas=3, **CANARY), make_replaced(), "update", ()))
    assert [one.what for one in taken if one.name.startswith("route_stage:")] == [
        "send 25 % of the requests to the revision with 1 of its 3 replicas, in one write",
        "send 100 % of the requests to the revision with 3 of its 3 replicas, in one write",
    ]


def test_what_is_autoscaled_is_followed_once_it_serves() -> None:
    asked: dict[str, Any] = {"autoscaling": {"maxReplicas": 6}}
    assert names("update", make_replaced(), **asked) == [*ALWAYS, "scale_revision", "retire_revision"]
    taken = steps_of(agree_on(make_revision(revision=2, **asked, **CANARY), make_replaced(), "update", ()))
    assert [one.what for one in taken if one.name.startswith("route_stage:")] == [
        "send 25 % of the requests to the revision with 25 % of the replicas that are needed then, in one write",
        "send 100 % of the requests to the revision with 100 % of the replicas that are needed then, in one write",
    ]


def test_a_stage_that_is_not_measured_is_only_kept() -> None:
    assert staged(enabled=False)["watch_stage:2"] == ("needless", "keep it so for 60 s", "")


BETA = {"name": "x-beta", "value": "1"}


@pytest.mark.parametrize(
    ("stage", "sent", "kept"),
    [
        pytest.param({"weight": 0, "mirror": True}, "a copy of every request", "for 60 s", id="copies"),
        pytest.param({"weight": 0, "header": BETA}, "requests with x-beta: 1", "for 60 s", id="those who ask for it"),
        pytest.param(
            {"weight": 9, "header": BETA}, "9 % of the requests and requests with x-beta: 1", "for 60 s", id="and a share"
        ),
        pytest.param(
            {"weight": 9, "pause": "until-promoted"}, "9 % of the requests", "until somebody says promote", id="a person"
        ),
        pytest.param(
            {"weight": 9, "untilPromoted": True},
            "9 % of the requests",
            "for 60 s and until somebody says promote",
            id="a person after a time",
        ),
    ],
)
def test_a_stage_says_what_is_sent_and_until_when(stage: dict[str, Any], sent: str, kept: str) -> None:
    config = {"stages": [stage, 100], "stageInterval": 60, "analysis": {"enabled": False}}
    asked: dict[str, Any] = {"strategy": "canary", "strategyConfig": config}
    taken = steps_of(agree_on(make_revision(revision=2, **asked), make_replaced(), "update", ()))
    said = {one.name: one.what for one in taken}
    assert said["route_stage:1"] == f"send {sent} to the revision, in one write"
    assert said["watch_stage:1"] == f"keep it so {kept}"


def test_a_rolling_update_with_limits_moves_in_waves() -> None:
    asked: dict[str, Any] = {"replicas": 4, "strategyConfig": {"maxSurge": 1}}
    assert names("update", make_replaced(), **asked) == [*ALWAYS, "retire_revision"]
    taken = steps_of(agree_on(make_revision(revision=2, **asked), make_replaced(), "update", ()))
    said = {one.name: (one.what, one.back) for one in taken}
    assert said["roll_out"][0] == "put up the revision beside the one before, without pods yet"
    assert said["shift_traffic"] == (
        "let its pods take the place of those before in waves, with the requests: surge 1, unavailable 0",
        "let those before take their place again, in waves too",
    )


def test_nothing_to_do_is_no_steps() -> None:
    served = make_replaced()
    assert steps_of(agree_on(make_revision(), served, "update", ())) == ()


def test_blue_green_looks_at_what_is_coming_and_then_sends_all_at_once() -> None:
    asked: dict[str, Any] = {"strategy": "blue-green", "strategyConfig": {"stageInterval": 60}}
    stages = ["open_preview", "smoke_test", "route_stage:1", "watch_stage:1"]
    assert names("update", make_replaced(), **asked) == [*ALWAYS[:3], *stages, *ALWAYS[4:], "retire_revision"]
    assert not {*stages} & {*names("rollback", make_replaced(), **asked)}


def test_an_ab_test_compares_first_and_then_sends_all_at_once() -> None:
    variants = ["open_variants", "watch_experiment"]
    taken = names("update", make_replaced(), strategy="ab-testing")
    assert taken == [*ALWAYS[:3], *variants, *ALWAYS[3:], "retire_revision"]
    assert names("install", Replaced(), strategy="ab-testing") == ALWAYS
