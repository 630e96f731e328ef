"""What a person asks for: the body of an installation request, checked to the last field before anything happens.

Field names on the wire are camelCase (document 000); unknown fields are refused, so that a typing error is never a silent default.
"""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, IPvAnyNetwork, JsonValue, ValidationInfo, field_validator, model_validator

from blocks.domain.autoscaling import Autoscaling
from blocks.domain.health import HealthTerms
from blocks.domain.quantities import amount, cores, memory
from blocks.domain.strategy import CONFIGURED, NONE, Strategy, StrategyConfig
from blocks.domain.strict import Strict

Label = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,28}[a-z0-9])?$")]
ObjectName = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$")]
Port = Annotated[int, Field(ge=1, le=65535, strict=True)]
HttpPath = Annotated[str, Field(pattern=r"^/[^\s?#]*$", max_length=256)]
PackageName = Annotated[str, Field(pattern=r"^(@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*$", max_length=214)]
Cpu = Annotated[str, AfterValidator(cores), Field(description="cores, as 500m or 2")]
Memory = Annotated[str, AfterValidator(memory), Field(description="bytes, as 256Mi or 1Gi")]


class Runtime(StrEnum):
    """What kind of thing the plugin is, and with that how it is built and served."""

    BACKEND = "backend"
    FRONTEND = "frontend"
    SERVICE = "service"


class RuntimeChoice(Strict):
    """The runtime and, where there is a choice, its framework."""

    type: Runtime
    framework: str = Field(default="", max_length=40)


class CpuRange(Strict):
    """Processor time: what is set aside, and what is never exceeded."""

    request: Cpu = "100m"
    limit: Cpu = "1"

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if amount(self.request) > amount(self.limit):
            raise ValueError(f"request {self.request} is above limit {self.limit}")
        return self


class MemoryRange(Strict):
    """Memory: what is set aside, and what is never exceeded."""

    request: Memory = "256Mi"
    limit: Memory = "512Mi"

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if amount(self.request) > amount(self.limit):
            raise ValueError(f"request {self.request} is above limit {self.limit}")
        return self


class Resources(Strict):
    """What one replica may use."""

    cpu: CpuRange = CpuRange()
    memory: MemoryRange = MemoryRange()


class NamedPort(Strict):
    """One port that the plugin listens on; the first of a plugin is the one that the gateway reaches."""

    name: Annotated[str, Field(pattern=r"^[a-z]([-a-z0-9]{0,13}[a-z0-9])?$")]
    port: Port
    protocol: Literal["TCP"] = "TCP"


class Networking(Strict):
    """What the plugin listens on; empty means what its runtime listens on by default."""

    ports: tuple[NamedPort, ...] = Field(default=(), max_length=8)

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        for field in ("name", "port"):
            values = [getattr(port, field) for port in self.ports]
            if len(set(values)) < len(values):
                raise ValueError(f"two ports have the same {field}")
        return self


class HealthCheck(Strict):
    """One HTTP probe, in the words and with the defaults of a Kubernetes probe; times in seconds."""

    type: Literal["http"] = "http"
    path: HttpPath
    port: Port
    initial_delay_seconds: int = Field(default=0, ge=0, le=3600)
    period_seconds: int = Field(default=5, ge=1, le=3600)
    timeout_seconds: int = Field(default=3, ge=1, le=3600)
    success_threshold: int = Field(default=1, ge=1, le=100)
    failure_threshold: int = Field(default=3, ge=1, le=1000)


class Liveness(HealthCheck):
    """Whether to restart the plugin; Kubernetes allows one success only."""

    success_threshold: Literal[1] = 1


class HealthChecks(Strict):
    """How the plugin says that it lives and that it serves; absent means the checks of its runtime."""

    liveness: Liveness | None = None
    readiness: HealthCheck | None = None


class Capabilities(Strict):
    """Kernel capabilities given up; nothing less than all is accepted."""

    drop: tuple[Literal["ALL"], ...] = Field(default=("ALL",), min_length=1, max_length=1)


class Security(Strict):
    """What the plugin may not do; only the restricted answers are accepted, because the namespace enforces them."""

    run_as_non_root: Literal[True] = True
    allow_privilege_escalation: Literal[False] = False
    capabilities: Capabilities = Capabilities()


class Metrics(Strict):
    """Where Prometheus finds the plugin's own metrics."""

    enabled: bool = False
    path: HttpPath = "/metrics"
    port: Port = 9090


class Tracing(Strict):
    """Whether the plugin is told to trace, and what share of requests."""

    enabled: bool = False
    sampling_rate: float = Field(default=0.1, ge=0, le=1)


class Observability(Strict):
    """What the plugin shows of itself."""

    metrics: Metrics = Metrics()
    tracing: Tracing = Tracing()


