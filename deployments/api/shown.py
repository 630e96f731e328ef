"""The small parts of what the API shows, camelCase on the wire; times are ISO 8601 in UTC."""

import json
from datetime import UTC, datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_camel

from blocks.domain.approval import Question, Vote
from blocks.domain.status import StepState, StepView

# Characters of a step's recorded result that are shown; the flow run has the rest.
SHOWN = 8192
INSTALLATIONS = "/api/v1/installations"


class Shown(BaseModel):
    """Something that leaves the API."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)


class StepShown(Shown):
    """One step of the newest operation; `result` is what the step returned, or null if it is too long to show.

    `why` is the sentence with which the step explains its result, if it has one, however long the result is; `does` what the plan says
    that the step does, once there is a plan.
    """

    name: str = Field(examples=["resolve"])
    state: StepState
    started_at: datetime
    ended_at: datetime | None
    seconds: float | None = Field(examples=[1.25])
    result: JsonValue
    why: str | None = Field(default=None, examples=["success rate 1 of 240 requests, at least 0.99 wanted"])
    does: str | None = Field(default=None, examples=["send 25 % of the requests to the revision, in one write"])
    measured: str | None = Field(default=None, examples=["success rate 1 of 120 requests, at least 0.99 wanted"])
    measured_at: datetime | None = None

    @classmethod
    def of(cls, step: StepView, does: str | None = None) -> Self:
        """The step as it is shown."""
        result = json.loads(step.result)
        return cls(
            name=step.name,
            state=step.state,
            started_at=moment(step.started_at),
            ended_at=None if step.ended_at is None else moment(step.ended_at),
            seconds=step.seconds,
            result=result if len(step.result) <= SHOWN else None,
            why=result.get("why") if isinstance(result, dict) else None,
            does=does,
            measured=step.measured or None,
            measured_at=moment(step.measured_at) if step.measured_at else None,
        )


class ReasonShown(Shown):
    """Why an operation stands where it stands: a code to look up, a sentence, and what to do."""

    code: str = Field(examples=["unresolvable"])
    message: str = Field(examples=["no release of @backstage/plugin-catalog satisfies ^99"])
    hint: str


class VoteShown(Shown):
    """Who approved, and what they said."""

    subject: str = Field(examples=["ann"])
    comment: str
    at: datetime


class ApprovalShown(Shown):
    """The question an operation waits with: may exactly the plan with this hash be applied? Never answered by who asked for it."""

    hash: str = Field(examples=[f"sha256:{'3f' * 32}"])
    requester: str
    quorum: int = Field(description="so many approvals are needed")
    roles: tuple[str, ...] = Field(examples=[["admin", "approver"]])
    expires_at: datetime = Field(description="after this it counts as refused")
    votes: tuple[VoteShown, ...]

    @classmethod
    def of(cls, question: Question, votes: tuple[Vote, ...]) -> Self:
        """The question as it is shown."""
        return cls(
            hash=question.hash,
            requester=question.requester,
            quorum=question.quorum,
            roles=tuple(sorted(question.roles)),
            expires_at=moment(question.expires_at),
            votes=tuple(VoteShown(subject=vote.subject, comment=vote.comment, at=moment(vote.at)) for vote in votes),
        )


def moment(milliseconds: int) -> datetime:
    """The time, given as milliseconds since 1970."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
