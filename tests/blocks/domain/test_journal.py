"""The fold and the chain hold for every sequence of entries."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blocks.domain.journal import PHASE_AFTER, Kind, Phase, State, first_broken, fold
from tests.builders import Said, make_chain

PAYLOAD = st.text().map(json.dumps) | st.booleans().map(lambda yes: json.dumps({"acceptRemaining": yes}))
SAID = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(Kind), st.integers(1, 9), PAYLOAD), max_size=30)

# A busy machine is no defect.
unhurried = settings(deadline=None)


@unhurried
@given(SAID)
def test_phase_is_what_the_last_entry_says(said: list[Said]) -> None:
    """So the database can keep it without reading the journal."""
    assert fold(make_chain(said)).phase is (PHASE_AFTER[said[-1][1]] if said else Phase.REQUESTED)


@unhurried
@given(SAID, st.integers(0, 30))
def test_folding_in_two_parts_is_folding(said: list[Said], cut: int) -> None:
    """A state can be kept and continued."""
    entries, state = make_chain(said), fold(make_chain(said)[:cut])
    for entry in entries[cut:]:
        state = state.after(entry)
    assert state == fold(entries)


@unhurried
@given(SAID)
def test_said_again_changes_nothing(said: list[Said]) -> None:
    """A commit whose answer was lost may be repeated."""
    entries = make_chain(said)
    assert fold([entry for entry in entries for _ in range(2)]) == fold(entries)


@unhurried
@given(SAID)
def test_undone_leaves_no_trace_in_the_state(said: list[Said]) -> None:
    """After undone a step counts as never begun."""
    state = fold(make_chain([*said, ("a", Kind.UNDONE, 1, "")]))
    assert not {"a", "undo a"} & {*state.intents, *state.results, *state.begun}


@unhurried
@given(SAID.filter(len), st.data())
def test_chain_names_the_first_altered_entry(said: list[Said], data: st.DataObject) -> None:
    """Whatever field is altered, and wherever."""
    entries = make_chain(said)
    at = data.draw(st.integers(0, len(entries) - 1))
    changes = [{"payload": "x" + entries[at].payload}, {"token": 99}, {"at": -1}, {"actor": "eve"}]
    change: dict[str, Any] = data.draw(st.sampled_from(changes))
    head = entries[-1].hash
    assert first_broken(entries, head) is None
    assert first_broken([*entries[:at], replace(entries[at], **change), *entries[at + 1 :]], head) == at + 1


@unhurried
@given(SAID.filter(len))
def test_chain_notices_a_missing_tail(said: list[Said]) -> None:
    """Because the head is kept apart."""
    entries = make_chain(said)
    assert first_broken(entries[:-1], entries[-1].hash) == len(entries)


def test_nothing_happened_is_requested() -> None:
    """The empty journal."""
    assert fold([]) == State()


def test_only_three_phases_are_final() -> None:
    """Nothing more happens by itself in these."""
    assert {phase for phase in Phase if phase.is_final} == {Phase.SUCCEEDED, Phase.WITHDRAWN, Phase.FROZEN}


@unhurried
@given(SAID, st.sampled_from([Kind.FAILED, Kind.REFUSED, Kind.CANCELLED]))
def test_a_way_back_is_never_turned_forwards(said: list[Said], turn: Kind) -> None:
    """Whatever is said afterwards."""
    assert fold(make_chain([("a", turn, 1, "null"), *said])).failed


@pytest.mark.parametrize(
    ("said", "begun"),
    [
        pytest.param([(Kind.INTENDED, 1), (Kind.INTENDED, 1)], {"a": 1}, id="a try of the same worker counts once"),
        pytest.param([(Kind.INTENDED, 1), (Kind.INTENDED, 2)], {"a": 2}, id="each worker counts"),
        pytest.param([(Kind.INTENDED, 1), (Kind.INTENDED, 2), (Kind.DONE, 2)], {}, id="a result ends the count"),
        pytest.param([(Kind.INTENDED, 1), (Kind.PARKED, 1)], {}, id="to wait is a result"),
        pytest.param([(Kind.INTENDED, 1), (Kind.RESUMED, 2)], {}, id="a person grants new tries"),
        pytest.param([(Kind.INTENDED, 1), (Kind.FAILED, 1)], {"a": 1}, id="a failure ends nothing"),
        pytest.param([(Kind.INTENDED, 1), (Kind.UNDOING, 2)], {"a": 1, "undo a": 1}, id="the undo counts apart"),
        pytest.param([(Kind.UNDOING, 1), (Kind.UNDOING, 2), (Kind.REVERTING, 3)], {}, id="new tries on the way back"),
        pytest.param([(Kind.INTENDED, 1), (Kind.UNDOING, 1), (Kind.UNDONE, 1)], {}, id="undone was never begun"),
    ],
)
def test_counts_the_workers_that_left_no_result(said: list[tuple[Kind, int]], begun: dict[str, int]) -> None:
    """So that a bug is not tried for ever."""
    assert fold(make_chain([("a", kind, token, "null") for kind, token in said])).begun == begun


@pytest.mark.parametrize(
    ("said", "accepted"),
    [
        pytest.param([(Kind.REVERTING, '{"acceptRemaining":true}')], True, id="as the person said"),
        pytest.param([(Kind.REVERTING, '{"acceptRemaining":false}')], False, id="or did not say"),
        pytest.param([(Kind.REVERTING, '{"acceptRemaining":true}'), (Kind.HALTED, "null")], True, id="a pause changes nothing"),
        pytest.param([(Kind.REVERTING, '{"acceptRemaining":true}'), (Kind.FROZEN, "null")], False, id="not what stops it next"),
    ],
)
def test_what_remains_is_accepted_once(said: list[tuple[Kind, str]], accepted: bool) -> None:  # noqa: FBT001
    """For what stopped the operation then."""
    assert fold(make_chain([("operation", kind, 1, payload) for kind, payload in said])).accepted is accepted


def test_votes_are_those_on_the_question_that_stands() -> None:
    """Asked anew, everybody has a say again."""
    asked, yes = ("approval", Kind.PARKED, 1, "1"), ("approval", Kind.VOTED, 1, "2")
    assert fold(make_chain([asked, yes])).votes == {"ann": "2"}
    assert fold(make_chain([asked, yes, asked])).votes == {}


def test_one_question_stands() -> None:
    """What was asked before it is answered or over, and nobody answers that one any more."""
    asked, stage = ("approval", Kind.PARKED, 1, "1"), ("watch_stage:1", Kind.PARKED, 1, "2")
    assert fold(make_chain([asked, stage])).questions == {"watch_stage:1": "2"}


def test_a_promotion_is_known_by_its_stage() -> None:
    """The last word on each counts, and it goes on from there."""
    said = [("a", "1"), ("b", "2"), ("a", "3")]
    state = fold(make_chain([(step, Kind.PROMOTED, 0, payload) for step, payload in said]))
    assert (state.promotions, state.phase) == ({"a": "3", "b": "2"}, Phase.APPLYING)
