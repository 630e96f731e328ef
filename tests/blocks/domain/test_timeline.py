"""The past of an installation reads in order, says who and why, and how long things took."""

from typing import Any
from uuid import UUID

import pytest

from blocks.domain.asking import Wish
from blocks.domain.journal import Kind
from blocks.domain.timeline import SHORT, Moment, Told, tell
from tests.builders import OPERATION, Said, make_chain

BEGUN: Said = ("build", Kind.INTENDED, 1, "[]")


def told(*said: Said, **changes: Any) -> Told:
    """One operation that was asked for at the beginning of time."""
    fields: dict[str, Any] = {"operation": OPERATION, "verb": "install", "actor": "zoe", "wish": Wish("new"), "created_at": 0}
    return Told(**fields | changes, entries=tuple(make_chain([*said])))


def last(*said: Said) -> Moment:
    """The last thing that happened."""
    return tell([told(*said)])[-1]


def test_begins_with_the_request() -> None:
    """Who asked, and why; the trace is the operation's id."""
    (moment,) = tell([told()])
    assert (moment.actor, moment.reason, moment.kind, moment.seq) == ("zoe", "new", "requested", 0)
    assert moment.trace == "0" * 31 + "1"


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        pytest.param([BEGUN, ("build", Kind.DONE, 1, "1")], 1.0, id="a result"),
        pytest.param([BEGUN, BEGUN, ("build", Kind.DONE, 2, "1")], 2.0, id="from the first try on"),
        pytest.param([BEGUN], None, id="a beginning took no time"),
        pytest.param([("build", Kind.DONE, 1, "1")], None, id="without a beginning nobody knows"),
        pytest.param(
            [BEGUN, BEGUN, ("build", Kind.UNDOING, 1, "null"), ("build", Kind.UNDONE, 1, "null")], 1.0, id="an undo counts apart"
        ),
    ],
)
def test_duration(said: list[Said], seconds: float | None) -> None:
    """Of the step, where this is its end."""
    assert last(*said).seconds == seconds


@pytest.mark.parametrize(
    ("said", "reason", "result"),
    [
        pytest.param(("build", Kind.DONE, 1, '"image@1"'), "", "image@1", id="a text as it is"),
        pytest.param(("build", Kind.DONE, 1, '{"a":1}'), "", '{"a":1}', id="anything else as JSON"),
        pytest.param(("build", Kind.DONE, 1, f'"{"x" * 500}"'), "", "x" * (SHORT - 1) + "…", id="what is long is cut"),
        pytest.param(("build", Kind.DONE, 1, "null"), "", "", id="nothing is nothing"),
        pytest.param(("build", Kind.UNDONE, 1, '{"left": true}'), "", "left as it is", id="what was left"),
        pytest.param(("build", Kind.UNDONE, 1, "null"), "", "", id="what was taken back"),
        pytest.param(("approval", Kind.VOTED, 1, '{"comment":"fine"}'), "fine", "", id="a comment"),
        pytest.param(("operation", Kind.RESUMED, 1, '{"reason":"go"}'), "go", "", id="a reason"),
        pytest.param(
            ("watch_stage:1", Kind.PROMOTED, 0, '{"fully":true,"reason":"I tried it"}'), "I tried it", "", id="a promotion"
        ),
        pytest.param(
            ("watch_stage:1", Kind.MEASURED, 0, '[{"sentence": "success rate 1"}, {"sentence": "errors 0"}]'),
            "",
            "success rate 1; errors 0",
            id="what was measured, in sentences",
        ),
        pytest.param(("operation", Kind.FAILED, 1, '{"code":"x","message":"no"}'), "no", "", id="what went wrong"),
    ],
)
def test_reason_and_result(said: Said, reason: str, result: str) -> None:
    """Each in words for people."""
    moment = last(said)
    assert (moment.reason, moment.result) == (reason, result)


def test_operations_stand_one_behind_the_other() -> None:
    """By time; within one of them nothing moves."""
    first = told(BEGUN, created_at=500)
    second = told(BEGUN, operation=UUID(int=2), verb="plan", created_at=700)
    assert [(one.operation.int, one.seq) for one in tell([second, first])] == [(1, 0), (2, 0), (2, 1), (1, 1)]


def test_a_clock_that_was_set_back_reorders_nothing() -> None:
    """What came later is not shown as earlier."""
    moments = tell([told(BEGUN, ("build", Kind.DONE, 1, "1"), created_at=9000)])
    assert [(one.seq, one.at) for one in moments] == [(0, 9000), (1, 9000), (2, 9000)]
