"""The manifest of a service plugin, `plugin.yaml` (document 003), checked to the last field.

To the document's fields come those that a container needs: `start` (the command; without it the folder has its own Dockerfile), `port`,
and the paths of the two health checks.
"""

from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator
from semantic_version import Version

from blocks.domain.errors import Unresolvable
from blocks.domain.manifest import HttpPath, PackageName, Port

MANIFEST = "plugin.yaml"
Text = Annotated[str, Field(max_length=1000)]
Word = Annotated[str, Field(min_length=1, max_length=200)]


class Strict(BaseModel):
    """Frozen, of exact types, and nothing unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Endpoint(Strict):
    """One route that the service answers."""

    path: HttpPath
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] = "GET"
    handler: Text = ""
    description: Text = ""


class Security(Strict):
    """What the service says it needs; the namespace decides what it gets."""

    network_access: bool = False
    filesystem_access: bool = False
    sandboxed: Literal[True] = True


class Health(Strict):
    """Where and how often the service is asked whether it lives and serves; the interval in seconds."""

    enabled: bool = True
    interval_seconds: int = Field(default=5, ge=1, le=3600)
    liveness: HttpPath = "/health"
    readiness: HttpPath = "/ready"


class PluginYaml(Strict):
    """A service plugin as its folder describes it."""

    id: PackageName
    name: Annotated[str, Field(min_length=1, max_length=200)]
    version: Annotated[str, Field(max_length=64)]
    description: Text = ""
    author: Text = ""
    endpoints: Annotated[tuple[Endpoint, ...], Field(strict=False, min_length=1, max_length=100)]
    permissions: Annotated[tuple[Word, ...], Field(strict=False, max_length=100)] = ()
    dependencies: Annotated[tuple[Word, ...], Field(strict=False, max_length=100)] = ()
    configuration: dict[str, JsonValue] = Field(default_factory=dict)
    security: Security = Security()
    health: Health = Health()
    start: Annotated[tuple[Word, ...], Field(strict=False, max_length=50)] = ()
    port: Port = 8080

    @field_validator("version")
    @classmethod
    def _is_semantic(cls, version: str) -> str:
        Version(version)
        return version

    @property
    def release_path(self) -> str:
        """The first route that can simply be asked; there the service reports its version. Nothing if it has none."""
        return next((endpoint.path for endpoint in self.endpoints if endpoint.method == "GET"), "")


def read_plugin_yaml(text: str) -> PluginYaml:
    """The manifest in the text, or `Unresolvable` with every field that is wrong."""
    try:
        return PluginYaml.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as problem:
        raise Unresolvable(f"{MANIFEST} is not YAML: {problem}") from problem
    except ValidationError as problem:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'the whole'}: {one['msg']}" for one in problem.errors())
        raise Unresolvable(f"{MANIFEST} is not valid: {wrong}", "see the sample in tests/cases/plugins/hello") from problem
