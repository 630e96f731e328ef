"""What was done to a journal after it was written: the first entry that is not what it was, and in what way."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from blocks.domain.journal import PHASE_AFTER, Entry, Phase


@dataclass(frozen=True)
class Sealed:
    """The hash that entry `seq` of a journal had when it was written."""

    seq: int
    head: str


@dataclass(frozen=True)
class Broken:
    """The first entry of an operation's journal that is not what was written, and what became of it."""

    operation: UUID
    seq: int
    what: str


@dataclass(frozen=True)
class Row:
    """What the operation's row says of its journal."""

    operation: UUID
    seq: int
    head: str
    phase: str


def examine(row: Row, entries: Sequence[Entry], seals: Iterable[Sealed]) -> Broken | None:
    """The first entry that was edited, removed or moved, or None.

    The chain alone says that something is wrong; the seals say which entry was the first, even where the whole chain was made anew.
    """
    sealed = {seal.seq: seal.head for seal in seals}
    before: Entry | None = None
    for place, entry in enumerate(entries, 1):
        if what := _wrong(place, entry, entries, sealed):
            return Broken(row.operation, place, what)
        if entry.prev != (before.hash if before else ""):
            return Broken(row.operation, *_blame(place, entries, row.head))
        before = entry
    return _end(row, before, sealed)


def _wrong(place: int, entry: Entry, entries: Sequence[Entry], sealed: Mapping[int, str]) -> str:
    if entry.seq != place:
        return "removed"
    if entry.hash != entry.sealed().hash:
        moved = any(replace(entry, seq=other.seq).sealed().hash == entry.hash for other in entries)
        return "put in another place" if moved else "edited"
    if sealed.get(place, entry.hash) != entry.hash:
        return "not the one that was sealed: edited, or moved, and the chain made anew"
    return ""


def _blame(place: int, entries: Sequence[Entry], head: str) -> tuple[int, str]:
    """Which of two neighbours that do not fit was changed, hash and all: the one that does not fit the other way either."""
    entry = entries[place - 1]
    follower = entries[place].prev if place < len(entries) else head
    fits = follower == entry.hash
    return (place - 1, "edited") if fits and place > 1 else (place, "edited")


def _end(row: Row, last: Entry | None, sealed: Mapping[int, str]) -> Broken | None:
    length, head = (last.seq, last.hash) if last else (0, "")
    furthest = max(sealed, default=0)
    if length < max(row.seq, furthest):
        return Broken(row.operation, length + 1, "removed, with all that followed")
    if length > row.seq:
        return Broken(row.operation, row.seq + 1, "added by nobody who may")
    if head != row.head:
        return Broken(row.operation, max(length, 1), "edited")
    phase = PHASE_AFTER[last.kind] if last else Phase.REQUESTED
    if phase.value != row.phase:
        return Broken(row.operation, max(length, 1), f"contradicted: the operation's row says {row.phase}, this entry {phase}")
    return None
