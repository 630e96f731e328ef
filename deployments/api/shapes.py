"""What the API shows, camelCase on the wire; times are ISO 8601 in UTC."""

import json
from datetime import UTC, datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_camel

from blocks.domain.journal import Phase
from blocks.domain.status import InstallationView, OperationView, RevisionView, StepState, StepView

# Characters of a step's recorded result that are shown; the flow run has the rest.
SHOWN = 8192
INSTALLATIONS = "/api/v1/installations"


class Shown(BaseModel):
    """Something that leaves the API."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)


class StepShown(Shown):
    """One step of the newest operation; `result` is what the step returned, or null if it is too long to show."""

    name: str = Field(examples=["resolve"])
    state: StepState
    started_at: datetime
    ended_at: datetime | None
    seconds: float | None = Field(examples=[1.25])
    result: JsonValue

    @classmethod
    def of(cls, step: StepView) -> Self:
        """The step as it is shown."""
        return cls(
            name=step.name,
            state=step.state,
            started_at=moment(step.started_at),
            ended_at=None if step.ended_at is None else moment(step.ended_at),
            seconds=step.seconds,
            result=json.loads(step.result) if len(step.result) <= SHOWN else None,
        )


class ReasonShown(Shown):
    """Why an operation stands where it stands: a code to look up, a sentence, and what to do."""

    code: str = Field(examples=["unresolvable"])
    message: str = Field(examples=["no release of @backstage/plugin-catalog satisfies ^99"])
    hint: str


class OperationShown(Shown):
    """One verb on the installation."""

    id: UUID
    verb: str = Field(examples=["install"])
    phase: Phase
    actor: str
    attempt: int = Field(description="how many runs were started to carry it")
    flow_run_url: str | None = Field(description="the run's page in the Prefect UI")
    reason: ReasonShown | None
    created_at: datetime
    updated_at: datetime
    steps: tuple[StepShown, ...]

    @classmethod
    def of(cls, operation: OperationView, prefect_ui: str) -> Self:
        """The operation as it is shown."""
        reason = operation.reason
        return cls(
            **{name: getattr(operation, name) for name in ("id", "verb", "phase", "actor", "attempt")},
            flow_run_url=flow_run_url(operation, prefect_ui),
            reason=ReasonShown(**vars(reason)) if reason else None,
            created_at=moment(operation.created_at),
            updated_at=moment(operation.updated_at),
            steps=tuple(StepShown.of(step) for step in operation.steps),
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


class InstallationShown(Shown):
    """One plugin for one tenant in one environment; `revision` is null while nothing serves."""

    id: UUID
    tenant: str
    environment: str
    plugin: str
    slug: str
    namespace: str
    phase: Phase = Field(description="of the newest operation")
    created_at: datetime
    updated_at: datetime
    revision: RevisionShown | None
    operation: OperationShown
    links: dict[str, str]

    @classmethod
    def of(cls, view: InstallationView, prefect_ui: str) -> Self:
        """The installation as it is shown."""
        operation = OperationShown.of(view.operation, prefect_ui)
        return cls(
            **{name: getattr(view, name) for name in ("id", "tenant", "environment", "plugin", "slug", "namespace")},
            phase=operation.phase,
            created_at=moment(view.created_at),
            updated_at=operation.updated_at,
            revision=RevisionShown.of(view.revision) if view.revision else None,
            operation=operation,
            links=_links(view, operation),
        )


class InstallationList(Shown):
    """Some installations without steps; `next` is the value of `after` for the following page, or null."""

    items: tuple[InstallationShown, ...]
    next: str | None


class Accepted(Shown):
    """The wish is recorded; `created` is false when an earlier operation answers it already."""

    id: UUID = Field(description="the installation")
    operation: UUID
    status: Phase = Field(description="the phase of that operation")
    created: bool
    links: dict[str, str]


def flow_run_url(operation: OperationView, prefect_ui: str) -> str | None:
    """The run's page in the Prefect UI, or None while there is no run."""
    return f"{prefect_ui}/runs/flow-run/{operation.flow_run}" if operation.flow_run else None


def moment(milliseconds: int) -> datetime:
    """The time, given as milliseconds since 1970."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _links(view: InstallationView, operation: OperationShown) -> dict[str, str]:
    own = f"{INSTALLATIONS}/{view.id}"
    links = {"self": own, "logs": f"{own}/logs", "report": f"{own}/report"}
    if view.revision:
        links["plugin"] = view.revision.url
    if operation.flow_run_url:
        links["flowRun"] = operation.flow_run_url
    return links
