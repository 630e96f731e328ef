"""What the record must do, written down a second time and otherwise: plain lists and words, nothing of the product's."""

from collections import defaultdict
from dataclasses import dataclass, field

WORKABLE = ("requested", "applying", "undoing")
ENDED = ("succeeded", "withdrawn")
STEPS = ("resolve", "build", "approval", "watch_stage:1")
QUORUM = 2
PEOPLE = {"ann": ("approver",), "bob": ("approver",), "cid": ("approver", "admin"), "eve": ("viewer",)}
REQUESTER = "ann"


@dataclass
class Modelled:
    """One operation as it must stand."""

    name: str
    priority: int
    age: int
    phase: str = "requested"
    token: int = 0
    held: bool = False
    slot: bool = False
    back: bool = False
    accepted: bool = False
    overdue: bool = False
    promoted: bool = False
    lines: int = 0
    begun: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    votes: list[str] = field(default_factory=list)
    tries: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    world: list[str] = field(default_factory=list)

    @property
    def workable(self) -> bool:
        """Whether somebody could carry it now."""
        return self.phase in WORKABLE

    def next_line(self) -> tuple[str, str]:
        """What a carrier that does everything right says next: the step and the kind."""
        if self.phase == "undoing":
            if not self.begun:
                return "operation", "withdrawn"
            last = self.begun[-1]
            return (last, "undone") if self.token in self.tries[f"undo {last}"] else (last, "undoing")
        todo = [step for step in STEPS if step not in self.done]
        if not todo:
            return "operation", "finished"
        if self.token not in self.tries[todo[0]]:
            return todo[0], "intended"
        return todo[0], "parked" if todo[0] == "approval" else "done"

    def carry(self, step: str, kind: str, *, overdue: bool = False) -> None:
        """The carrier has said this."""
        self.lines += 1
        getattr(self, f"_{kind}")(step)
        if kind == "parked":
            self.overdue = overdue
        if not self.workable:
            self.slot = self.held = False

    def take_over(self) -> None:
        """A person's word has changed the phase: whoever carried it is out."""
        self.token, self.held = self.token + 1, False
        if not self.workable:
            self.slot = False

    def count(self) -> dict[str, int]:
        """How many carriers began something and left no result."""
        return {step: len(tokens) for step, tokens in self.tries.items() if tokens}

    def _intended(self, step: str) -> None:
        self.phase = "applying"
        self.tries[step].add(self.token)
        if step not in self.begun:
            self.begun.append(step)
        if step not in self.world:
            self.world.append(step)

    def _done(self, step: str) -> None:
        self.phase = "applying"
        self.done.append(step)
        self.tries.pop(step, None)

    def _parked(self, step: str) -> None:
        self.phase, self.votes = "parked", []
        self.tries.pop(step, None)

    def _failed(self, _: str) -> None:
        self.phase, self.back = "undoing", True

    def _frozen(self, _: str) -> None:
        self.phase, self.accepted = "frozen", False

    def _undoing(self, step: str) -> None:
        self.phase = "undoing"
        self.tries[f"undo {step}"].add(self.token)

    def _undone(self, step: str) -> None:
        self.phase = "undoing"
        self.world.remove(step)
        self.begun.remove(step)
        self.done = [one for one in self.done if one != step]
        self.tries.pop(step, None)
        self.tries.pop(f"undo {step}", None)

    def _withdrawn(self, _: str) -> None:
        self.phase = "withdrawn"

    def _finished(self, _: str) -> None:
        self.phase = "succeeded"


def answer(one: Modelled, who: str, right_plan: bool) -> str:  # noqa: FBT001
    """The name of the refusal that this person's answer meets, or nothing."""
    if one.phase != "parked" or one.overdue:
        return "TooLate"
    if not right_plan:
        return "WrongPlan"
    return "NotAllowed" if who == REQUESTER or "approver" not in PEOPLE[who] else ""


def approve(one: Modelled, who: str, right_plan: bool) -> str:  # noqa: FBT001
    """A yes: the refusal that it meets, or the phase in which it leaves the operation."""
    refusal = answer(one, who, right_plan)
    if refusal or who in one.votes:
        return refusal or "AlreadyVoted"
    one.votes.append(who)
    one.lines += 1
    if len(one.votes) == QUORUM:
        one.lines, one.phase = one.lines + 1, "applying"
        one.done.append("approval")
        one.take_over()
    return one.phase


def refuse(one: Modelled, who: str, right_plan: bool) -> str:  # noqa: FBT001
    """A no: the refusal that it meets, or the phase."""
    return answer(one, who, right_plan) or turn_back(one)


def turn_back(one: Modelled) -> str:
    """From here the way leads back."""
    one.lines, one.phase, one.back = one.lines + 1, "undoing", True
    one.take_over()
    return one.phase


def cancel(one: Modelled) -> str:
    """A cancel: the refusal that it meets, or the phase."""
    if one.phase in ENDED:
        return "TooLate"
    if one.phase == "undoing":
        return "undoing"
    turn_back(one)
    if not one.begun:
        one.lines, one.phase, one.slot = one.lines + 1, "withdrawn", False
    return one.phase


def freeze(one: Modelled) -> str:
    """A stop: the refusal that it meets, or the phase."""
    if one.phase in ENDED:
        return "TooLate"
    if one.phase == "frozen":
        return "NotAllowed"
    one.lines, one.phase = one.lines + 1, "frozen"
    one.take_over()
    return one.phase


def promote(one: Modelled) -> str:
    """A stage that is good enough: the refusal that the word meets, or the phase, in which whoever carries it goes on."""
    if one.phase not in ("applying", "parked"):
        return "TooLate"
    if STEPS[-1] not in one.begun or STEPS[-1] in one.done:
        return "NotAllowed"
    one.lines, one.promoted = one.lines + 1, True
    return one.phase


def go_on(one: Modelled, accept: bool | None) -> str:  # noqa: FBT001
    """Unfreeze (None) or retry, accepting what remains or not: the refusal that it meets, or the phase."""
    if one.phase in ENDED:
        return "TooLate"
    if one.phase != "frozen":
        return "NotAllowed"
    if one.back and accept is not None:
        one.accepted = accept
    one.lines, one.phase = one.lines + 1, "undoing" if one.back else "applying"
    one.tries.clear()
    one.take_over()
    return one.phase


def queue(everybody: list[Modelled]) -> list[Modelled]:
    """Who waits for a slot, in order."""
    waiting = [one for one in everybody if one.workable and not one.slot and not one.held]
    return sorted(waiting, key=lambda one: (-one.priority, one.age))


def take_slot(one: Modelled, everybody: list[Modelled], most: int) -> int:
    """0, or the place in the queue."""
    taken = sum(other.workable and (other.slot or other.held) for other in everybody)
    waiting = queue(everybody)
    place = waiting.index(one) + 1 if one in waiting else 0
    if place > most - taken:
        return place
    one.slot = one.slot or one.workable
    return 0


def idle(everybody: list[Modelled]) -> list[str]:
    """Who has work to do that nobody does, in order."""
    waiting = [one for one in everybody if one.workable and not one.held]
    return [one.name for one in sorted(waiting, key=lambda one: (-one.priority, one.age))]
