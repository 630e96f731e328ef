"""Everything the objects of one revision are made of.

To add a runtime: add a row to `RUNTIMES`, and its images under infra/images.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias
from uuid import UUID

from blocks.domain import naming
from blocks.domain.manifest import HealthCheck, InstallRequest, Liveness, NamedPort, Runtime
from blocks.domain.mesh import Mesh
from blocks.domain.plugin_yaml import PluginYaml
from blocks.domain.release import Release
from blocks.domain.service_host import ServiceHost

Object: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Site:
    """What the cluster offers around the plugin; `gateway_port` is `:8888` or nothing, the deadline in seconds.

    Where the pipeline itself is (Prefect, builder, registry, API server), `pipeline_cidrs`, no plugin may call, whatever it declares.
    """

    gateway_name: str
    gateway_namespace: str
    gateway_domain: str
    gateway_scheme: str
    gateway_port: str
    gateway_cidrs: tuple[str, ...]
    dns_cidrs: tuple[str, ...]
    database_host: str
    database_port: int
    progress_deadline: int
    pipeline_cidrs: tuple[str, ...] = ()
    mesh: Mesh = Mesh.GATEWAY_API


@dataclass(frozen=True)
class Serving:
    """How a plugin is reached: its first port, the paths that say how it is, and the one that says which release it is.

    Empty paths mean that it says nothing of how it is; `interval` is the time between two questions whether it lives, in seconds.
    """

    port: int
    liveness: str
    readiness: str
    release: str
    interval: int = 5


RUNTIMES: Mapping[Runtime, Serving] = MappingProxyType(
    {
        Runtime.BACKEND: Serving(
            7007, "/.backstage/health/v1/liveness", "/.backstage/health/v1/readiness", "/.plugin-pipeline/release"
        ),
        Runtime.FRONTEND: Serving(3000, "/health", "/ready", "/release"),
        Runtime.SERVICE: Serving(8080, "/health", "/ready", "/release"),
    }
)


def serving_of(manifest: PluginYaml) -> Serving:
    """How a service is reached, as its own manifest says."""
    health = manifest.health
    liveness, readiness = (health.liveness, health.readiness) if health.enabled else ("", "")
    release = manifest.release_path or RUNTIMES[Runtime.SERVICE].release
    return Serving(manifest.port, liveness, readiness, release, health.interval_seconds)


@dataclass(frozen=True)
class Blueprint:
    """One revision of one installation: what was asked for, what was built, and where it goes."""

    request: InstallRequest
    release: Release
    image: str
    installation: UUID
    revision: int
    serving: Serving
    site: Site

    @property
    def runtime(self) -> Runtime:
        """The plugin's runtime."""
        return self.request.plugin.runtime.type

    @property
    def slug(self) -> str:
        """The plugin's short name: what its stable objects are called."""
        return naming.slug(self.request.plugin.name)

    @property
    def name(self) -> str:
        """What the objects of this revision are called."""
        return f"{self.slug}-r{self.revision}"

    @property
    def namespace(self) -> str:
        """The namespace of the tenant in the environment."""
        return naming.namespace(self.request.tenant, self.request.environment)

    @property
    def host(self) -> str:
        """The name under which the gateway knows the plugin; where there is none, its Service in the cluster."""
        if self.site.mesh is Mesh.SERVICES:
            return str(ServiceHost(self.slug, self.namespace, self.ports[0].port))
        return f"{self.slug}.{self.namespace}.{self.site.gateway_domain}"

    @property
    def url(self) -> str:
        """The plugin's own address for people; where there is no gateway, for whoever is in the cluster."""
        if self.site.mesh is Mesh.SERVICES:
            return f"http://{self.host}"
        return f"{self.site.gateway_scheme}://{self.host}{self.site.gateway_port}"

    @property
    def database(self) -> str:
        """The name of the plugin's database and of its role, or nothing: only a backend has one."""
        return f"p_{self.installation.hex[:16]}" if self.runtime is Runtime.BACKEND else ""

    @property
    def database_secret(self) -> str:
        """The Secret that alone holds the database's password."""
        return f"{self.slug}-database"

    @property
    def ports(self) -> tuple[NamedPort, ...]:
        """What the plugin listens on; the gateway reaches the first."""
        return self.request.plugin.networking.ports or (NamedPort(name="http", port=self.serving.port),)

    @property
    def liveness(self) -> Liveness | None:
        """How the plugin says that it lives, if it does."""
        asked, serving = self.request.plugin.health_checks.liveness, self.serving
        if asked or not serving.liveness:
            return asked
        return Liveness(path=serving.liveness, port=self.ports[0].port, period_seconds=serving.interval)

    @property
    def readiness(self) -> HealthCheck | None:
        """How the plugin says that it serves, if it does; its own check is asked often, because installing waits for it."""
        asked, serving = self.request.plugin.health_checks.readiness, self.serving
        if asked or not serving.readiness:
            return asked
        return HealthCheck(path=serving.readiness, port=self.ports[0].port, period_seconds=2)
