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


def test_nothing_to_do_is_no_steps() -> None:
    served = make_replaced()
    assert steps_of(agree_on(make_revision(), served, "update", ())) == ()
