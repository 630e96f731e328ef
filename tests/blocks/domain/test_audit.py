"""Whoever changes a journal is found out, and the first entry that was touched is named."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blocks.domain.audit import Broken, Row, Sealed, examine
from blocks.domain.journal import PHASE_AFTER, Entry, Kind
from tests.builders import OPERATION, make_chain

ENTRIES = make_chain([("step", Kind.INTENDED if n % 2 else Kind.DONE, 1, str(n)) for n in range(1, 7)])
SEALS = [Sealed(entry.seq, entry.hash) for entry in ENTRIES]
Record: TypeAlias = tuple[list[Entry], Row]


def row(entries: list[Entry]) -> Row:
    """What the operation's row says when these entries stand."""
    last = entries[-1]
    return Row(OPERATION, last.seq, last.hash, PHASE_AFTER[last.kind])


ROW = row(ENTRIES)


def rebuild(entries: list[Entry]) -> list[Entry]:
    """The entries as somebody leaves them who knows how the chain is made."""
    made: list[Entry] = []
    for seq, entry in enumerate(entries, 1):
        made.append(replace(entry, seq=seq, prev=made[-1].hash if made else "").sealed())
    return made


def edit(at: int) -> list[Entry]:
    """Another payload, and nothing else."""
    return [replace(entry, payload="9") if entry.seq == at else entry for entry in ENTRIES]


def edit_whole(at: int) -> list[Entry]:
    """Another payload with its right hash."""
    return [entry.sealed() if entry.seq == at else entry for entry in edit(at)]


def remove(at: int) -> list[Entry]:
    """One entry less."""
    return [entry for entry in ENTRIES if entry.seq != at]


def swap(at: int) -> list[Entry]:
    """Two neighbours in each other's place."""
    first, second = ENTRIES[at - 1], ENTRIES[at]
    return [*ENTRIES[: at - 1], replace(second, seq=at), replace(first, seq=at + 1), *ENTRIES[at + 1 :]]


def renewed(entries: list[Entry]) -> Record:
    """With the chain and the row made to fit."""
    return rebuild(entries), row(rebuild(entries))


def kept(entries: list[Entry]) -> Record:
    """With the row as it was."""
    return entries, ROW


WITHOUT_SEALS = [
    pytest.param(kept(edit(3)), 3, "edited", id="edited"),
    pytest.param(kept(edit_whole(3)), 3, "edited", id="edited, hash and all"),
    pytest.param(kept(edit_whole(1)), 1, "edited", id="the first one, hash and all"),
    pytest.param(kept(edit_whole(6)), 6, "edited", id="the last one, hash and all"),
    pytest.param(kept([*ENTRIES[:3], replace(ENTRIES[3], prev="x").sealed(), *ENTRIES[4:]]), 4, "edited", id="cut off before"),
    pytest.param(kept([replace(ENTRIES[0], prev="x").sealed(), *ENTRIES[1:]]), 1, "edited", id="something before the first"),
    pytest.param(kept(remove(3)), 3, "removed", id="removed"),
    pytest.param(kept(remove(1)), 1, "removed", id="the first one removed"),
    pytest.param(kept(ENTRIES[:4]), 5, "removed, with all that followed", id="the last ones removed"),
    pytest.param(kept([]), 1, "removed, with all that followed", id="all removed"),
    pytest.param(kept(swap(3)), 3, "put in another place", id="reordered"),
    pytest.param((ENTRIES, row(ENTRIES[:4])), 5, "added by nobody who may", id="added behind the head"),
    pytest.param((ENTRIES, replace(ROW, head="x")), 6, "edited", id="another head"),
    pytest.param((ENTRIES, replace(ROW, phase="frozen")), 6, "contradicted", id="the row contradicts the journal"),
    pytest.param(([], Row(OPERATION, 0, "", "frozen")), 1, "contradicted", id="a phase without a journal"),
    pytest.param(([], Row(OPERATION, 0, "x", "requested")), 1, "edited", id="a head without a journal"),
]
WITH_SEALS = [
    pytest.param(renewed(edit(3)), 3, "not the one that was sealed", id="edited, and the whole chain made anew"),
    pytest.param(renewed(remove(3)), 3, "not the one that was sealed", id="removed, and the whole chain made anew"),
    pytest.param(renewed([*ENTRIES[:2], ENTRIES[3], ENTRIES[2], *ENTRIES[4:]]), 3, "not the one", id="reordered and made anew"),
    pytest.param(renewed(ENTRIES[:4]), 5, "removed, with all that followed", id="the last ones, and the row made to fit"),
    pytest.param(([], Row(OPERATION, 0, "", "requested")), 1, "removed, with all", id="all of them, and the row made to fit"),
]


@pytest.mark.parametrize(
    ("record", "seq", "what", "seals"),
    [pytest.param(*case.values, [], id=case.id) for case in WITHOUT_SEALS]
    + [pytest.param(*case.values, SEALS, id=case.id) for case in WITH_SEALS],
)
def test_names_the_first_entry_that_was_touched(record: Record, seq: int, what: str, seals: list[Sealed]) -> None:
    """And says what became of it: by the chain alone, and by the seals where the chain was made anew."""
    entries, says = record
    broken = examine(says, entries, seals)
    assert broken is not None
    assert (broken.operation, broken.seq) == (OPERATION, seq)
    assert broken.what.startswith(what)


@pytest.mark.parametrize(("record", "seq", "what"), WITHOUT_SEALS)
def test_seals_name_the_same_entry(record: Record, seq: int, what: str) -> None:
    """Whatever the chain says already."""
    entries, says = record
    broken = examine(says, entries, SEALS)
    assert isinstance(broken, Broken)
    assert broken.seq == seq


@pytest.mark.parametrize("seals", [SEALS, SEALS[:3], []], ids=["all sealed", "the last ones not sealed yet", "never sealed"])
def test_a_whole_journal_is_whole(seals: list[Sealed]) -> None:
    """However far it is sealed."""
    assert examine(ROW, ENTRIES, seals) is None


def test_an_operation_that_has_not_begun_is_whole() -> None:
    """There is nothing yet."""
    assert examine(Row(OPERATION, 0, "", "requested"), [], []) is None


CHANGES: list[Callable[[Entry], Entry]] = [
    lambda entry: replace(entry, actor="eve"),
    lambda entry: replace(entry, at=1),
    lambda entry: replace(entry, token=99),
    lambda entry: replace(entry, step="other"),
    lambda entry: replace(entry, kind=Kind.APPROVED),
]

# A busy machine is no defect.
unhurried = settings(deadline=None)


@unhurried
@given(st.integers(0, 5), st.sampled_from(CHANGES), st.booleans())
def test_no_edit_goes_unnoticed(at: int, change: Callable[[Entry], Entry], anew: bool) -> None:  # noqa: FBT001
    """In any field of any entry, with or without the chain made anew."""
    touched = [*ENTRIES[:at], change(ENTRIES[at]), *ENTRIES[at + 1 :]]
    entries, says = renewed(touched) if anew else kept(touched)
    broken = examine(says, entries, SEALS)
    assert broken is not None
    assert broken.seq == (at + 1)
