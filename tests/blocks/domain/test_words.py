"""What a word of a person leads to depends on where the operation stands."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

import pytest

from blocks.domain.approval import Question, Speaker
from blocks.domain.errors import NotAllowed, PipelineError, TooLate, WrongPlan
from blocks.domain.journal import Fact, Kind, fold
from blocks.domain.status import read_reason
from blocks.domain.words import (
    Heard,
    Said,
    answer_approve,
    answer_call_back,
    answer_cancel,
    answer_expire,
    answer_freeze,
    answer_promote,
    answer_refuse,
    answer_retry,
    answer_unfreeze,
    answer_wake,
)
from tests.builders import Said as Line
from tests.builders import make_chain

Answer: TypeAlias = Callable[[Said, Heard], Sequence[Fact]]
ASK: Line = ("approval", Kind.PARKED, 1, Question("sha256:1", "ann", 1, ("approver",), 1000).write())
ASK_TWO: Line = ("approval", Kind.PARKED, 1, Question("sha256:1", "ann", 2, ("approver",), 1000).write())
BEGUN: Line = ("build", Kind.INTENDED, 1, "[]")
COMPARED: Line = ("watch_experiment", Kind.INTENDED, 1, "[]")
FAILED: Line = ("operation", Kind.FAILED, 1, "null")
FROZEN: Line = ("operation", Kind.FROZEN, 1, "null")
HALTED: Line = ("operation", Kind.HALTED, 1, "null")
ACCEPTED: Line = ("operation", Kind.REVERTING, 1, '{"acceptRemaining":true}')
UNDONE: Line = ("operation", Kind.WITHDRAWN, 1, "null")
FINISHED: Line = ("operation", Kind.FINISHED, 1, "null")
AGREED: Line = ("approval", Kind.APPROVED, 1, '{"hash":"sha256:1"}')
WATCHED: Line = ("watch_stage:1", Kind.INTENDED, 1, "[1]")
UNDECIDED: Line = ("watch_stage:1", Kind.PARKED, 1, '{"why":{"code":"undecided","message":"no data","hint":""}}')
PASSED: Line = ("watch_stage:1", Kind.DONE, 1, "null")
WAITS: Line = ("meet:ready", Kind.PARKED, 1, '{"why":{"code":"waits-for-set","message":"@a/b waits","hint":""}}')
NEXT: Line = ("watch_stage:2", Kind.INTENDED, 1, "[2]")
BOB = Said(Speaker("bob", frozenset({"approver"})), "because", "sha256:1")


def heard(*lines: Line, now: int = 999, superseded: bool = False) -> Heard:
    """Where the operation stands after the lines."""
    return Heard(fold(make_chain([*lines])), now, superseded)


def kinds(facts: Sequence[Fact]) -> list[Kind]:
    """What the facts say, one after the other."""
    return [fact.kind for fact in facts]


@pytest.mark.parametrize(
    ("answer", "standing", "led_to"),
    [
        pytest.param(answer_approve, heard(BEGUN, ASK), [Kind.VOTED, Kind.APPROVED], id="one yes is enough"),
        pytest.param(answer_approve, heard(BEGUN, ASK_TWO), [Kind.VOTED], id="one yes of two"),
        pytest.param(answer_approve, heard(BEGUN, ASK, now=1000), TooLate, id="a yes that comes too late"),
        pytest.param(answer_approve, heard(BEGUN), TooLate, id="a yes that nobody asked for"),
        pytest.param(answer_approve, heard(("soak", Kind.PARKED, 1, "null")), TooLate, id="waiting for something else"),
        pytest.param(answer_refuse, heard(BEGUN, ASK), [Kind.REFUSED], id="a no"),
        pytest.param(answer_refuse, heard(BEGUN, ASK_TWO, ("approval", Kind.VOTED, 1, "null")), [Kind.REFUSED], id="after a yes"),
        pytest.param(answer_refuse, heard(BEGUN, ASK, now=1000), TooLate, id="a no that comes too late"),
        pytest.param(answer_expire, heard(BEGUN, ASK, now=1000), [Kind.REFUSED], id="nobody answered"),
        pytest.param(answer_expire, heard(BEGUN, ASK), TooLate, id="the question still stands"),
        pytest.param(answer_cancel, heard(), [Kind.CANCELLED, Kind.WITHDRAWN], id="cancel before anything began"),
        pytest.param(answer_cancel, heard(BEGUN), [Kind.CANCELLED], id="cancel what runs"),
        pytest.param(answer_cancel, heard(BEGUN, ASK), [Kind.CANCELLED], id="cancel what waits"),
        pytest.param(answer_cancel, heard(BEGUN, FROZEN), [Kind.CANCELLED], id="cancel what is frozen"),
        pytest.param(answer_cancel, heard(BEGUN, FAILED), [], id="cancel what goes back already"),
        pytest.param(answer_cancel, heard(BEGUN, FINISHED), TooLate, id="cancel what has succeeded"),
        pytest.param(answer_cancel, heard(BEGUN, UNDONE), TooLate, id="cancel what has been taken back"),
        pytest.param(answer_cancel, heard(BEGUN, superseded=True), [Kind.CANCELLED], id="what runs is never superseded"),
        pytest.param(answer_cancel, heard(BEGUN, FROZEN, superseded=True), TooLate, id="cancel what another took over"),
        pytest.param(answer_freeze, heard(BEGUN), [Kind.HALTED], id="freeze what runs"),
        pytest.param(answer_freeze, heard(BEGUN, FAILED), [Kind.HALTED], id="freeze what goes back"),
        pytest.param(answer_freeze, heard(BEGUN, FROZEN), NotAllowed, id="freeze what is frozen"),
        pytest.param(answer_freeze, heard(BEGUN, FINISHED), TooLate, id="freeze what has ended"),
        pytest.param(answer_unfreeze, heard(BEGUN, HALTED), [Kind.RESUMED], id="unfreeze goes on"),
        pytest.param(answer_unfreeze, heard(BEGUN, FAILED, HALTED), [Kind.REVERTING], id="or back"),
        pytest.param(answer_unfreeze, heard(BEGUN), NotAllowed, id="unfreeze what runs"),
        pytest.param(answer_unfreeze, heard(BEGUN, FINISHED), TooLate, id="unfreeze what has ended"),
        pytest.param(answer_retry, heard(BEGUN, FROZEN), [Kind.RESUMED], id="retry goes on"),
        pytest.param(answer_retry, heard(BEGUN, FAILED, FROZEN), [Kind.REVERTING], id="or goes back again"),
        pytest.param(answer_retry, heard(BEGUN, FROZEN, superseded=True), TooLate, id="retry what another took over"),
        pytest.param(answer_retry, heard(BEGUN, ASK), NotAllowed, id="retry what waits"),
        pytest.param(answer_promote, heard(BEGUN, WATCHED), [Kind.PROMOTED], id="promote a stage that is watched"),
        pytest.param(answer_promote, heard(BEGUN, WATCHED, UNDECIDED), [Kind.PROMOTED], id="or that waits for a word"),
        pytest.param(answer_promote, heard(BEGUN, COMPARED), [Kind.PROMOTED], id="or an A/B test"),
        pytest.param(answer_promote, heard(), TooLate, id="promote what has not begun"),
        pytest.param(answer_promote, heard(BEGUN), NotAllowed, id="promote what has no stage yet"),
        pytest.param(answer_promote, heard(BEGUN, WATCHED, PASSED), NotAllowed, id="promote between two stages"),
        pytest.param(answer_promote, heard(BEGUN, ASK), NotAllowed, id="promote a plan that waits for approval"),
        pytest.param(answer_promote, heard(BEGUN, WATCHED, FAILED), TooLate, id="promote what goes back"),
        pytest.param(answer_promote, heard(BEGUN, WATCHED, HALTED), TooLate, id="promote what is frozen"),
        pytest.param(answer_promote, heard(BEGUN, WATCHED, PASSED, FINISHED), TooLate, id="promote what has ended"),
        *(
            pytest.param(answer, heard(BEGUN, ASK, AGREED, WATCHED, UNDECIDED, now=now), TooLate, id=f"{word} a stage")
            for word, answer, now in (
                ("approve", answer_approve, 999),
                ("refuse", answer_refuse, 999),
                ("let nobody answer", answer_expire, 1000),
            )
        ),
    ],
)
def test_leads_to(answer: Answer, standing: Heard, led_to: list[Kind] | type[PipelineError]) -> None:
    """Entries in this order, or a no."""
    if isinstance(led_to, type):
        with pytest.raises(led_to):
            answer(BOB, standing)
    else:
        assert kinds(answer(BOB, standing)) == led_to


@pytest.mark.parametrize("fully", [False, True])
def test_a_promotion_names_the_stage_that_is_watched_now(fully: bool) -> None:  # noqa: FBT001
    """And what was said of it."""
    (fact,) = answer_promote(Said(BOB.speaker, "I tried it", fully=fully), heard(BEGUN, WATCHED, PASSED, NEXT))
    assert (fact.step, fact.actor, json.loads(fact.payload)) == ("watch_stage:2", "bob", {"fully": fully, "reason": "I tried it"})


@pytest.mark.parametrize("answer", [answer_approve, answer_refuse])
def test_an_answer_is_for_the_plan_that_stands(answer: Answer) -> None:
    """Yes and no alike."""
    with pytest.raises(WrongPlan):
        answer(Said(BOB.speaker, hash="sha256:2"), heard(BEGUN, ASK))


def test_approval_names_the_plan_and_who_agreed() -> None:
    """In the payload that the approval step reads."""
    _, approved = answer_approve(BOB, heard(BEGUN, ASK))
    assert json.loads(approved.payload) == {"hash": "sha256:1", "by": ["bob"]}


@pytest.mark.parametrize(
    ("answer", "standing", "code", "message"),
    [
        pytest.param(answer_refuse, heard(BEGUN, ASK), "not-approved", "bob refused it: because", id="refused"),
        pytest.param(
            answer_expire, heard(BEGUN, ASK, now=1000), "not-approved", "not enough people agreed in time", id="expired"
        ),
        pytest.param(answer_cancel, heard(BEGUN), "cancelled", "bob cancelled it: because", id="cancelled"),
        pytest.param(answer_freeze, heard(BEGUN), "halted", "bob froze it: because", id="frozen"),
    ],
)
def test_stops_say_who_and_why(answer: Answer, standing: Heard, code: str, message: str) -> None:
    """As a reason that people read."""
    reason = read_reason(answer(BOB, standing)[0].payload)
    assert reason is not None
    assert (reason.code, reason.message) == (code, message)


def test_a_word_without_a_reason_is_a_whole_sentence() -> None:
    """Without a colon at its end."""
    reason = read_reason(answer_cancel(Said(BOB.speaker), heard(BEGUN))[0].payload)
    assert reason is not None
    assert reason.message == "bob cancelled it"


@pytest.mark.parametrize(
    ("answer", "said", "lines", "accepted"),
    [
        pytest.param(answer_retry, BOB, (BEGUN, FAILED, FROZEN), False, id="not unless it is said"),
        pytest.param(answer_retry, Said(BOB.speaker, accept_remaining=True), (BEGUN, FAILED, FROZEN), True, id="as it is said"),
        pytest.param(answer_unfreeze, BOB, (BEGUN, FAILED, FROZEN, ACCEPTED, HALTED), True, id="a pause takes nothing back"),
        pytest.param(answer_retry, BOB, (BEGUN, FAILED, FROZEN, ACCEPTED, FROZEN), False, id="what comes next is asked anew"),
    ],
)
def test_what_may_remain(answer: Answer, said: Said, lines: tuple[Line, ...], accepted: bool) -> None:  # noqa: FBT001
    """Is said by a person, for what stops the operation then."""
    (fact,) = answer(said, heard(*lines))
    assert json.loads(fact.payload)["acceptRemaining"] is accepted


def test_who_waited_for_the_others_of_a_set_goes_on_where_it_waited() -> None:
    (fact,) = answer_wake(BOB, heard(BEGUN, WAITS))
    assert (fact.step, fact.kind) == ("meet:ready", Kind.RESUMED)


@pytest.mark.parametrize(
    "standing", [heard(BEGUN, ASK), heard(BEGUN), heard(BEGUN, WAITS, FAILED)], ids=["asked", "busy", "back"]
)
def test_who_does_not_wait_for_the_others_is_not_woken(standing: Heard) -> None:
    with pytest.raises(TooLate, match="nobody waits for the others"):
        answer_wake(BOB, standing)


@pytest.mark.parametrize("answer", [answer_call_back, answer_cancel])
def test_once_all_of_a_set_serve_none_of_them_is_taken_back(answer: Answer) -> None:
    standing = heard(BEGUN, WAITS)
    assert kinds(answer(BOB, standing)) == [Kind.CANCELLED]
    with pytest.raises(TooLate, match="all plugins of its set serve"):
        answer(BOB, replace(standing, committed=True))


def test_who_comes_back_with_another_says_so() -> None:
    (fact,) = answer_call_back(replace(BOB, hint="see its log"), heard(BEGUN))
    why = read_reason(fact.payload)
    assert why is not None
    assert (why.code, why.message, why.hint) == ("set-failed", "because", "see its log")
