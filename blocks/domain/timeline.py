"""Everything that happened to an installation, in order: who did what, why, with what result, and how long it took."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from blocks.domain.asking import Wish
from blocks.domain.journal import Entry, Kind
from blocks.domain.measured import tell_measured

# A result longer than this many characters is cut; the whole of it stands in the journal.
SHORT = 160
REQUESTED = "requested"


@dataclass(frozen=True)
class Moment:
    """One thing that happened; `at` in milliseconds since 1970, `seconds` what the step took where this is its end.

    `seq` is the entry's number in the journal of its operation, 0 for the request itself; `trace` is the operation's id as 32 hex digits.
    """

    at: int
    operation: UUID
    verb: str
    seq: int
    actor: str
    reason: str
    step: str
    kind: str
    result: str
    seconds: float | None
    trace: str


@dataclass(frozen=True)
class Told:
    """One operation as it was asked for, with its journal."""

    operation: UUID
    verb: str
    actor: str
    wish: Wish
    created_at: int
    entries: tuple[Entry, ...] = ()


def tell(operations: Iterable[Told]) -> tuple[Moment, ...]:
    """Every moment of the operations, the earliest first; what happened in one operation stays in its order."""
    moments = [moment for told in operations for moment in _of_operation(told)]
    return tuple(sorted(moments, key=lambda moment: moment.at))


def _of_operation(told: Told) -> list[Moment]:
    moments, begun = [_request(told)], dict[tuple[str, bool], int]()
    for entry in told.entries:
        _begin(begun, entry)
        said = json.loads(entry.payload)
        moment = replace(
            moments[0],
            # The database's clock may be set back; what came later is never shown as earlier.
            at=max(moments[-1].at, entry.at),
            seq=entry.seq,
            actor=entry.actor,
            reason=_reason(said),
            step=entry.step,
            kind=entry.kind.value,
            result=_result(entry, said),
            seconds=_seconds(begun, entry),
        )
        moments.append(moment)
    return moments


def _request(told: Told) -> Moment:
    return Moment(
        at=told.created_at,
        operation=told.operation,
        verb=told.verb,
        seq=0,
        actor=told.actor,
        reason=told.wish.reason,
        step="operation",
        kind=REQUESTED,
        result="",
        seconds=None,
        trace=told.operation.hex,
    )


def _begin(begun: dict[tuple[str, bool], int], entry: Entry) -> None:
    if entry.kind in (Kind.INTENDED, Kind.UNDOING):
        begun.setdefault((entry.step, entry.kind is Kind.UNDOING), entry.at)


def _seconds(begun: Mapping[tuple[str, bool], int], entry: Entry) -> float | None:
    if entry.kind not in (Kind.DONE, Kind.APPROVED, Kind.REFUSED, Kind.UNDONE):
        return None
    since = begun.get((entry.step, entry.kind is Kind.UNDONE))
    return None if since is None else (entry.at - since) / 1000


def _reason(said: Any) -> str:
    """What a person or the pipeline gave as the reason, under the name that each kind of entry has for it."""
    if not isinstance(said, dict):
        return ""
    return str(next((said[name] for name in ("reason", "comment", "message") if said.get(name)), ""))


def _result(entry: Entry, said: Any) -> str:
    if entry.kind is Kind.UNDONE and said is not None:
        return "left as it is"
    if entry.kind not in (Kind.DONE, Kind.MEASURED) or said is None:
        return ""
    text = tell_measured(entry.payload) if entry.kind is Kind.MEASURED else _as_text(entry, said)
    return text if len(text) <= SHORT else f"{text[: SHORT - 1]}…"


def _as_text(entry: Entry, said: Any) -> str:
    return said if isinstance(said, str) else entry.payload
