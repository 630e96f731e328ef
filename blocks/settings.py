"""Every setting of the product, read from the environment in this one place.

Flows run in processes that nobody to their left has prepared, so settings live here and not in `deployments/`. Names are the field
names in capitals (`DATABASE_URL`); a file named by `PIPELINE_ENV_FILE`, by default the local world's, gives what the environment does not.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from blocks.domain.errors import Refused

WORLD = Path("/var/lib/plugin-pipeline/world.env")
Seconds = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(gt=0)]


class Settings(BaseSettings):
    """The settings of one process; times in seconds, addresses as URLs, folders as paths."""

    model_config = SettingsConfigDict(env_file=WORLD, extra="ignore", frozen=True, env_ignore_empty=True)

    # the record
    database_url: str = "sqlite+aiosqlite:///plugin-pipeline.db"
    lease_ttl: Seconds = 6
    lease_renew: Seconds = 2
    storage_dir: Path = Path("build/storage")
    secrets_dir: Path = Path("build/secrets")
    max_applying: Count = Field(default=10, description="operations that are carried at once; the rest queue")
    max_begins: Count = Field(default=5, description="workers that may begin one step without a result before it freezes")
    max_starts: Count = Field(default=20, description="runs that may be started in a row without one that takes the lease")
    hold_limit: Seconds = Field(default=900, description="how long a step waits for an outside system that cannot be seen")

    # where flow runs run
    work_pools: str = Field(default="embedded", description="the pool of everything; then pool by environment or deployment")
    worker_limit: Count = Field(default=20, description="flow runs that the embedded worker has at once, parked ones not counted")
    worker_grace: Annotated[float, Field(ge=0)] = Field(default=8, description="how long runs may go on once it is told to stop")

    # where releases come from
    npm_registry: str = Field(default="", description="empty: the one that npm is configured for")
    plugin_dir: Path = Path("tests/cases/plugins")
    store_dir: Path = Path("build/store")
    pnpm: Path = Path("pnpm")
    node_bin: Path | None = Field(default=None, description="folder of the node that scanners written for it run with")
    pipeline_bin: Path | None = None
    extra_ca_bundle: Path | None = None
    max_archive_mb: int = 100

    # images
    docker_host: str = Field(default="unix:///var/run/docker.sock", description="a socket, or tcp:// with certificates")
    docker_cert_path: Path | None = Field(
        default=None, description="folder of ca.pem, cert.pem and key.pem, as Docker names them"
    )
    registry: str = "127.0.0.1:5000"
    plain_registries: Annotated[tuple[str, ...], NoDecode] = Field(default=(), description="those that speak HTTP without TLS")
    base_image: str = ""
    node_image: str = ""
    pipeline_image: str = Field(default="", description="the pipeline itself, for its runs as Jobs")

    # scanners
    trivy_cache_dir: Path = Path("build/trivy")
    trivy_db_max_age_hours: int = Field(default=24 * 7, gt=0)
    snyk_token_ref: str = Field(default="", description="name of a file in the secrets folder; empty: Snyk is off")
    scan_timeout: Seconds = 600

    # the cluster
    kubeconfig: Path | None = None
    gateway_url: str = "http://127.0.0.1:8888"
    gateway_domain: str = "localhost"
    gateway_name: str = "contour"
    gateway_namespace: str = "projectcontour"
    gateway_cidrs: Annotated[tuple[str, ...], NoDecode] = ("10.244.0.1/32",)
    dns_cidrs: Annotated[tuple[str, ...], NoDecode] = ("10.96.0.10/32", "10.244.0.1/32")
    pipeline_cidrs: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("10.244.0.1/32",), description="where the pipeline itself is: what plugins declare as egress never reaches there"
    )
    service_mesh_provider: Literal["auto", "gateway-api", "linkerd", "istio", "services"] = Field(
        default="auto", description="what carries requests to plugins; auto: what the cluster serves"
    )
    progress_deadline: Seconds = 300
    plugin_database_admin_url: SecretStr = SecretStr("")
    plugin_database_host: str = "10.244.0.1"
    plugin_database_port: int = 15432

    # the window
    prefect_api_url: str = "http://127.0.0.1:4200/api"
    prometheus_url: str = "http://127.0.0.1:9091"

    # the ways in
    api_host: str = "127.0.0.1"
    api_port: int = 8080
    health_port: int = 8081
    metrics_port: int = 9090
    closed_host: str = Field(default="127.0.0.1", description="where the answer of disabled plugins is listened for")
    closed_port: int = 8082
    closed_address: str = Field(
        default="", description="where the gateway finds it, as ip:port; empty: plugins cannot be disabled"
    )
    jwt_issuer: str = "plugin-pipeline"
    jwt_audience: str = "plugin-api"
    jwt_public_key: Path = Path("build/keys/token.pub")

    @field_validator("gateway_cidrs", "dns_cidrs", "pipeline_cidrs", "plain_registries", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """Lists are written with commas, as people write them in the environment."""
        return tuple(one.strip() for one in value.split(",") if one.strip()) if isinstance(value, str) else value


class SettingsFile(BaseSettings):
    """Where the file is that gives what the environment does not; in a pod it is a mounted Secret."""

    pipeline_env_file: Path | None = None


def read_settings() -> Settings:
    """The settings as the environment and the file give them now; `Refused` if the file is named and not there."""
    file = SettingsFile().pipeline_env_file
    if file is None:
        return Settings()
    if not file.is_file():
        raise Refused(f"the settings file {file} is not there", "see what is mounted, or leave PIPELINE_ENV_FILE out")
    return Settings(_env_file=file)
