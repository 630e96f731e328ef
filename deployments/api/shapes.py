"""What the API shows of operations and installations, camelCase on the wire."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import Field, JsonValue

from blocks.domain.journal import Phase
from blocks.domain.status import InstallationView, OperationView, RevisionView, see_planned
from blocks.domain.traffic import Side
from deployments.api.condition import HealthShown
from deployments.api.shown import INSTALLATIONS, ApprovalShown, ReasonShown, Shown, StepShown, moment


class OperationShown(Shown):
    """One verb on the installation."""

    id: UUID
    verb: str = Field(examples=["install"])
    phase: Phase
    actor: str
    why: str = Field(description="what the actor said with it")
    attempt: int = Field(description="how many runs were started to carry it")
    place: int | None = Field(description="its place in the queue while it waits for a slot, from 1")
    approval: ApprovalShown | None = Field(description="the question it waits with")
    flow_run_url: str | None = Field(description="the run's page in the Prefect UI")
    trouble: str | None = Field(description="why the run that was started for it does not begin")
    reason: ReasonShown | None
    created_at: datetime
    updated_at: datetime
    steps: tuple[StepShown, ...]

    @classmethod
    def of(cls, operation: OperationView, prefect_ui: str) -> Self:
        """The operation as it is shown."""
        reason, does = operation.reason, see_planned(operation.steps)
        return cls(
            **{name: getattr(operation, name) for name in ("id", "verb", "phase", "actor", "attempt")},
            why=operation.wish.reason,
            place=operation.place or None,
            approval=ApprovalShown.of(operation.question, operation.votes) if operation.question else None,
            flow_run_url=flow_run_url(operation, prefect_ui),
            trouble=operation.trouble or None,
            reason=ReasonShown(**vars(reason)) if reason else None,
            created_at=moment(operation.created_at),
            updated_at=moment(operation.updated_at),
            steps=tuple(StepShown.of(step, does.get(step.name)) for step in operation.steps),
        )


class RevisionShown(Shown):
    """What serves: the release, its integrity, the image by digest and the address people call."""

    number: int
    release: str = Field(examples=["@backstage/plugin-catalog@2.0.8"])
    integrity: str
    image: str
    url: str

    @classmethod
    def of(cls, revision: RevisionView) -> Self:
        """The revision as it is shown."""
        return cls(**vars(revision))


class SideShown(Shown):
    """One revision that answers people, or has pods: its percent of the requests (null where its pods are its share), its pods."""

    revision: int
    weight: int | None = Field(examples=[25])
    ready: int = Field(description="pods that are ready")
    replicas: int = Field(description="pods that are wanted")


class InstallationShown(Shown):
    """One plugin for one tenant in one environment; `revision` is null while nothing serves.

    `operation` is the newest one that is more than a plan.
    """

    id: UUID
    tenant: str
    environment: str
    plugin: str
    slug: str
    namespace: str
    enabled: bool = Field(description="false while the route answers 503 on purpose")
    phase: Phase = Field(description="of the newest operation")
    created_at: datetime
    updated_at: datetime
    revision: RevisionShown | None
    health: HealthShown | None = Field(description="how it is with what serves; null while nothing does, or it is disabled")
    operation: OperationShown
    links: dict[str, str]
    traffic: tuple[SideShown, ...] | None = Field(
        default=None, description="who answers people now; null unless it is asked for, or while the cluster does not answer"
    )

    @classmethod
    def of(cls, view: InstallationView, prefect_ui: str, sides: tuple[Side, ...] | None = None) -> Self:
        """The installation as it is shown."""
        operation = OperationShown.of(view.operation, prefect_ui)
        return cls(
            **{name: getattr(view, name) for name in ("id", "tenant", "environment", "plugin", "slug", "namespace", "enabled")},
            phase=operation.phase,
            created_at=moment(view.created_at),
            updated_at=operation.updated_at,
            revision=RevisionShown.of(view.revision) if view.revision else None,
            health=HealthShown.of(view.health) if view.health else None,
            operation=operation,
            links=_links(view, operation),
            traffic=None if sides is None else tuple(SideShown(**vars(one)) for one in sides),
        )


class InstallationList(Shown):
    """Some installations without steps; `next` is the value of `after` for the following page, or null."""

    items: tuple[InstallationShown, ...]
    next: str | None


class Accepted(Shown):
    """What was said is recorded; `created` is false when an earlier operation answers it already."""

    id: UUID = Field(description="the installation")
    operation: UUID
    status: Phase = Field(description="the phase of that operation")
    created: bool
    links: dict[str, str]


class PlanShown(Shown):
    """What an operation would do, or does: the hash to approve or to install with, and the document it was made from.

    Where the operation concerns what serves (`uninstall`, `disable`, …), the document is that of the plan that put it up.
    """

    hash: str = Field(examples=[f"sha256:{'3f' * 32}"])
    verb: str = Field(examples=["install"])
    summary: str = Field(examples=["2 objects are created, 1 is changed"])
    changes: int = Field(description="how many objects would change; 0: there is nothing to do")
    objects: tuple[str, ...] = Field(examples=[["Deployment/backstage-plugin-catalog-r1"]])
    document: dict[str, JsonValue]


def flow_run_url(operation: OperationView, prefect_ui: str) -> str | None:
    """The run's page in the Prefect UI, or None while there is no run."""
    return f"{prefect_ui}/runs/flow-run/{operation.flow_run}" if operation.flow_run else None


def operation_links(installation: UUID, operation: UUID) -> dict[str, str]:
    """Where the operation and its plan are to be seen."""
    own = f"{INSTALLATIONS}/{installation}/operations/{operation}"
    return {"operation": own, "plan": f"{own}/plan"}


def _links(view: InstallationView, operation: OperationShown) -> dict[str, str]:
    own = f"{INSTALLATIONS}/{view.id}"
    below = ("health", "logs", "report", "revisions", "quarantine", "timeline")
    links = {"self": own, **{name: f"{own}/{name}" for name in below}, **operation_links(view.id, operation.id)}
    if view.revision:
        links["plugin"] = view.revision.url
    if operation.flow_run_url:
        links["flowRun"] = operation.flow_run_url
    return links
