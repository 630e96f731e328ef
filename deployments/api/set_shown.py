"""What the API shows of sets of plugins, camelCase on the wire."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import Field

from blocks.catalog.plugin_sets import SetView
from blocks.domain.journal import Phase
from blocks.domain.plugin_sets import hash_together
from blocks.domain.progress import see_progress, see_status
from blocks.domain.status import OperationView, StepState
from blocks.domain.together import ENDED, Member, find_bad, phase_of
from deployments.api.deployed import StageShown
from deployments.api.operations import planned
from deployments.api.shapes import operation_links
from deployments.api.shown import ApprovalShown, ReasonShown, Shown, moment

SETS = "/api/v1/plugin-sets"
BACK = (StepState.UNDOING, StepState.UNDONE)


@dataclass(frozen=True)
class SeenSet:
    """One set, and the operation of each of its plugins as it stands, in order."""

    view: SetView
    operations: tuple[OperationView, ...]

    @property
    def members(self) -> tuple[Member, ...]:
        """Each plugin, as far as the whole set is judged by it."""
        told = zip(self.view.members, self.operations, strict=True)
        return tuple(
            Member(one.id, who.plugin, place, one.phase, failed=_goes_back(one), reason=one.reason)
            for place, (who, one) in enumerate(told)
        )

    @property
    def own(self) -> tuple[OperationView, ...]:
        """The operations that were made for the set and have not ended."""
        mine = zip(self.view.members, self.operations, strict=True)
        return tuple(one for who, one in mine if who.own and one.phase not in ENDED)

    @property
    def phase(self) -> Phase:
        """Where the whole set stands."""
        return phase_of([(one.phase, one.failed) for one in self.members])

    @property
    def hash(self) -> str | None:
        """What is agreed to when the whole set is; None while a plan is still to be made."""
        made = zip(self.view.members, map(planned, self.operations), strict=True)
        plans = [plan and str(plan["hash"]) for who, plan in made if who.own]
        return hash_together([one for one in plans if one]) if plans and all(plans) else None


class SetAccepted(Shown):
    """What was said is recorded; `created` is false where there is nothing to begin."""

    id: UUID
    status: Phase = Field(description="the phase of the whole set")
    created: bool
    links: dict[str, str]

    @classmethod
    def of(cls, seen: SeenSet, *, created: bool) -> Self:
        """The set, as far as the answer tells of it."""
        return cls(id=seen.view.id, status=seen.phase, created=created, links=links_of(seen.view.id))


class SetMemberShown(Shown):
    """One plugin of a set, and how far it is."""

    plugin: str
    installation: UUID
    operation: UUID
    verb: str = Field(examples=["update"])
    phase: Phase
    stage: StageShown
    approval: ApprovalShown | None = Field(description="the question it waits with")
    reason: ReasonShown | None = Field(description="why it failed, waits or was taken back")
    links: dict[str, str]

    @classmethod
    def of(cls, plugin: str, operation: OperationView) -> Self:
        """The plugin as it is shown."""
        plan = planned(operation)
        progress = see_progress(operation, plan, see_status(operation, plan))
        return cls(
            plugin=plugin,
            installation=operation.installation,
            operation=operation.id,
            verb=operation.verb,
            phase=operation.phase,
            stage=StageShown(number=progress.stage, of=progress.stages, weight=progress.weight, last_sample=progress.sample),
            approval=ApprovalShown.of(operation.question, operation.votes) if operation.question else None,
            reason=ReasonShown(**vars(operation.reason)) if operation.reason else None,
            links=operation_links(operation.installation, operation.id),
        )


class SetShown(Shown):
    """Several plugins that are installed, advanced and taken back as one."""

    id: UUID
    tenant: str
    environment: str
    name: str
    actor: str
    phase: Phase
    bad: str | None = Field(description="the plugin because of which all are taken back")
    reason: ReasonShown | None = Field(description="what is the matter with that plugin")
    hash: str | None = Field(description="what is approved; null while a plan is still to be made")
    committed: bool = Field(description="whether all serve, and none is taken back with another any more")
    created_at: datetime
    members: tuple[SetMemberShown, ...] = Field(description="in the order in which they are installed")
    links: dict[str, str]

    @classmethod
    def of(cls, seen: SeenSet) -> Self:
        """The set as it is shown."""
        view, bad = seen.view, find_bad(seen.members)
        return cls(
            **{name: getattr(view, name) for name in ("id", "tenant", "environment", "name", "actor")},
            phase=seen.phase,
            bad=bad.plugin if bad else None,
            reason=ReasonShown(**vars(bad.reason)) if bad and bad.reason else None,
            hash=seen.hash,
            committed=view.committed_at > 0,
            created_at=moment(view.created_at),
            members=_members(seen),
            links=links_of(view.id),
        )


def links_of(plugin_set: UUID) -> dict[str, str]:
    """Where the set is to be seen, and where people have a say on it."""
    own = f"{SETS}/{plugin_set}"
    return {"self": own, "approve": f"{own}/approve", "cancel": f"{own}/cancel"}


def _members(seen: SeenSet) -> tuple[SetMemberShown, ...]:
    told: Sequence[tuple[str, OperationView]] = [
        (who.plugin, one) for who, one in zip(seen.view.members, seen.operations, strict=True)
    ]
    return tuple(SetMemberShown.of(plugin, one) for plugin, one in told)


def _goes_back(operation: OperationView) -> bool:
    return any(step.state in BACK for step in operation.steps)
