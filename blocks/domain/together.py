"""What the plugins of a set wait for before they go on: pure decisions from how each of them stands in the record.

Whoever comes to a point waits until all others have come as far. Nothing is remembered for that: a run that takes over finds in the
journals how far each has come. One that goes back takes all others back with it, until all have come to the end: that is the commit.

To add a point: name it in `POINTS` where it comes, and meet there in `flows/install.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from blocks.domain.errors import Terminal
from blocks.domain.journal import Phase, Reason

# The step by which a plugin of a set comes to a point, and under whose name it stands in the journal.
MEET = "meet"
PLANNED, APPROVED, TURN, READY, STAGE, VERIFIED, SERVED, END = (
    "planned",
    "approved",
    "turn",
    "ready",
    "stage",
    "verified",
    "served",
    "end",
)
POINTS = (PLANNED, APPROVED, TURN, READY, STAGE, VERIFIED, SERVED, END)
# Why a plugin goes back with which nothing is wrong.
SET_FAILED = "set-failed"
# Why a plugin holds nothing while another of the set waits for a person.
WAITS = "waits-for-set"
FORWARDS = frozenset({Phase.REQUESTED, Phase.APPLYING, Phase.PARKED})
GONE_BACK = frozenset({Phase.UNDOING, Phase.WITHDRAWN})
ENDED = frozenset({Phase.SUCCEEDED, Phase.WITHDRAWN})
STOPPED = frozenset({Phase.PARKED, Phase.FROZEN})


@dataclass(frozen=True)
class Member:
    """One plugin of a set: its place in the order, its phase, and the furthest point that it came to, empty while it came to none.

    `waits`: it is parked for the others alone. `failed`: its way is back, even where it is frozen.
    """

    operation: UUID
    plugin: str
    place: int
    phase: Phase
    point: str = ""
    waits: bool = False
    failed: bool = False
    reason: Reason | None = None

    @property
    def is_bad(self) -> bool:
        """Whether it does not come to the end."""
        return self.failed or self.phase in GONE_BACK

    def is_at(self, point: str) -> bool:
        """Whether it has come as far; who had nothing to change is everywhere."""
        return self.phase is Phase.SUCCEEDED or bool(self.point and _rank(self.point) >= _rank(point))


@dataclass(frozen=True)
class Together:
    """A set whose plugins are on their way; once it is `committed` none of them goes back with another."""

    id: UUID
    name: str
    members: tuple[Member, ...]
    committed: bool = False

    def member(self, operation: UUID) -> Member:
        """The plugin that the operation is about."""
        return next(one for one in self.members if one.operation == operation)

    def others(self, operation: UUID) -> tuple[Member, ...]:
        """All but that one."""
        return tuple(one for one in self.members if one.operation != operation)


@dataclass(frozen=True)
class Go:
    """All others have come as far."""


@dataclass(frozen=True)
class Wait:
    """Somebody is still at work, or is about to be called back."""


@dataclass(frozen=True)
class Rest:
    """A person has to say something first; `plugin` is what waits for that, or waits itself."""

    plugin: str


class Word(StrEnum):
    """What is said to a plugin of a set because of the others."""

    CALL_BACK = "call back"
    WAKE = "wake"


def look_around(point: str, operation: UUID, together: Together) -> Go | Wait | Rest:
    """Whether the plugin goes on from the point that it has come to."""
    if together.committed:
        return Go()
    me, others = together.member(operation), together.others(operation)
    if any(one.is_bad for one in others):
        return Wait()
    behind = [one for one in others if one.phase is Phase.FROZEN or not one.is_at(_asked_of(one, point, me.place))]
    if stopped := [one.plugin for one in behind if one.phase in STOPPED]:
        return Rest(stopped[0])
    return Wait() if behind else Go()


def what_to_say(together: Together) -> Mapping[UUID, Word]:
    """What has to be said to whom: the others come back with one that goes back, and who waits in vain no longer is woken."""
    if not together.committed and find_bad(together.members):
        return {one.operation: Word.CALL_BACK for one in together.members if one.phase in FORWARDS and not one.is_bad}
    awake = replace(together, members=tuple(replace(one, phase=Phase.APPLYING) if one.waits else one for one in together.members))
    waiting = [one for one in together.members if one.waits]
    return {one.operation: Word.WAKE for one in waiting if not isinstance(look_around(one.point, one.operation, awake), Rest)}


def find_bad(members: Iterable[Member]) -> Member | None:
    """The plugin because of which all are taken back, or None."""
    bad = [one for one in members if one.is_bad]
    return min(bad, key=lambda one: (one.reason is not None and one.reason.code == SET_FAILED, one.place), default=None)


def blame(name: str, bad: Member) -> Reason:
    """Why a plugin with which nothing is wrong goes back."""
    why, hint = (bad.reason.message, bad.reason.hint) if bad.reason else ("it does not say why", "")
    return Reason(SET_FAILED, f"the set {name} is taken back because of {bad.plugin}: {why}", hint)


def phase_of(members: Sequence[tuple[Phase, bool]]) -> Phase:
    """Where the whole set stands, from the phase of each and whether its way is back."""
    phases = [phase for phase, _ in members]
    back = any(failed or phase in GONE_BACK for phase, failed in members)
    if all(phase in ENDED for phase in phases):
        return Phase.WITHDRAWN if back else Phase.SUCCEEDED
    if back:
        return Phase.FROZEN if all(phase in (*ENDED, Phase.FROZEN) for phase in phases) else Phase.UNDOING
    return next(one for one in ORDER if one in phases)


# Of several phases on the way forwards the first of these is that of the set.
ORDER = (Phase.APPLYING, Phase.REQUESTED, Phase.FROZEN, Phase.PARKED)


def furthest(points: Iterable[str]) -> str:
    """The last of the points in their order, empty where there are none."""
    return max(points, key=_rank, default="")


def _asked_of(other: Member, point: str, place: int) -> str:
    """How far the other must have come: for its turn a plugin waits until all before it are ready."""
    return READY if point == TURN and other.place < place else point


def _rank(point: str) -> tuple[int, int]:
    name, _, number = point.partition(":")
    if name not in POINTS:
        raise Terminal(f"nobody meets at {point}")
    return POINTS.index(name), int(number or 0)
