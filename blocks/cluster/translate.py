"""From what the API server says to an error of ours, with the server's own sentence."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from blocks.domain.errors import DoesNotFit, PipelineError, Refused, Transient

UNAUTHORIZED, FORBIDDEN, NOT_FOUND, CONFLICT, GONE, TOO_MANY = 401, 403, 404, 409, 410, 429
FAILURE, BROKEN = 400, 500


@dataclass(frozen=True)
class Answer:
    """What the API server answered."""

    status: int
    body: Mapping[str, Any]
    retry_after: float = 0

    @property
    def ok(self) -> bool:
        """Whether it is a yes."""
        return self.status < FAILURE

    @property
    def sentence(self) -> str:
        """The server's own words."""
        return str(self.body.get("message") or f"status {self.status}")

    @property
    def causes(self) -> list[Mapping[str, Any]]:
        """What the server names as causes."""
        return list((self.body.get("details") or {}).get("causes") or ())


def is_taken(answer: Answer) -> bool:
    """Whether somebody else manages a field that we want to set."""
    return answer.status == CONFLICT and any(one.get("reason") == "FieldManagerConflict" for one in answer.causes)


def refusal(answer: Answer, doing: str) -> PipelineError:
    """The error for a no; `doing` is what was tried, as in «apply Deployment a/b»."""
    said = f"the cluster refused to {doing}: {answer.sentence}"
    if answer.status in (GONE, CONFLICT) or any(one.get("reason") == "NamespaceTerminating" for one in answer.causes):
        return Transient(said)
    if answer.status == TOO_MANY or answer.status >= BROKEN:
        return Transient(f"the cluster could not {doing}: {answer.sentence}", "", answer.retry_after)
    if answer.status == UNAUTHORIZED:
        return Refused(said, "the kubeconfig's credentials are not accepted: renew them")
    if "exceeded quota" in answer.sentence:
        return DoesNotFit(said, "ask for less, or have the namespace's quota raised")
    if answer.status == FORBIDDEN:
        return Refused(said, "give the pipeline's account the right to do this")
    return Refused(said)


def taken(answer: Answer, what: str) -> Refused:
    """The error for fields that others manage, all of them named."""
    told = "; ".join(f"{one.get('field', '?')} ({one.get('message', '')})" for one in answer.causes)
    return Refused(f"others have changed {what}, and it is not overwritten: {told}", "undo that change, or remove the object")
