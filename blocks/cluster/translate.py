"""From what the API server says to an error of ours, with the server's own sentence."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from blocks.domain.errors import DoesNotFit, PipelineError, Refused, Transient, Unreachable

UNAUTHORIZED, FORBIDDEN, NOT_FOUND, CONFLICT, GONE, TOO_MANY = 401, 403, 404, 409, 410, 429
FAILURE, BROKEN = 400, 500
# What a server says with 403 of a quota that it has not counted yet.
UNCOUNTED = "status unknown for quota"
# What a server says with 500 of an object that it does not understand: that is no trouble of its own.
MALFORMED = "failed to create typed patch object"
# As what the cluster's autoscaler writes; people who scale do it under the names of their own tools.
AUTOSCALER = '"kube-controller-manager" with subresource "scale"'


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
    def is_trouble(self) -> bool:
        """Whether the server has trouble of its own, and says nothing about what was asked."""
        return self.status == TOO_MANY or (self.status >= BROKEN and MALFORMED not in self.sentence)

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


def is_only_scaled(answer: Answer) -> bool:
    """Whether all that somebody else manages is how many pods there are, and that somebody is the cluster's autoscaler."""
    said = [(one.get("field"), str(one.get("message", ""))) for one in answer.causes]
    return is_taken(answer) and all(field == ".spec.replicas" and AUTOSCALER in message for field, message in said)


def is_terminating(answer: Answer) -> bool:
    """Whether it is a no because the namespace is on its way out."""
    return any(one.get("reason") == "NamespaceTerminating" for one in answer.causes)


def refusal(answer: Answer, doing: str) -> PipelineError:
    """The error for a no; `doing` is what was tried, as in «apply Deployment a/b»."""
    said = f"the cluster refused to {doing}: {answer.sentence}"
    if answer.is_trouble:
        return Unreachable(f"the cluster could not {doing}: {answer.sentence}", "", answer.retry_after)
    if answer.status in (GONE, CONFLICT) or is_terminating(answer) or UNCOUNTED in answer.sentence:
        return Transient(said)
    if "exceeded quota" in answer.sentence:
        return DoesNotFit(said, "ask for less, or have the namespace's quota raised")
    return Refused(said, _hint(answer))


def taken(answer: Answer, what: str) -> Refused:
    """The error for fields that others manage, all of them named."""
    told = "; ".join(f"{one.get('field', '?')} ({one.get('message', '')})" for one in answer.causes)
    return Refused(f"others have changed {what}, and it is not overwritten: {told}", "undo that change, or remove the object")


def _hint(answer: Answer) -> str:
    if answer.status == UNAUTHORIZED:
        return "the kubeconfig's credentials are not accepted: renew them"
    if "violates PodSecurity" in answer.sentence:
        return "the namespace enforces Pod Security: let the pod meet it, as the sentence says"
    return "give the pipeline's account the right to do this" if answer.status == FORBIDDEN else ""
