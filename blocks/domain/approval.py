"""Who may say yes to a plan, how many must, and for how long the question stands: decided here, from values alone.

To ask in another environment, or for another verb: add a row to `POLICIES`.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Self

import rfc8785

from blocks.domain.errors import AlreadyVoted, NotAllowed, TooLate, WrongPlan

HOUR_MS = 3600 * 1000
# The step that asks, and under whose name everything about the question stands in the journal.
APPROVAL = "approval"


@dataclass(frozen=True)
class ApprovalPolicy:
    """How many people with one of the roles must agree, within how many milliseconds."""

    roles: frozenset[str]
    quorum: int
    stands_ms: int


@dataclass(frozen=True)
class Speaker:
    """A person who says something about an operation, and the roles in the token that they came with."""

    subject: str
    roles: frozenset[str]


@dataclass(frozen=True)
class Question:
    """What is asked before a plan is carried out: one hash, and who may answer until when (milliseconds since 1970)."""

    hash: str
    requester: str
    quorum: int
    roles: tuple[str, ...]
    expires_at: int

    @classmethod
    def about(cls, plan_hash: str, requester: str, policy: ApprovalPolicy, now: int) -> Self:
        """The question that the policy wants asked about the plan, standing from `now` on."""
        return cls(plan_hash, requester, policy.quorum, tuple(sorted(policy.roles)), now + policy.stands_ms)

    @classmethod
    def read(cls, text: str) -> Self:
        """The question in its JSON text."""
        told = json.loads(text)
        return cls(**told | {"roles": tuple(told["roles"])})

    def write(self) -> str:
        """The question as canonical JSON."""
        return canonical(asdict(self))


@dataclass(frozen=True)
class Ballot:
    """One person's yes or no to one hash at one time, not yet counted."""

    speaker: Speaker
    hash: str
    at: int


@dataclass(frozen=True)
class Vote:
    """A yes that counts: whose, why, and when."""

    subject: str
    comment: str
    at: int


@dataclass(frozen=True)
class Approval:
    """A plan that enough people agreed to, and who they are."""

    hash: str
    by: tuple[str, ...]


_PROD = ApprovalPolicy(roles=frozenset({"approver", "admin"}), quorum=1, stands_ms=24 * HOUR_MS)
# Going back and switching off are what people do in need: nobody has to be found for them first.
ASKED_ABOUT = ("install", "update", "uninstall")
POLICIES: Mapping[tuple[str, str], ApprovalPolicy] = MappingProxyType({("prod", verb): _PROD for verb in ASKED_ABOUT})


def approval_of(environment: str, verb: str, *, wanted: bool = False) -> ApprovalPolicy | None:
    """What must be agreed to before the verb changes anything in the environment, or None if nobody has to be asked.

    Whoever wants to be looked over the shoulder is, by the rules of prod, wherever it is.
    """
    return POLICIES.get((environment, verb)) or (_PROD if wanted and verb in ASKED_ABOUT else None)


def may_answer(question: Question, voted: Mapping[str, str], ballot: Ballot) -> None:
    """Nothing if the ballot counts for the question.

    Otherwise `TooLate`, `WrongPlan`, `NotAllowed` or `AlreadyVoted`, whichever holds first.
    """
    who = ballot.speaker
    if ballot.at >= question.expires_at:
        raise TooLate("the question stands no longer", "ask for the operation again")
    if ballot.hash != question.hash:
        raise WrongPlan(f"what is asked about is {question.hash}, not {ballot.hash}", "read the plan that stands, then answer")
    if who.subject == question.requester:
        raise NotAllowed("nobody answers for a plan of their own", "let somebody else answer, or cancel it")
    if not who.roles & set(question.roles):
        raise NotAllowed(f"{who.subject} is none of {', '.join(question.roles)}", "ask somebody who is")
    if who.subject in voted:
        raise AlreadyVoted(f"{who.subject} has agreed already", "somebody else must agree too")


def weigh(question: Question, voted: Mapping[str, str], ballot: Ballot) -> Approval | None:
    """The approval if this yes makes the quorum full, None if more must agree; raises what `may_answer` raises."""
    may_answer(question, voted, ballot)
    by = (*voted, ballot.speaker.subject)
    return Approval(question.hash, by) if len(by) >= question.quorum else None


def canonical(told: object) -> str:
    """The value as the one JSON text that is written for it (RFC 8785)."""
    return rfc8785.dumps(told).decode()  # type: ignore[arg-type]
