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
from typing import Self
from uuid import UUID


class Kind(StrEnum):
    """What an entry says about its step."""

    INTENDED = "intended"
    DONE = "done"
    FAILED = "failed"
    PARKED = "parked"
    APPROVED = "approved"
    REFUSED = "refused"
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
        Kind.APPROVED: Phase.APPLYING,
        Kind.REFUSED: Phase.UNDOING,
        Kind.UNDOING: Phase.UNDOING,
        Kind.UNDONE: Phase.UNDOING,
        Kind.FROZEN: Phase.FROZEN,
        Kind.WITHDRAWN: Phase.WITHDRAWN,
        Kind.FINISHED: Phase.SUCCEEDED,
    }
)
WORKABLE = frozenset({Phase.REQUESTED, Phase.APPLYING, Phase.UNDOING})


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
    """What the entries so far amount to; `intents` keeps the order in which steps were first begun."""

    phase: Phase = Phase.REQUESTED
    intents: Mapping[str, str] = field(default_factory=dict)
    results: Mapping[str, str] = field(default_factory=dict)
    questions: Mapping[str, str] = field(default_factory=dict)

    def after(self, entry: Entry) -> Self:
        """The state once this entry is counted in."""
        known = replace(self, phase=PHASE_AFTER[entry.kind])
        told = {entry.step: entry.payload}
        match entry.kind:
            case Kind.INTENDED:
                return replace(known, intents={**self.intents, **told})
            case Kind.PARKED:
                return replace(known, questions={**self.questions, **told})
            case Kind.DONE | Kind.APPROVED:
                return replace(known, results={**self.results, **told})
            case Kind.UNDONE:
                return replace(known, intents=_without(self.intents, entry.step), results=_without(self.results, entry.step))
        return known


def fold(entries: Iterable[Entry]) -> State:
    """What the entries amount to."""
    return reduce(State.after, entries, State())


def first_broken(entries: Iterable[Entry], head: str) -> int | None:
    """The number of the first entry that was altered, moved or cut away, or None if the chain holds up to `head`."""
    before: Entry | None = None
    for entry in entries:
        if not entry.follows(before):
            return entry.seq
        before = entry
    held = before.hash if before else ""
    return None if held == head else (before.seq if before else 0) + 1


def _without(told: Mapping[str, str], step: str) -> Mapping[str, str]:
    return {name: payload for name, payload in told.items() if name != step}
