"""How an installation looks from outside: phase and reason, and each step with its times; made from the journal alone."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from blocks.domain.approval import APPROVAL, Question, Vote
from blocks.domain.asking import Wish
from blocks.domain.health import Condition
from blocks.domain.journal import PHASE_AFTER, Entry, Fact, Kind, Phase, Reason
from blocks.domain.measured import tell_measured


class StepState(StrEnum):
    """Where one step stands."""

    RUNNING = "running"
    WAITING = "waiting"
    STOPPED = "stopped"
    DONE = "done"
    FAILED = "failed"
    UNDOING = "undoing"
    UNDONE = "undone"


AFTER: Mapping[Kind, StepState] = MappingProxyType(
    {
        Kind.INTENDED: StepState.RUNNING,
        Kind.PARKED: StepState.WAITING,
        Kind.DONE: StepState.DONE,
        Kind.APPROVED: StepState.DONE,
        Kind.UNDOING: StepState.UNDOING,
        Kind.UNDONE: StepState.UNDONE,
    }
)

# These carry a reason as their payload, and the operation shows it to people.
WITH_REASON = frozenset({Kind.FAILED, Kind.REFUSED, Kind.CANCELLED, Kind.FROZEN, Kind.HALTED})
# The steps whose result is a plan.
PLANS = frozenset({"make_plan", "plan_return"})
# What becomes of a step that runs or waits when the whole operation is stopped.
STOPS: Mapping[Kind, StepState] = MappingProxyType(
    {
        Kind.FAILED: StepState.FAILED,
        Kind.FROZEN: StepState.FAILED,
        Kind.REFUSED: StepState.FAILED,
        Kind.CANCELLED: StepState.STOPPED,
        Kind.HALTED: StepState.STOPPED,
    }
)


@dataclass(frozen=True)
class StepView:
    """One step of an operation; times in milliseconds since 1970, `result` the JSON text that the step returned.

    `measured` is what its last look at the revision said, empty where it has not looked yet or does not, `measured_at` when that was.
    """

    name: str
    state: StepState
    started_at: int
    ended_at: int | None = None
    result: str = "null"
    measured: str = ""
    measured_at: int = 0

    @property
    def seconds(self) -> float | None:
        """How long it took, or None while it runs."""
        return None if self.ended_at is None else (self.ended_at - self.started_at) / 1000


@dataclass(frozen=True)
class OperationView:
    """One operation as people see it.

    `place` is its place in the queue, from 1, or 0 where it holds a slot or needs none; `question` what people are asked now, if anything;
    `trouble` why the run that was started for it does not begin.
    """

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
    wish: Wish = field(default_factory=Wish)
    priority: int = 1
    place: int = 0
    question: Question | None = None
    votes: tuple[Vote, ...] = ()
    trouble: str = ""


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
    """One installation with its newest operation and the revision that serves, if one does; `health` is of what serves and is enabled."""

    id: UUID
    tenant: str
    environment: str
    plugin: str
    slug: str
    namespace: str
    created_at: int
    operation: OperationView
    revision: RevisionView | None = None
    enabled: bool = True
    health: Condition | None = None


@dataclass(frozen=True)
class PastRevision:
    """A revision that serves or served; times in milliseconds since 1970, `operation` the one that made it."""

    number: int
    release: str
    integrity: str
    image: str
    url: str
    operation: UUID
    served_at: int
    serving: bool
    quarantined: bool


@dataclass(frozen=True)
class QuarantineView:
    """A release (`name@version`) that is not tried again on an installation until somebody lifts that; `lifted_at` is 0 until then."""

    release: str
    reason: str
    actor: str
    at: int
    lifted_at: int
    lifted_by: str
    lifted_why: str


def see_steps(entries: Iterable[Entry]) -> tuple[StepView, ...]:
    """The steps in the order in which they were first begun; what ran when the operation failed is failed."""
    steps: dict[str, StepView] = {}
    for entry in entries:
        if entry.kind in AFTER:
            steps[entry.step] = _see(steps.get(entry.step), entry)
        elif entry.kind is Kind.MEASURED:
            steps[entry.step] = replace(steps[entry.step], measured=tell_measured(entry.payload), measured_at=entry.at)
        else:
            steps = {name: _end(step, entry) for name, step in steps.items()}
    return tuple(steps.values())


def see_planned(steps: Iterable[StepView]) -> dict[str, str]:
    """What each step does, by its name, as the plan among the results says; nothing while there is no plan."""
    results = (json.loads(one.result) for one in steps if one.name in PLANS)
    return {told["name"]: told["what"] for found in results if isinstance(found, dict) for told in found.get("steps", ())}


def see_question(entries: Iterable[Entry]) -> tuple[Question | None, tuple[Vote, ...]]:
    """What people are asked at the end of the entries, and who has agreed so far."""
    question: Question | None = None
    votes: tuple[Vote, ...] = ()
    for entry in entries:
        if entry.step != APPROVAL or PHASE_AFTER[entry.kind] is not Phase.PARKED:
            question, votes = None, ()
        elif entry.kind is Kind.PARKED:
            question, votes = Question.read(entry.payload), ()
        else:
            votes = (*votes, Vote(entry.actor, json.loads(entry.payload)["comment"], entry.at))
    return question, votes


def told_reason(fact: Fact) -> str | None:
    """The reason that a fact gives for where it leaves the operation, as JSON text, or None; a question about a stage says why too."""
    if fact.kind in WITH_REASON:
        return fact.payload
    told = json.loads(fact.payload) if fact.kind is Kind.PARKED else None
    return json.dumps(told["why"]) if isinstance(told, dict) and "why" in told else None


def read_reason(text: str) -> Reason | None:
    """The reason in a row's JSON text, or None."""
    told = json.loads(text)
    return Reason(**told) if isinstance(told, dict) else None


def _see(before: StepView | None, entry: Entry) -> StepView:
    state = AFTER[entry.kind]
    if before is None:
        return StepView(entry.step, state, entry.at)
    if state in (StepState.RUNNING, StepState.WAITING):
        # Begun again by another worker: the time counts from the first try.
        return StepView(entry.step, state, before.started_at, measured=before.measured, measured_at=before.measured_at)
    if state is StepState.DONE:
        return replace(before, state=state, ended_at=entry.at, result=entry.payload)
    return replace(before, state=state, ended_at=before.ended_at or entry.at)


def _end(step: StepView, entry: Entry) -> StepView:
    if step.state in (StepState.RUNNING, StepState.WAITING) and entry.kind in STOPS:
        return replace(step, state=STOPS[entry.kind], ended_at=entry.at)
    return step
