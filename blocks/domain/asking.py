"""What a request leads to, given how the installation stands: a new operation, an earlier one, or a no."""

from dataclasses import dataclass
from uuid import UUID

from blocks.domain.errors import Terminal


class KeyReused(Terminal):
    """An Idempotency-Key came again with another body."""

    code = "idempotency-key-reused"


class Busy(Terminal):
    """Another operation on this installation has not ended."""

    code = "busy"


class AlreadyInstalled(Terminal):
    """Something else of this plugin serves already."""

    code = "already-installed"


class NotInstalled(Terminal):
    """There is nothing to take away."""

    code = "not-installed"


@dataclass(frozen=True)
class Standing:
    """How an installation stands: the operation on its way, if any, and what serves."""

    active: UUID | None
    frozen: bool
    active_verb: str
    active_request: str
    revision: int
    serving_operation: UUID | None
    serving_request: str
    last_revision: int


def answer_install(standing: Standing, body: str) -> UUID | None:
    """The operation that already answers this request, None if a new one is to be recorded, or `Busy` or `AlreadyInstalled`."""
    if standing.active:
        if standing.active_verb == "install" and standing.active_request == body:
            return standing.active
        raise Busy(f"{standing.active_verb} {standing.active} has not ended", "wait for it, then ask again")
    if standing.revision == 0:
        return None
    if standing.serving_request == body:
        return standing.serving_operation
    raise AlreadyInstalled(f"revision {standing.revision} serves with another request", "uninstall it first")


def answer_uninstall(standing: Standing) -> UUID | None:
    """The uninstall that is on its way, None if a new one is to be recorded, or `Busy` or `NotInstalled`."""
    if standing.frozen:
        return None  # taking everything away is a way out of a frozen installation
    if standing.active:
        if standing.active_verb.startswith("uninstall"):
            return standing.active
        raise Busy(f"{standing.active_verb} {standing.active} has not ended", "wait for it, then ask again")
    if standing.revision == 0:
        raise NotInstalled("nothing of this installation serves", "there is nothing to uninstall")
    return None
