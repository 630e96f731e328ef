"""What people see of an operation is made from its journal alone."""

import pytest

from blocks.domain.journal import Kind, Reason
from blocks.domain.status import StepState, read_reason, see_steps
from tests.builders import Said, make_chain

BEGUN: Said = ("build", Kind.INTENDED, 1, "[]")
DONE: Said = ("build", Kind.DONE, 1, '"image"')
FAILED: Said = ("operation", Kind.FAILED, 1, "null")


@pytest.mark.parametrize(
    ("said", "state", "seconds"),
    [
        pytest.param([BEGUN], StepState.RUNNING, None, id="begun is running"),
        pytest.param([BEGUN, DONE], StepState.DONE, 1.0, id="with a result it is done"),
        pytest.param([BEGUN, BEGUN, DONE], StepState.DONE, 2.0, id="begun again counts from the first try"),
        pytest.param([BEGUN, FAILED], StepState.FAILED, 1.0, id="what ran when the operation failed is failed"),
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
