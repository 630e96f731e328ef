"""What the API shows of plugin deployments, in document 001's words.

A deployment is one operation that puts a release up: an install, an update or a rollback; its id is the operation's.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import Field

from blocks.catalog.operations import Order
from blocks.domain.deployment import ENVIRONMENTS, tell_strategy
from blocks.domain.instances import Health, HealthWord
from blocks.domain.neighbours import Dependencies
from blocks.domain.progress import DeploymentStatus, see_progress
from blocks.domain.status import InstallationView, OperationView
from deployments.api.shapes import flow_run_url, operation_links
from deployments.api.shown import INSTALLATIONS, ReasonShown, Shown, moment

DEPLOYMENTS = "/api/v1/plugin-deployments"


@dataclass(frozen=True)
class Deployed:
    """A deployment as the record has it: what was asked for, the plan if there is one, and whether its revision serves now."""

    view: InstallationView
    operation: OperationView
    order: Order
    plan: dict[str, Any] | None
    status: DeploymentStatus
    serves: bool

    @property
    def links(self) -> dict[str, str]:
        """Where the deployment is to be seen, and the installation and operation that it is in our words."""
        own = f"{DEPLOYMENTS}/{self.operation.id}"
        ours = {"installation": f"{INSTALLATIONS}/{self.view.id}", **operation_links(self.view.id, self.operation.id)}
        return {"self": own, "health": f"{own}/health", "rollback": f"{own}/rollback", **ours}


class DeploymentAccepted(Shown):
    """What was said is recorded; `created` is false when it was answered already."""

    deployment_id: UUID
    status: DeploymentStatus
    created: bool
    operation: UUID = Field(
        description="the operation that carries it: the deployment itself, or the rollback of one that served"
    )
    links: dict[str, str]


class StageShown(Shown):
    """The stage that was begun last, of how many (0: all requests at once), and what was measured there last."""

    number: int = Field(examples=[2])
    of: int = Field(examples=[4])
    weight: int = Field(description="percent of the requests that the new revision answers now", examples=[30])
    last_sample: str = Field(examples=["success rate 1 of 240 requests, at least 0.99 wanted"])


class InstancesShown(Shown):
    """The new revision's instances that are ready, of how many in the end; `updated` is null while the cluster does not answer."""

    updated: int | None = Field(examples=[3])
    total: int = Field(examples=[10])


class DeploymentShown(Shown):
    """One deployment; `release` is null until it is known which release satisfies the version."""

    deployment_id: UUID
    plugin_id: str = Field(examples=["payment-stripe"])
    plugin_version: str = Field(description="as it was asked for", examples=["2.0.0"])
    release: str | None = Field(examples=["payment-stripe@2.0.0"])
    tenant_id: str = Field(examples=["tenant-acme-corp"])
    environment: str = Field(examples=["Production"])
    strategy: str = Field(examples=["Canary"])
    status: DeploymentStatus
    reason: ReasonShown | None = Field(description="why it failed, waits or was taken back")
    stage: StageShown
    instances: InstancesShown
    flow_run_url: str | None
    created_at: datetime
    updated_at: datetime
    links: dict[str, str]

    @classmethod
    def of(cls, seen: Deployed, updated: int | None, prefect_ui: str) -> Self:
        """The deployment as it is shown."""
        request, operation, progress = seen.order.request, seen.operation, see_progress(seen.operation, seen.plan, seen.status)
        return cls(
            deployment_id=operation.id,
            plugin_id=seen.view.plugin,
            plugin_version=request.plugin.version,
            release=(seen.plan or {}).get("target") or None,
            tenant_id=seen.view.tenant,
            environment=ENVIRONMENTS[seen.view.environment],
            strategy=tell_strategy(request.strategy),
            status=seen.status,
            reason=ReasonShown(**vars(operation.reason)) if operation.reason else None,
            stage=StageShown(number=progress.stage, of=progress.stages, weight=progress.weight, last_sample=progress.sample),
            instances=InstancesShown(updated=updated, total=request.replicas),
            flow_run_url=flow_run_url(operation, prefect_ui),
            created_at=moment(operation.created_at),
            updated_at=moment(operation.updated_at),
            links=seen.links,
        )


class InstanceShown(Shown):
    """One pod."""

    name: str
    ready: bool
    restarts: int


class DeploymentHealthShown(Shown):
    """How the deployment's instances are now; `Unknown` where none of them runs, or the cluster does not answer."""

    deployment_id: UUID
    status: HealthWord
    message: str = Field(examples=["3 of 3 instances are ready"])
    instances: tuple[InstanceShown, ...]

    @classmethod
    def of(cls, deployment: UUID, health: Health) -> Self:
        """The health as it is shown."""
        instances = tuple(InstanceShown(**vars(one)) for one in health.instances)
        return cls(deployment_id=deployment, status=health.word, message=health.why, instances=instances)


class NeedShown(Shown):
    """A plugin that is needed; `release` is null where none of it serves."""

    plugin_id: str
    release: str | None
    available: bool


class DependenciesShown(Shown):
    """What a release needs of the tenant's other plugins, and what stands in the way; `valid` is null where that is not known."""

    plugin_id: str
    plugin_version: str
    tenant_id: str
    environment: str = Field(examples=["Production"])
    valid: bool | None
    message: str
    requires: tuple[NeedShown, ...]
    required_by: tuple[str, ...] = Field(description="the plugins that cannot do without this one")
    conflicts: tuple[str, ...]

    @classmethod
    def of(cls, names: dict[str, str], found: Dependencies) -> Self:
        """The dependencies as they are shown."""
        requires = tuple(
            NeedShown(plugin_id=one.plugin, release=one.release or None, available=one.available) for one in found.needs
        )
        return cls(
            **names,
            valid=found.valid,
            message=_tell(found),
            requires=requires,
            required_by=found.needed_by,
            conflicts=found.conflicts,
        )


def _tell(found: Dependencies) -> str:
    ours = "the packages inside the release are looked up when it is planned: POST /api/v1/plugins/plan changes nothing"
    if not found.read_in:
        return f"nothing of the plugin serves for the tenant, so which plugins it needs is not recorded; {ours}"
    return f"read from what serves in {ENVIRONMENTS[found.read_in]}; {ours}"
