"""Errors survive pickling, because a worker hands them over, and speak in one sentence."""

import pickle

import pytest

from blocks.domain.errors import GateRefused, Parked, PipelineError, Terminal, Transient

ERRORS = [
    pytest.param(Terminal("no such plugin", "see the spelling"), "no such plugin (see the spelling)", id="with a hint"),
    pytest.param(Terminal("no such plugin"), "no such plugin", id="without a hint"),
    pytest.param(Transient("busy", "", 2.5), "busy", id="with a time to wait"),
    pytest.param(
        GateRefused(("secret found", "no answer"), "mend both"), "secret found; no answer (mend both)", id="with objections"
    ),
]


@pytest.mark.parametrize(("error", "text"), ERRORS)
def test_says_itself_before_and_after_pickling(error: PipelineError, text: str) -> None:
    """The same text, type and arguments."""
    thawed = pickle.loads(pickle.dumps(error))
    assert (str(error), str(thawed), type(thawed), thawed.args) == (text, text, type(error), error.args)


def test_transient_carries_the_wait() -> None:
    """In seconds; none asked is none."""
    assert (Transient("busy", "", 2.5).retry_after, Transient("busy").retry_after) == (2.5, 0)


def test_parked_carries_its_question() -> None:
    """Through pickling too."""
    assert pickle.loads(pickle.dumps(Parked("ann must say", "", '{"hash": 1}'))).question == '{"hash": 1}'
