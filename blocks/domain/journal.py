"""Entries → state of an operation: a fold and a chain, nothing else.

To add a kind of entry: name it in `Kind`, say in `PHASE_AFTER` where it leaves the operation, and, if it speaks about a step, add a
line to `State.after`.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import reduce
from types import MappingProxyType
from typing import Self, TypeVar
from uuid import UUID

T = TypeVar("T")


class Kind(StrEnum):
    """What an entry says about its step."""

    INTENDED = "intended"
    DONE = "done"
    FAILED = "failed"
    PARKED = "parked"
    VOTED = "voted"
    APPROVED = "approved"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    HALTED = "halted"
    RESUMED = "resumed"
    PROMOTED = "promoted"
    MEASURED = "measured"
    REVERTING = "reverting"
    UNDOING = "undoing"
    UNDONE = "undone"
    FROZEN = "frozen"
    WITHDRAWN = "withdrawn"
    FINISHED = "finished"


class Phase(StrEnum):
    """Where an operation stands, for machines."""

    REQUESTED = "requested"
    APPLYING = "applying"
    PARKED = "parked"
    UNDOING = "undoing"
    SUCCEEDED = "succeeded"
    WITHDRAWN = "withdrawn"
    FROZEN = "frozen"

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens by itself."""
        return self in (Phase.SUCCEEDED, Phase.WITHDRAWN, Phase.FROZEN)


PHASE_AFTER: Mapping[Kind, Phase] = MappingProxyType(
    {
        Kind.INTENDED: Phase.APPLYING,
        Kind.DONE: Phase.APPLYING,
        Kind.FAILED: Phase.UNDOING,
        Kind.PARKED: Phase.PARKED,
        Kind.VOTED: Phase.PARKED,
        Kind.APPROVED: Phase.APPLYING,
        Kind.REFUSED: Phase.UNDOING,
        Kind.CANCELLED: Phase.UNDOING,
        Kind.HALTED: Phase.FROZEN,
        Kind.RESUMED: Phase.APPLYING,
        Kind.PROMOTED: Phase.APPLYING,
        Kind.MEASURED: Phase.APPLYING,
        Kind.REVERTING: Phase.UNDOING,
        Kind.UNDOING: Phase.UNDOING,
        Kind.UNDONE: Phase.UNDOING,
        Kind.FROZEN: Phase.FROZEN,
        Kind.WITHDRAWN: Phase.WITHDRAWN,
        Kind.FINISHED: Phase.SUCCEEDED,
    }
)
WORKABLE = frozenset({Phase.REQUESTED, Phase.APPLYING, Phase.UNDOING})
# After one of these the operation is on its way back, whatever stops it there.
TURNS_BACK = frozenset({Kind.FAILED, Kind.REFUSED, Kind.CANCELLED})


@dataclass(frozen=True)
class Reason:
    """Why an operation stands where it stands, for people: a code to look up, a sentence, and what to do."""

    code: str
    message: str
    hint: str = ""


@dataclass(frozen=True)
class Fact:
    """What a writer says; the journal adds the order, the time, the token and the seal."""

    step: str
    kind: Kind
    actor: str
    payload: str = "null"


@dataclass(frozen=True)
class Entry:
    """One sealed fact; `at` is milliseconds since 1970 by the database's clock, `payload` the JSON text that was hashed."""

    operation: UUID
    seq: int
    step: str
    kind: Kind
    token: int
    actor: str
    at: int
    payload: str
    prev: str
    hash: str = ""

    def sealed(self) -> Self:
        """The same entry with the hash over all its other fields."""
        fields = [str(value) for name, value in vars(self).items() if name != "hash"]
        return replace(self, hash=hashlib.sha256(json.dumps(fields).encode()).hexdigest())

    def follows(self, before: Self | None) -> bool:
        """Whether this entry is whole and comes right after that one."""
        seq, prev = (before.seq, before.hash) if before else (0, "")
        return self.seq == seq + 1 and self.prev == prev and self.hash == self.sealed().hash


