"""What `deployments/prefect.yaml` says, read into values: one place for people to read and for `register` to apply."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from prefect.events.schemas.automations import AutomationCore
from pydantic import BaseModel, ConfigDict, Field

FOLDER = Path(__file__).resolve().parent
DECLARED = FOLDER / "prefect.yaml"
TAG = "plugin-pipeline"


class Strict(BaseModel):
    """A part of the file; a word that nobody knows is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DeclaredPool(Strict):
    """A work pool: what its worker is, how many runs it has at once, and what its runs are given."""

    type: str
    description: str
    concurrency_limit: int
    job_variables: dict[str, Any] = Field(default_factory=dict)

    @property
    def template(self) -> dict[str, Any]:
        """What a run of the pool is made from, with the variables that fill it in."""
        found: dict[str, Any] = json.loads((FOLDER / "pools" / f"{self.type}.json").read_text())
        return found

    def template_for(self, image: str) -> dict[str, Any]:
        """The template in which the pipeline's image is what runs, where the pool runs images and one is configured."""
        found = self.template
        if image and "image" in self._variables(found):
            self._variables(found)["image"]["default"] = image
        return found

    def variables_for(self, kind: str) -> dict[str, Any]:
        """What runs of this kind are given, where the pool tells kinds apart."""
        return self.job_variables | ({"kind": kind} if "kind" in self._variables(self.template) else {})

    @staticmethod
    def _variables(template: dict[str, Any]) -> dict[str, Any]:
        known: dict[str, Any] = template["variables"]["properties"]
        return known


class DeclaredSchedule(Strict):
    """When a flow runs by itself: by cron's five words, in UTC; people know it by its slug."""

    slug: str
    cron: str


class DeclaredDeployment(Strict):
    """A flow that can be run, by its module path: a worker finds it wherever the product is installed."""

    flow: str
    entrypoint: str
    description: str
    kind: Literal["plan", "apply", "discover"] = Field(
        default="apply", description="whose rights it has where each kind has its own"
    )
    schedules: tuple[DeclaredSchedule, ...] = ()
    concurrency_limit: int | None = None


class Declared(Strict):
    """The whole file."""

    name: str
    prefect_version: str = Field(alias="prefect-version")
    pools: dict[str, DeclaredPool]
    deployments: tuple[DeclaredDeployment, ...]
    automations: tuple[AutomationCore, ...]
    server: dict[str, str]


@cache
def read_declared() -> Declared:
    """What is declared; the file is part of the code and read once."""
    return Declared.model_validate(yaml.safe_load(DECLARED.read_text()))