class Plugin(Strict):
    """The plugin: which one, how it runs and what it needs."""

    name: PackageName
    version: str = Field(default="*", min_length=1, max_length=64, description="a version or an npm range")
    runtime: RuntimeChoice
    resources: Resources = Resources()
    networking: Networking = Networking()
    health_checks: HealthChecks = HealthChecks()
    security: Security = Security()
    observability: Observability = Observability()


class NpmSource(Strict):
    """A release of an npm registry; no address means the one configured. The token is a reference, never a value."""

    type: Literal["npm"] = "npm"
    registry: Annotated[str, Field(pattern=r"^https?://[^\s@]+$")] | None = None
    token_ref: ObjectName | None = Field(default=None, description="name of a file in the pipeline's secrets folder")


class FolderSource(Strict):
    """A folder with a plugin.yaml, relative to the configured plugin folder."""

    type: Literal["folder"]
    path: str = Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*$", max_length=200)


Source = Annotated[NpmSource | FolderSource, Field(discriminator="type")]


class SecretRef(Strict):
    """One value of the plugin's configuration that comes from a Secret in its namespace, mounted as a file."""

    secret: ObjectName
    key: Annotated[str, Field(pattern=r"^[-._a-zA-Z0-9]{1,253}$")]
    path: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = Field(min_length=1, max_length=12)


class Egress(Strict):
    """One destination outside the namespace that the plugin may call."""

    cidr: IPvAnyNetwork
    port: Port
    protocol: Literal["TCP", "UDP"] = "TCP"


class Options(Strict):
    """How the operation is treated; the two skips of document 000 are known and refused (a waiver is the way)."""

    skip_security_scan: Literal[False] = False
    skip_dependency_check: Literal[False] = False
    priority: int = Field(default=1, ge=0, le=10, strict=True)
    require_approval: bool = Field(default=False, strict=True, description="ask people even where the environment does not")
    on_failure: Literal["undo", "freeze"] = Field(
        default="undo", description="freeze: stop where it failed and wait for a person"
    )


class InstallRequest(Strict):
    """One plugin for one tenant in one environment."""

    plugin: Plugin
    strategy: Strategy = "rolling-update"
    # Left out where there is none, as in requests that were recorded before there were stages: a plan's hash stays what it was.
    strategy_config: StrategyConfig | None = Field(default=None, validate_default=True, exclude_if=lambda found: found is None)
    options: Options = Options()
    tenant: Label = "default"
    environment: Literal["dev", "staging", "prod"] = "dev"
    source: Source = NpmSource()
    config: dict[str, JsonValue] = Field(default_factory=dict)
    secret_refs: tuple[SecretRef, ...] = Field(default=(), max_length=50)
    replicas: int = Field(default=1, ge=1, le=20, strict=True)
    egress: tuple[Egress, ...] = Field(default=(), max_length=50)
    depends_on: tuple[PackageName, ...] = Field(
        default=(), max_length=50, description="plugins that must serve for the same tenant and environment"
    )
    health: HealthTerms | None = Field(default=None, exclude_if=lambda found: found is None)
    autoscaling: Autoscaling | None = Field(default=None, exclude_if=lambda found: found is None)

    @property
    def health_terms(self) -> HealthTerms:
        """How often what serves is asked how it is, and what bad answers lead to; without a word of that it is only reported."""
        return self.health or HealthTerms()

    @field_validator("strategy_config")
    @classmethod
    def _strategy_has_stages(cls, config: StrategyConfig | None, said: ValidationInfo) -> StrategyConfig | None:
        strategy = said.data.get("strategy")
        if strategy is None or (config is None and strategy not in CONFIGURED):
            return None
        return (config or StrategyConfig()).fit(strategy)

    @model_validator(mode="after")
    def _somebody_serves_meanwhile(self) -> Self:
        if self.strategy_config and self.strategy_config.max_surge in NONE and self.replicas == 1:
            raise ValueError("the only replica goes before the next one comes; let maxSurge be 1, or ask for more replicas")
        return self

    @model_validator(mode="after")
    def _autoscaler_is_let_alone(self) -> Self:
        if not self.autoscaling:
            return self
        if self.replicas > self.autoscaling.max_replicas:
            raise ValueError(f"replicas are those to begin with, and autoscaling has at most {self.autoscaling.max_replicas}")
        if self.strategy == "rolling-update" and self.strategy_config:
            raise ValueError(
                "maxSurge and maxUnavailable move pods a few at a time, and so does autoscaling; leave one of them out"
            )
        cpu = self.plugin.resources.cpu
        if amount(cpu.request) * self.autoscaling.cpu > amount(cpu.limit) * 100:
            raise ValueError(f"no pod is ever so busy: {self.autoscaling.cpu} % of {cpu.request} cores is above their limit")
        return self

    @model_validator(mode="after")
    def _runtime_has_source(self) -> Self:
        if (self.plugin.runtime.type is Runtime.SERVICE) != isinstance(self.source, FolderSource):
            raise ValueError("a service comes from a source of type folder, a backend or frontend plugin from npm")
        return self
