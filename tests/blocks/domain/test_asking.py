"""What a request leads to depends on how the installation stands."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias
from uuid import UUID

import pytest

from blocks.domain.asking import (
    Busy,
    New,
    NotInstalled,
    Past,
    Standing,
    Wish,
    answer_install,
    answer_plan,
    answer_rollback,
    answer_switch,
    answer_uninstall,
    ask_for_version,
)
from blocks.domain.errors import Needed, NotAllowed, Quarantined, Terminal
from tests.builders import make_request

ACTIVE, SERVED = UUID(int=1), UUID(int=2)
NEW = Standing()
SERVES = Standing(revision=1, serving_operation=SERVED, serving_request="body", last_revision=1, history=(Past(1, "a@1"),))
OFF = replace(SERVES, enabled=False)
TWICE = replace(SERVES, revision=2, last_revision=2, history=(Past(2, "a@2"), Past(1, "a@1")))
BAD_BEFORE = replace(TWICE, revision=3, history=(Past(3, "a@3"), Past(2, "a@2", quarantined=True), Past(1, "a@1")))
INSTALLING = Standing(active=ACTIVE, active_verb="install", active_request="body")
REMOVING = replace(SERVES, active=ACTIVE, active_verb="uninstall")
RETURNING = replace(TWICE, active=ACTIVE, active_verb="rollback")
STUCK = replace(INSTALLING, frozen=True)
Answer: TypeAlias = UUID | New | type[Terminal]


def assert_answer(ask: Callable[[], UUID | New], answer: Answer) -> None:
    """The answer, or the refusal."""
    if isinstance(answer, type):
        with pytest.raises(answer):
            ask()
    else:
        assert ask() == answer


@pytest.mark.parametrize(
    ("standing", "plan_hash", "answer"),
    [
        pytest.param(NEW, None, New("install", 1), id="nothing yet: an install"),
        pytest.param(replace(NEW, last_revision=4), None, New("install", 5), id="numbers are never used again"),
        pytest.param(INSTALLING, None, ACTIVE, id="the same request on its way is that operation"),
        pytest.param(INSTALLING, "sha256:1", Busy, id="the same request with another plan is another one"),
        pytest.param(SERVES, None, SERVED, id="the same request that serves changes nothing"),
        pytest.param(SERVES, "sha256:1", New("update", 2), id="with a plan that was read it is looked at again"),
        pytest.param(replace(INSTALLING, active_request="other"), None, Busy, id="another request on its way: busy"),
        pytest.param(REMOVING, None, Busy, id="an uninstall on its way: busy"),
        pytest.param(STUCK, None, Busy, id="frozen: a person has to decide first"),
        pytest.param(replace(SERVES, serving_request="other"), None, New("update", 2), id="something else serves: an update"),
        pytest.param(replace(OFF, serving_request="other"), None, NotAllowed, id="disabled: no update"),
    ],
)
def test_install(standing: Standing, plan_hash: str | None, answer: Answer) -> None:
    """A new operation, an earlier one, or a no."""
    assert_answer(lambda: answer_install(standing, "body", plan_hash), answer)


@pytest.mark.parametrize(
    ("standing", "answer"),
    [
        pytest.param(SERVES, New("uninstall", 1), id="what serves can be taken away"),
        pytest.param(REMOVING, ACTIVE, id="an uninstall on its way is that operation"),
        pytest.param(replace(REMOVING, active_wish=Wish(drop_data=True)), Busy, id="one that drops the data is another"),
        pytest.param(INSTALLING, Busy, id="an install on its way: busy"),
        pytest.param(STUCK, New("uninstall", 0), id="a frozen operation can be taken away"),
        pytest.param(NEW, NotInstalled, id="nothing serves: refused"),
        pytest.param(replace(SERVES, needed_by=("b",)), Needed, id="others need it: refused"),
    ],
)
def test_uninstall(standing: Standing, answer: Answer) -> None:
    """A new operation, an earlier one, or a no."""
    assert_answer(lambda: answer_uninstall(standing, drop_data=False), answer)


@pytest.mark.parametrize(
    ("standing", "revision", "answer"),
    [
        pytest.param(TWICE, None, New("rollback", 1), id="to the one before"),
        pytest.param(BAD_BEFORE, None, New("rollback", 1), id="past one that is in quarantine"),
        pytest.param(BAD_BEFORE, 2, Quarantined, id="never to one in quarantine"),
        pytest.param(BAD_BEFORE, 1, New("rollback", 1), id="to one that is named"),
        pytest.param(TWICE, 2, NotAllowed, id="not to what serves"),
        pytest.param(TWICE, 7, NotAllowed, id="not to one that is not known"),
        pytest.param(SERVES, 7, NotAllowed, id="not where there is only one"),
        pytest.param(SERVES, None, NotAllowed, id="there is no earlier one"),
        pytest.param(replace(TWICE, enabled=False), None, NotAllowed, id="not while it is disabled"),
        pytest.param(NEW, None, NotInstalled, id="nothing serves"),
        pytest.param(RETURNING, None, ACTIVE, id="the same on its way is that operation"),
        pytest.param(RETURNING, 1, Busy, id="another on its way: busy"),
        pytest.param(replace(TWICE, active=ACTIVE, frozen=True), None, New("rollback", 1), id="a way out of a frozen update"),
    ],
)
def test_rollback(standing: Standing, revision: int | None, answer: Answer) -> None:
    """To the last good revision, or to one that is named and known."""
    assert_answer(lambda: answer_rollback(standing, revision), answer)


@pytest.mark.parametrize(
    ("standing", "verb", "answer"),
    [
        pytest.param(SERVES, "disable", New("disable", 1), id="what serves can be disabled"),
        pytest.param(SERVES, "reload", New("reload", 1), id="and reloaded"),
        pytest.param(OFF, "enable", New("enable", 1), id="what is disabled can be enabled"),
        pytest.param(OFF, "disable", NotAllowed, id="not disabled twice"),
        pytest.param(OFF, "reload", NotAllowed, id="nothing runs that could be reloaded"),
        pytest.param(SERVES, "enable", NotAllowed, id="not enabled twice"),
        pytest.param(NEW, "disable", NotInstalled, id="nothing serves"),
        pytest.param(replace(SERVES, active=ACTIVE, active_verb="reload"), "reload", ACTIVE, id="the same on its way"),
        pytest.param(replace(SERVES, active=ACTIVE, active_verb="reload", frozen=True), "reload", Busy, id="frozen: busy"),
        pytest.param(REMOVING, "reload", Busy, id="another on its way: busy"),
    ],
)
def test_switch(standing: Standing, verb: str, answer: Answer) -> None:
    """Only what makes a difference is done."""
    assert_answer(lambda: answer_switch(standing, verb), answer)


def test_a_plan_is_never_refused() -> None:
    """It changes nothing, whatever is on its way."""
    assert answer_plan(REMOVING) == New("plan", 2)


def test_a_wish_survives_being_written() -> None:
    """As JSON, in the operation's row."""
    wish = Wish("too slow", 3, drop_data=True, plan_hash="sha256:1", behalf="ann")
    assert Wish.read(wish.write()) == wish


def test_another_version_of_what_serves_is_asked_for_with_all_else_as_it_was() -> None:
    asked = make_request(replicas=3, tenant="acme", config={"a": 1})
    assert ask_for_version(replace(SERVES, serving_request=asked.model_dump_json(by_alias=True)), "3.0.0") == make_request(
        replicas=3, tenant="acme", config={"a": 1}, plugin={"version": "3.0.0"}
    )
    with pytest.raises(NotInstalled):
        ask_for_version(INSTALLING, "3.0.0")
