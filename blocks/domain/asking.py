"""What a request leads to, given how the installation stands: a new operation, an earlier one, or a no."""

import json
from dataclasses import asdict, dataclass
from typing import Self
from uuid import UUID

from blocks.domain.errors import Needed, NotAllowed, Quarantined, Terminal
from blocks.domain.manifest import InstallRequest

# So many revisions can be gone back to; older ones are taken out of the cluster.
HISTORY = 10


class KeyReused(Terminal):
    """An Idempotency-Key came again with another body."""

    code = "idempotency-key-reused"


class Busy(Terminal):
    """Another operation on this installation has not ended."""

    code = "busy"


class NotInstalled(Terminal):
    """Nothing of the installation serves."""

    code = "not-installed"


@dataclass(frozen=True)
class Wish:
    """What was said with a verb: why, to which revision, whether the data goes too, and the plan that was read.

    `behalf` is whose wish it is where no person asked: who must not agree to it alone.
    """

    reason: str = ""
    revision: int | None = None
    drop_data: bool = False
    plan_hash: str | None = None
    behalf: str = ""

    @classmethod
    def read(cls, text: str) -> Self:
        """The wish in its JSON text."""
        return cls(**json.loads(text))

    def write(self) -> str:
        """The wish as JSON text."""
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class Past:
    """One revision that served: its number and release, and whether that release is in quarantine here."""

    number: int
    release: str
    quarantined: bool = False


@dataclass(frozen=True)
class Standing:
    """How an installation stands: the operation on its way, if any, what serves, and what served before, the last first.

    `needed_by` are the plugins of the same tenant and environment that cannot do without this one.
    """

    active: UUID | None = None
    frozen: bool = False
    active_verb: str = ""
    active_request: str = ""
    active_wish: Wish = Wish()
    revision: int = 0
    enabled: bool = True
    serving_operation: UUID | None = None
    serving_request: str = ""
    last_revision: int = 0
    history: tuple[Past, ...] = ()
    needed_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class New:
    """A new operation: its verb, and the number of the revision that it makes, removes or is about."""

    verb: str
    revision: int


def answer_install(standing: Standing, body: str, plan_hash: str | None = None) -> UUID | New:
    """The operation that already answers this request or a new install or update; raises `Busy` and `NotAllowed`."""
    if standing.active:
        same = (standing.active_request, standing.active_wish.plan_hash) == (body, plan_hash)
        if standing.active_verb in ("install", "update") and same and not standing.frozen:
            return standing.active
        raise _busy(standing, "install")
    if standing.revision == 0:
        return New("install", standing.last_revision + 1)
    if standing.serving_request == body and plan_hash is None and standing.serving_operation:
        return standing.serving_operation
    if not standing.enabled:
        raise NotAllowed("the plugin is disabled", "enable it, then update it")
    return New("update", standing.last_revision + 1)


def answer_plan(standing: Standing) -> New:
    """A new plan of what installing would do; it changes nothing, so it is never refused."""
    return New("plan", standing.last_revision + 1)


def ask_for_version(standing: Standing, version: str) -> InstallRequest:
    """What serves, as it was asked for, but in this version; raises `NotInstalled`."""
    _must_serve(standing)
    asked = InstallRequest.model_validate_json(standing.serving_request)
    return asked.model_copy(update={"plugin": asked.plugin.model_copy(update={"version": version})})


def answer_uninstall(standing: Standing, *, drop_data: bool) -> UUID | New:
    """The uninstall that is on its way or a new one; raises `Busy`, `NotInstalled`, and `Needed` with who needs it."""
    if standing.active and not standing.frozen:
        if standing.active_verb == "uninstall" and standing.active_wish.drop_data == drop_data:
            return standing.active
        raise _busy(standing, "uninstall")
    if standing.revision == 0 and not standing.frozen:
        raise NotInstalled("nothing of this installation serves", "there is nothing to uninstall")
    if standing.needed_by:
        raise Needed(f"{', '.join(standing.needed_by)} cannot do without it", "uninstall them first")
    return New("uninstall", standing.revision)


def answer_rollback(standing: Standing, revision: int | None) -> UUID | New:
    """The rollback that is on its way or a new one to the revision, or, if none is named, to the last good one before."""
    if standing.active and not standing.frozen:
        if standing.active_verb == "rollback" and standing.active_wish.revision == revision:
            return standing.active
        raise _busy(standing, "roll back")
    _must_serve(standing)
    if not standing.enabled:
        raise NotAllowed("the plugin is disabled", "enable it, then roll it back")
    return New("rollback", _named(standing, revision) if revision else _last_good(standing))


def answer_switch(standing: Standing, verb: str) -> UUID | New:
    """The same switch on its way, or a new one: `enable`, `disable` or `reload`; raises `Busy`, `NotInstalled` and `NotAllowed`."""
    if standing.active:
        if standing.active_verb == verb and not standing.frozen:
            return standing.active
        raise _busy(standing, verb)
    _must_serve(standing)
    if (verb == "enable") is standing.enabled:
        raise NotAllowed(f"the plugin is {'enabled' if standing.enabled else 'disabled'}", f"there is nothing to {verb}")
    return New(verb, standing.revision)


def _must_serve(standing: Standing) -> None:
    if standing.revision == 0:
        raise NotInstalled("nothing of this installation serves", "install it first")


def _named(standing: Standing, revision: int) -> int:
    found = next((past for past in standing.history if past.number == revision), None)
    if found is None or revision == standing.revision:
        known = ", ".join(str(past.number) for past in standing.history if past.number != standing.revision) or "none"
        raise NotAllowed(f"revision {revision} cannot be gone back to", f"these can: {known}")
    if found.quarantined:
        raise Quarantined(f"{found.release} was rolled back here before", "lift its quarantine with a reason, then roll back")
    return revision


def _last_good(standing: Standing) -> int:
    good = [past.number for past in standing.history if past.number != standing.revision and not past.quarantined]
    if not good:
        raise NotAllowed("there is no earlier revision to go back to", "uninstall the plugin, or disable it")
    return good[0]


def _busy(standing: Standing, verb: str) -> Busy:
    if standing.frozen:
        hint = "retry or cancel it, or uninstall the plugin"
        return Busy(f"{standing.active_verb} {standing.active} is frozen, so nobody can {verb}", hint)
    return Busy(f"{standing.active_verb} {standing.active} has not ended", "wait for it or cancel it, then ask again")
