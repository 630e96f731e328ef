"""A watch: a plugin whose releases somebody wants to hear of, which of them count, and what a new one leads to."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field
from semantic_version import NpmSpec

from blocks.domain.asking import NotInstalled
from blocks.domain.errors import NotAllowed, Terminal
from blocks.domain.journal import Reason
from blocks.domain.manifest import Source
from blocks.domain.strict import Strict

Environment = Literal["dev", "staging", "prod"]


class AlreadyWatched(Terminal):
    """The plugin has a watch there already, which says something else."""

    code = "already-watched"


class Action(StrEnum):
    """What a new release leads to: it is only recorded, it is planned, or the update to it is requested."""

    RECORD = "record"
    PLAN = "plan"
    UPDATE = "update"


class Done(StrEnum):
    """What was done about a release; only what is waiting or in quarantine may still be asked for later."""

    RECORDED = "recorded"
    PLAN_REQUESTED = "plan-requested"
    UPDATE_REQUESTED = "update-requested"
    WAITING = "waiting"
    QUARANTINED = "quarantined"
    REFUSED = "refused"
    PASSED_OVER = "passed-over"


def npm_range(text: str) -> str:
    """The text, if it is a version or a range as npm writes them; a `ValueError` otherwise."""
    try:
        NpmSpec(text)
    except ValueError as problem:
        raise ValueError(f"{text} is neither a version nor an npm range, such as ^1.2.0 or 1.x") from problem
    return text


Range = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(npm_range)]


class Terms(Strict):
    """Where releases are looked for, which of them count, and what a new one leads to."""

    source: Source | None = Field(default=None, description="null: where the installation has its releases from, else npm")
    action: Action = Action.RECORD
    version: Range = Field(default="*", description="a version or an npm range; only releases that satisfy it count")
    prereleases: bool = Field(default=False, strict=True, description="whether prereleases of the range count too")
    enabled: bool = Field(default=True, strict=True, description="false: nobody looks until it is true again")

    def changed(self, said: Self) -> "Terms":
        """These terms with what was said in others, and nothing that was left out there."""
        named = said.model_fields_set & Terms.model_fields.keys()
        return self.model_copy(update={name: getattr(said, name) for name in named})


@dataclass(frozen=True)
class Spot:
    """A plugin for a tenant in an environment, whether it is installed there or not: what is watched, or where a finding is waived."""

    tenant: str
    environment: str
    plugin: str

    def __str__(self) -> str:
        return f"{self.tenant}/{self.environment}/{self.plugin}"


@dataclass(frozen=True)
class Discovered:
    """A release (`name@version`) that a watch found, and what was done about it; times in milliseconds since 1970.

    `operation` is the last one that was asked for because of it.
    """

    release: str
    first_seen: int
    done: Done
    why: str = ""
    operation: UUID | None = None


@dataclass(frozen=True)
class Watch:
    """One watch: who set it last and why, when somebody last looked (0: never), the newest release that counts, and what went wrong."""

    id: UUID
    spot: Spot
    terms: Terms
    actor: str
    reason: str
    created_at: int
    updated_at: int
    looked_at: int = 0
    found: str = ""
    problem: Reason | None = None
    discovered: tuple[Discovered, ...] = ()


def may_watch(spot: Spot, terms: Terms, *, serves: bool) -> None:
    """Nothing if the watch can do what it says; raises `NotInstalled` and `NotAllowed`.

    An update takes its releases from where the installation has them: no automation moves it to another registry.
    """
    if terms.action is Action.RECORD:
        return
    if not serves:
        hint = f"install it first, or set the action {Action.RECORD.value}"
        raise NotInstalled(f"nothing of {spot} serves, so there is nothing to {terms.action.value}", hint)
    if terms.source is not None:
        hint = f"leave source out, or set the action {Action.RECORD.value}"
        raise NotAllowed(f"the action {terms.action.value} takes releases from where {spot} has them", hint)


def same_watch(known: Watch, terms: Terms) -> Watch:
    """The watch that is there already if it says the same; `AlreadyWatched` otherwise."""
    if known.terms != terms:
        raise AlreadyWatched(f"{known.spot} has the watch {known.id}, which says something else", "change that one")
    return known
