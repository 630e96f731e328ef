"""What people see of an operation is made from its journal alone."""

import json

import pytest

from blocks.domain.approval import Question, Vote
from blocks.domain.journal import Fact, Kind, Reason
from blocks.domain.status import StepState, read_reason, see_planned, see_question, see_steps, told_reason
from tests.builders import Said, make_chain

BEGUN: Said = ("build", Kind.INTENDED, 1, "[]")
DONE: Said = ("build", Kind.DONE, 1, '"image"')
FAILED: Said = ("operation", Kind.FAILED, 1, "null")
CANCELLED: Said = ("operation", Kind.CANCELLED, 1, "null")
RESUMED: Said = ("operation", Kind.RESUMED, 1, "null")
WAITS: Said = ("build", Kind.PARKED, 1, "null")
QUESTION = Question("sha256:1", "ann", 2, ("approver",), 1000)
ASK: Said = ("approval", Kind.PARKED, 1, QUESTION.write())
YES: Said = ("approval", Kind.VOTED, 1, '{"comment":"fine"}')


@pytest.mark.parametrize(
    ("said", "state", "seconds"),
    [
        pytest.param([BEGUN], StepState.RUNNING, None, id="begun is running"),
        pytest.param([BEGUN, DONE], StepState.DONE, 1.0, id="with a result it is done"),
        pytest.param([BEGUN, BEGUN, DONE], StepState.DONE, 2.0, id="begun again counts from the first try"),
        pytest.param([BEGUN, FAILED], StepState.FAILED, 1.0, id="what ran when the operation failed is failed"),
        pytest.param([BEGUN, WAITS], StepState.WAITING, None, id="parked is waiting"),
        pytest.param([BEGUN, WAITS, ("build", Kind.APPROVED, 1, "null")], StepState.DONE, 2.0, id="approved is done"),
        pytest.param(
            [BEGUN, WAITS, ("build", Kind.PROMOTED, 0, "{}")], StepState.WAITING, None, id="promoted it waits for a run"
        ),
        pytest.param([BEGUN, ("build", Kind.PROMOTED, 0, "{}")], StepState.RUNNING, None, id="or runs on"),
        pytest.param([BEGUN, ("build", Kind.MEASURED, 0, "[]")], StepState.RUNNING, None, id="measured it runs on"),
        pytest.param([BEGUN, WAITS, ("build", Kind.REFUSED, 1, "null")], StepState.FAILED, 2.0, id="refused is failed"),
        pytest.param([BEGUN, CANCELLED], StepState.STOPPED, 1.0, id="what ran when a person stopped it is stopped"),
        pytest.param([BEGUN, CANCELLED, RESUMED, BEGUN], StepState.RUNNING, None, id="begun again it runs again"),
        pytest.param([BEGUN, DONE, FAILED], StepState.DONE, 1.0, id="what was done before stays done"),
        pytest.param([BEGUN, DONE, ("build", Kind.UNDOING, 1, "null")], StepState.UNDOING, 1.0, id="being taken back"),
        pytest.param([BEGUN, FAILED, ("build", Kind.UNDONE, 1, "null")], StepState.UNDONE, 1.0, id="taken back"),
        pytest.param(
            [("build", Kind.UNDOING, 1, "null")], StepState.UNDOING, None, id="an undo without a beginning is shown too"
        ),
    ],
)
def test_shows_where_a_step_stands(said: list[Said], state: StepState, seconds: float | None) -> None:
    """State and time of the one step that the entries speak of."""
    (step,) = see_steps(make_chain(said))
    assert (step.state, step.seconds) == (state, seconds)


def measured(*sentences: str) -> Said:
    """A look with so many samples."""
    return ("build", Kind.MEASURED, 0, json.dumps([{"sentence": one} for one in sentences]))


def test_the_last_look_is_shown_whoever_carries_the_step_and_at_its_end() -> None:
    looks = make_chain([BEGUN, measured("fine"), BEGUN, measured("still fine", "no restart"), BEGUN, DONE])
    (running,), (done,) = see_steps(looks[:-1]), see_steps(looks)
    assert (running.measured, done.measured) == ("still fine; no restart", "still fine; no restart")
    assert running.measured_at == done.measured_at == looks[3].at


@pytest.mark.parametrize(
    ("name", "result", "told"),
    [
        pytest.param(
            "make_plan", '{"steps": [{"name": "verify", "what": "ask it", "back": ""}]}', {"verify": "ask it"}, id="a plan"
        ),
        pytest.param(
            "plan_return", '{"steps": [{"name": "verify", "what": "ask it"}]}', {"verify": "ask it"}, id="of a way back"
        ),
        pytest.param("make_plan", "{}", {}, id="one that names no steps"),
        pytest.param("make_plan", "null", {}, id="one that is not made yet"),
        pytest.param("build", '{"steps": [{"name": "verify", "what": "ask it"}]}', {}, id="the result of another step"),
    ],
)
def test_what_each_step_does_is_said_by(name: str, result: str, told: dict[str, str]) -> None:
    assert see_planned(see_steps(make_chain([(name, Kind.INTENDED, 1, "[]"), (name, Kind.DONE, 1, result)]))) == told


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("null", None, id="no reason"),
        pytest.param('{"code": "busy", "message": "m", "hint": "h"}', Reason("busy", "m", "h"), id="a reason with a hint"),
    ],
)
def test_reads_the_reason(text: str, reason: Reason | None) -> None:
    """As the journal wrote it."""
    assert read_reason(text) == reason


WHY = Reason("undecided", "no data", "promote it")


@pytest.mark.parametrize(
    ("kind", "payload", "reason"),
    [
        pytest.param(Kind.FAILED, json.dumps(vars(WHY)), WHY, id="a failure says why"),
        pytest.param(Kind.HALTED, json.dumps(vars(WHY)), WHY, id="so does a stop"),
        pytest.param(Kind.PARKED, json.dumps({"why": vars(WHY)}), WHY, id="and a question about a stage"),
        pytest.param(Kind.PARKED, QUESTION.write(), None, id="a question about a plan speaks for itself"),
        pytest.param(Kind.PARKED, "null", None, id="a wait without words"),
        pytest.param(Kind.DONE, json.dumps({"why": "all is well"}), None, id="a result is no reason"),
        pytest.param(Kind.PROMOTED, '{"fully":false,"reason":"go"}', None, id="nor is a promotion"),
    ],
)
def test_the_operation_shows_the_reason_that(kind: Kind, payload: str, reason: Reason | None) -> None:
    """As text that is read again."""
    told = told_reason(Fact("a", kind, "worker", payload))
    assert (told and read_reason(told)) == reason


@pytest.mark.parametrize(
    ("said", "question", "votes"),
    [
        pytest.param([BEGUN], None, (), id="nothing was asked"),
        pytest.param([ASK], QUESTION, (), id="a question that stands"),
        pytest.param([ASK, YES], QUESTION, (Vote("ann", "fine", 2000),), id="with who agreed"),
        pytest.param([ASK, YES, ASK], QUESTION, (), id="asked anew"),
        pytest.param([ASK, YES, ("approval", Kind.APPROVED, 1, "null")], None, (), id="answered"),
        pytest.param([ASK, CANCELLED], None, (), id="cancelled meanwhile"),
        pytest.param([ASK, WAITS], None, (), id="waiting for something else"),
    ],
)
def test_what_people_are_asked(said: list[Said], question: Question | None, votes: tuple[Vote, ...]) -> None:
    """Now, at the end of the entries."""
    assert see_question(make_chain(said)) == (question, votes)
