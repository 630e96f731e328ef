"""The fold and the chain hold for every sequence of entries."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from blocks.domain.journal import PHASE_AFTER, Kind, Phase, State, first_broken, fold
from tests.builders import Said, make_chain

SAID = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(Kind), st.integers(1, 9), st.text()), max_size=30)


@given(SAID)
def test_phase_is_what_the_last_entry_says(said: list[Said]) -> None:
    """So the database can keep it without reading the journal."""
    assert fold(make_chain(said)).phase is (PHASE_AFTER[said[-1][1]] if said else Phase.REQUESTED)


@given(SAID, st.integers(0, 30))
def test_folding_in_two_parts_is_folding(said: list[Said], cut: int) -> None:
    """A state can be kept and continued."""
    entries, state = make_chain(said), fold(make_chain(said)[:cut])
    for entry in entries[cut:]:
        state = state.after(entry)
    assert state == fold(entries)


@given(SAID)
def test_said_again_changes_nothing(said: list[Said]) -> None:
    """A commit whose answer was lost may be repeated."""
    entries = make_chain(said)
    assert fold([entry for entry in entries for _ in range(2)]) == fold(entries)


@given(SAID)
def test_undone_leaves_no_trace_in_the_state(said: list[Said]) -> None:
    """After undone a step counts as never begun."""
    state = fold(make_chain([*said, ("a", Kind.UNDONE, 1, "")]))
    assert "a" not in state.intents
    assert "a" not in state.results


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
