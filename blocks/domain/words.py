"""What the words of people lead to, given where the operation stands: entries of its journal, or a no."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from blocks.domain.approval import APPROVAL, Ballot, Question, Speaker, canonical, may_answer, weigh
from blocks.domain.errors import NotAllowed, TooLate
from blocks.domain.journal import Fact, Kind, Phase, Reason, State
from blocks.domain.planned import WATCHED
from blocks.domain.together import MEET, SET_FAILED

WHOLE = "operation"
ENDED = (Phase.SUCCEEDED, Phase.WITHDRAWN)
ASK_AGAIN = "ask for the operation again"


@dataclass(frozen=True)
class Said:
    """One word: whose, why, about which plan, whether what cannot be taken back may stay, and whether more stages than one are meant.

    `hint` says what somebody can do about why.
    """

    speaker: Speaker
    why: str = ""
    hash: str = ""
    accept_remaining: bool = False
    fully: bool = False
    hint: str = ""


@dataclass(frozen=True)
class Heard:
    """Where the operation stands when the word comes; `superseded`: another operation on its installation came after it.

    `committed`: it was made for a set, and all plugins of that serve.
    """

    state: State
    now: int
    superseded: bool = False
    committed: bool = False


def answer_approve(said: Said, heard: Heard) -> Sequence[Fact]:
    """The yes, and the approval once enough people have given theirs."""
    question = _standing(heard)
    vote = _fact(APPROVAL, Kind.VOTED, said, {"hash": said.hash, "comment": said.why})
    approval = weigh(question, heard.state.votes, Ballot(said.speaker, said.hash, heard.now))
    if approval is None:
        return [vote]
    return [vote, _fact(APPROVAL, Kind.APPROVED, said, {"hash": approval.hash, "by": [*approval.by]})]


def answer_refuse(said: Said, heard: Heard) -> Sequence[Fact]:
    """The no of somebody who might have said yes; one that has said yes may think better of it."""
    may_answer(_standing(heard), {}, Ballot(said.speaker, said.hash, heard.now))
    return [_reason(APPROVAL, Kind.REFUSED, said, Reason("not-approved", _sentence(said, "refused it"), ASK_AGAIN))]


def answer_expire(said: Said, heard: Heard) -> Sequence[Fact]:
    """The end of a question that nobody answered in time; `TooLate` if it was answered or still stands."""
    if heard.now < _standing(heard).expires_at:
        raise TooLate("the question still stands")
    return [_reason(APPROVAL, Kind.REFUSED, said, Reason("not-approved", "not enough people agreed in time", ASK_AGAIN))]


def answer_cancel(said: Said, heard: Heard) -> Sequence[Fact]:
    """The way back; where nothing was begun that is the end at once, and where it is taken already nothing needs saying."""
    return _turn_back(said, heard, Reason("cancelled", _sentence(said, "cancelled it")))


def answer_call_back(said: Said, heard: Heard) -> Sequence[Fact]:
    """The way back because of another plugin of the set."""
    return _turn_back(said, heard, Reason(SET_FAILED, said.why, said.hint))


def answer_wake(said: Said, heard: Heard) -> Sequence[Fact]:
    """The way on for who waited for the other plugins of a set; `TooLate` if it does not."""
    waits = [step for step in heard.state.questions if step.startswith(f"{MEET}:")]
    if heard.state.phase is not Phase.PARKED or not waits:
        raise TooLate(f"nobody waits for the others: the operation is {heard.state.phase}")
    return [_fact(waits[0], Kind.RESUMED, said, None)]


def answer_freeze(said: Said, heard: Heard) -> Sequence[Fact]:
    """A stop where the operation stands."""
    _must_be_open(heard)
    if heard.state.phase is Phase.FROZEN:
        raise NotAllowed("the operation is frozen already", "unfreeze, retry or cancel it")
    return [_reason(WHOLE, Kind.HALTED, said, Reason("halted", _sentence(said, "froze it"), "unfreeze or cancel it"))]


def answer_unfreeze(said: Said, heard: Heard) -> Sequence[Fact]:
    """The way on, or the way back if that was the one; what was accepted before stays accepted."""
    return _go_on(said, heard, accepted=heard.state.accepted)


def answer_retry(said: Said, heard: Heard) -> Sequence[Fact]:
    """The way on, or the way back if that was the one, leaving what cannot be taken back if that is accepted now."""
    return _go_on(said, heard, accepted=said.accept_remaining)


def answer_promote(said: Said, heard: Heard) -> Sequence[Fact]:
    """The stage that is watched is good enough, whatever the numbers say; with `fully` so are those before the last."""
    if heard.state.phase not in (Phase.APPLYING, Phase.PARKED):
        raise TooLate(f"no stage is watched: the operation is {heard.state.phase}")
    begun = [step for step in heard.state.intents if step.startswith(WATCHED) and step not in heard.state.results]
    if not begun:
        raise NotAllowed(
            "no stage is watched now", "only a stage of a canary or an A/B test can be promoted, while it is watched"
        )
    return [_fact(begun[-1], Kind.PROMOTED, said, {"fully": said.fully, "reason": said.why})]


def _turn_back(said: Said, heard: Heard, why: Reason) -> Sequence[Fact]:
    _must_be_open(heard)
    if heard.committed:
        raise TooLate("all plugins of its set serve", "let it end, then roll it back")
    if heard.state.phase is Phase.UNDOING:
        return []
    cancelled = _reason(WHOLE, Kind.CANCELLED, said, why)
    return [cancelled] if heard.state.intents else [cancelled, Fact(WHOLE, Kind.WITHDRAWN, said.speaker.subject)]


def _go_on(said: Said, heard: Heard, *, accepted: bool) -> Sequence[Fact]:
    _must_be_open(heard)
    if heard.state.phase is not Phase.FROZEN:
        raise NotAllowed(f"the operation is {heard.state.phase}", "only what is frozen can go on")
    if not heard.state.failed:
        return [_fact(WHOLE, Kind.RESUMED, said, {"reason": said.why})]
    return [_fact(WHOLE, Kind.REVERTING, said, {"acceptRemaining": accepted, "reason": said.why})]


def _standing(heard: Heard) -> Question:
    asked = heard.state.questions.get(APPROVAL)
    if heard.state.phase is not Phase.PARKED or asked is None:
        raise TooLate(f"nobody is asked: the operation is {heard.state.phase}")
    return Question.read(asked)


def _must_be_open(heard: Heard) -> None:
    if heard.state.phase in ENDED:
        raise TooLate(f"the operation has ended: it is {heard.state.phase}")
    if heard.superseded and heard.state.phase is Phase.FROZEN:
        raise TooLate("another operation on this installation came after it", "that one takes care of what is left")


def _sentence(said: Said, did: str) -> str:
    return f"{said.speaker.subject} {did}: {said.why}" if said.why else f"{said.speaker.subject} {did}"


def _reason(step: str, kind: Kind, said: Said, why: Reason) -> Fact:
    return _fact(step, kind, said, asdict(why))


def _fact(step: str, kind: Kind, said: Said, told: object) -> Fact:
    return Fact(step, kind, said.speaker.subject, canonical(told))
