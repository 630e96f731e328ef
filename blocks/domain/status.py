"""How an installation looks from outside: phase and reason, and each step with its times; made from the journal alone."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from blocks.domain.journal import Entry, Kind, Phase, Reason


class StepState(StrEnum):
    """Where one step stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    UNDOING = "undoing"
    UNDONE = "undone"


AFTER: Mapping[Kind, StepState] = MappingProxyType(
    {
        Kind.INTENDED: StepState.RUNNING,
        Kind.DONE: StepState.DONE,
        Kind.UNDOING: StepState.UNDOING,
        Kind.UNDONE: StepState.UNDONE,
    }
)


@dataclass(frozen=True)
class StepView:
    """One step of an operation; times in milliseconds since 1970, `result` the JSON text that the step returned."""

    name: str
    state: StepState
    started_at: int
    ended_at: int | None = None
    result: str = "null"

    @property
    def seconds(self) -> float | None:
        """How long it took, or None while it runs."""
        return None if self.ended_at is None else (self.ended_at - self.started_at) / 1000


@dataclass(frozen=True)
class OperationView:
    """One operation as people see it."""

    id: UUID
    installation: UUID
    verb: str
    phase: Phase
    actor: str
    attempt: int
    flow_run: str
    reason: Reason | None
    created_at: int
    updated_at: int
    steps: tuple[StepView, ...] = ()


@dataclass(frozen=True)
class RevisionView:
    """What serves: the release as `name@version`, the pinned image and the address people call."""

    number: int
    release: str
    integrity: str
    image: str
    url: str


@dataclass(frozen=True)
class InstallationView:
    """One installation with its newest operation and the revision that serves, if one does."""

    id: UUID
    tenant: str
    environment: str
    plugin: str
    slug: str
    namespace: str
    created_at: int
    operation: OperationView
    revision: RevisionView | None = None


def see_steps(entries: Iterable[Entry]) -> tuple[StepView, ...]:
    """The steps in the order in which they were first begun; what ran when the operation failed is failed."""
    steps: dict[str, StepView] = {}
    for entry in entries:
        if entry.kind in AFTER:
            steps[entry.step] = _see(steps.get(entry.step), entry)
        else:
            steps = {name: _end(step, entry) for name, step in steps.items()}
    return tuple(steps.values())


def read_reason(text: str) -> Reason | None:
    """The reason in a row's JSON text, or None."""
    told = json.loads(text)
    return Reason(**told) if isinstance(told, dict) else None


def _see(before: StepView | None, entry: Entry) -> StepView:
    state = AFTER[entry.kind]
    if before is None:
        return StepView(entry.step, state, entry.at)
    if entry.kind is Kind.INTENDED:
        # Begun again by another worker: the time counts from the first try.
        return StepView(entry.step, state, before.started_at)
    if entry.kind is Kind.DONE:
        return replace(before, state=state, ended_at=entry.at, result=entry.payload)
    return replace(before, state=state, ended_at=before.ended_at or entry.at)


def _end(step: StepView, entry: Entry) -> StepView:
    if step.state is StepState.RUNNING and entry.kind in (Kind.FAILED, Kind.FROZEN):
        return replace(step, state=StepState.FAILED, ended_at=entry.at)
    return step