@dataclass(frozen=True)
class State:
    """What the entries so far amount to; `intents` keeps the order in which steps were first begun.

    `questions` holds the one that stands, `votes` what was said to it, by who said so; `promotions` what people said to a stage that was
    watched, by its step; `tries` are the tokens under which a step, or its undo under
    `undo <step>`, was begun without ever coming to a result. `failed`: the way is back. `accepted`: what cannot be taken back may stay.
    """

    phase: Phase = Phase.REQUESTED
    intents: Mapping[str, str] = field(default_factory=dict)
    results: Mapping[str, str] = field(default_factory=dict)
    questions: Mapping[str, str] = field(default_factory=dict)
    votes: Mapping[str, str] = field(default_factory=dict)
    promotions: Mapping[str, str] = field(default_factory=dict)
    tries: Mapping[str, frozenset[int]] = field(default_factory=dict)
    failed: bool = False
    accepted: bool = False

    @property
    def begun(self) -> Mapping[str, int]:
        """How many workers began each step, or its undo under `undo <step>`, and left no result."""
        return {step: len(tokens) for step, tokens in self.tries.items()}

    def after(self, entry: Entry) -> Self:
        """The state once this entry is counted in."""
        return replace(
            self,
            phase=PHASE_AFTER[entry.kind],
            tries=_tried(self.tries, entry),
            failed=self.failed or entry.kind in TURNS_BACK,
            accepted=_accepted(entry, before=self.accepted),
            **self._told(entry),
        )

    def _told(self, entry: Entry) -> dict[str, Mapping[str, str]]:
        """What the entry changes in what steps and people said."""
        told = {entry.step: entry.payload}
        changed: dict[str, Mapping[str, str]] = {}
        match entry.kind:
            case Kind.INTENDED:
                changed = {"intents": {**self.intents, **told}}
            case Kind.PARKED:
                changed = {"questions": told, "votes": {}}
            case Kind.VOTED:
                changed = {"votes": {**self.votes, entry.actor: entry.payload}}
            case Kind.PROMOTED:
                changed = {"promotions": {**self.promotions, **told}}
            case Kind.DONE | Kind.APPROVED:
                changed = {"results": {**self.results, **told}}
            case Kind.UNDONE:
                changed = {"intents": _without(self.intents, entry.step), "results": _without(self.results, entry.step)}
        return changed


def fold(entries: Iterable[Entry]) -> State:
    """What the entries amount to."""
    return reduce(State.after, entries, State())


def undo_of(step: str) -> str:
    """The name under which the undo of a step is counted and shown."""
    return f"undo {step}"


def first_broken(entries: Iterable[Entry], head: str) -> int | None:
    """The number of the first entry that was altered, moved or cut away, or None if the chain holds up to `head`."""
    before: Entry | None = None
    for entry in entries:
        if not entry.follows(before):
            return entry.seq
        before = entry
    held = before.hash if before else ""
    return None if held == head else (before.seq if before else 0) + 1


def _tried(tries: Mapping[str, frozenset[int]], entry: Entry) -> Mapping[str, frozenset[int]]:
    """The tries once the entry is counted in: a result ends them, a person who lets it go on grants new ones."""
    match entry.kind:
        case Kind.INTENDED:
            return {**tries, entry.step: tries.get(entry.step, frozenset()) | {entry.token}}
        case Kind.UNDOING:
            back = undo_of(entry.step)
            return {**tries, back: tries.get(back, frozenset()) | {entry.token}}
        case Kind.DONE | Kind.APPROVED | Kind.PARKED:
            return _without(tries, entry.step)
        case Kind.UNDONE:
            return _without(tries, entry.step, undo_of(entry.step))
        case Kind.RESUMED | Kind.REVERTING:
            return {}
    return tries


def _accepted(entry: Entry, *, before: bool) -> bool:
    """Whether what cannot be taken back may stay; what stops the operation later is something else than what was accepted."""
    if entry.kind is Kind.REVERTING:
        told = json.loads(entry.payload)
        return isinstance(told, dict) and told.get("acceptRemaining") is True
    return before and entry.kind is not Kind.FROZEN


def _without(told: Mapping[str, T], *steps: str) -> Mapping[str, T]:
    return {name: value for name, value in told.items() if name not in steps}
