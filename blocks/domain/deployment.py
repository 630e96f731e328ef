"""A deployment as document 001 words it, and the request of ours that it means.

Those words leave out most of a request: where the plugin comes from, how it runs, what it may reach. All of that stays as it was asked
for when the plugin was installed; how the new release meets its users is said anew each time, as that document's defaults have it.
"""

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, get_args

from pydantic import BeforeValidator, Field

from blocks.domain.asking import NotInstalled, Standing
from blocks.domain.manifest import InstallRequest, Label, PackageName
from blocks.domain.strategy import Strategy, StrategyConfig
from blocks.domain.strict import Strict
from blocks.domain.watch import Environment, Spot

# Document 001's words for the environments.
ENVIRONMENTS: Mapping[str, str] = MappingProxyType({"dev": "Development", "staging": "Staging", "prod": "Production"})


class NotDescribed(NotInstalled):
    """Nothing of the plugin serves there, so what a deployment leaves out is not known."""

    code = "not-described"


def read_environment(value: Any) -> Any:
    """The environment by our name, however it is written: `Production`, `production` or `prod`."""
    spoken = {word.lower(): name for name, word in ENVIRONMENTS.items()}
    return spoken.get(value.lower(), value.lower()) if isinstance(value, str) else value


def read_strategy(value: Any) -> Any:
    """The strategy by our name, however it is written: `BlueGreen`, `blue_green` or `blue-green`."""
    spoken = {name.replace("-", ""): name for name in get_args(Strategy)}
    return spoken.get(re.sub("[^a-z]", "", value.lower()), value) if isinstance(value, str) else value


def tell_strategy(strategy: str) -> str:
    """The strategy in document 001's words: `BlueGreen`; a part of two letters is an abbreviation."""
    return "".join(part.upper() if len(part) == 2 else part.capitalize() for part in strategy.split("-"))


InEnvironment = Annotated[
    Environment, BeforeValidator(read_environment, json_schema_input_type=str), Field(examples=["Production"])
]


class Deployment(Strict):
    """One release of a plugin that is installed already, for one tenant in one environment."""

    plugin_id: PackageName = Field(examples=["payment-stripe"])
    plugin_version: str = Field(min_length=1, max_length=64, description="a version or an npm range", examples=["2.0.0"])
    tenant_id: Label = Field(examples=["tenant-acme-corp"])
    environment: InEnvironment
    strategy: Annotated[Strategy, BeforeValidator(read_strategy, json_schema_input_type=str)] = Field(
        default="canary", examples=["Canary"]
    )
    strategy_config: StrategyConfig | None = None
    total_instances: int | None = Field(default=None, ge=1, le=20, strict=True, description="null: as many as it has")

    @property
    def spot(self) -> Spot:
        """What is deployed, and where."""
        return Spot(self.tenant_id, self.environment, self.plugin_id)


def ask_for_deployment(standing: Standing, wanted: Deployment) -> InstallRequest:
    """What serves, or is being installed, as it was asked for, but for what the deployment says.

    Raises `NotDescribed`, and pydantic's `ValidationError` where the strategy does not fit what is said of it.
    """
    installing = standing.active and standing.active_verb == "install"
    known = standing.serving_request or (standing.active_request if installing else "")
    if not known:
        raise undescribed(wanted.spot)
    asked = json.loads(known)
    said: dict[str, Any] = {"strategy": wanted.strategy, "strategyConfig": wanted.strategy_config}
    if wanted.total_instances:
        said["replicas"] = wanted.total_instances
    return InstallRequest.model_validate(asked | said | {"plugin": asked["plugin"] | {"version": wanted.plugin_version}})


def undescribed(spot: Spot) -> NotDescribed:
    """What is said where nothing of the plugin serves."""
    where = f"for tenant {spot.tenant} in {ENVIRONMENTS[spot.environment]}"
    return NotDescribed(
        f"nothing of {spot.plugin} serves {where}, so where it comes from and how it runs is not known",
        "install it once by POST /api/v1/plugins/install, which can say so; from then on deployments update it",
    )
