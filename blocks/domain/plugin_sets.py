"""Several plugins asked for as one: checked together, and put into the order in which they are installed."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from blocks.domain.approval import canonical
from blocks.domain.errors import Needed
from blocks.domain.manifest import InstallRequest, Label
from blocks.domain.stages import config_of
from blocks.domain.strategy import STAGED
from blocks.domain.strict import Strict


class SetRequest(Strict):
    """Several plugins for one tenant in one environment; what a plugin does not say of these is what the set says."""

    name: Label = Field(examples=["search"])
    tenant: Label = "default"
    environment: Literal["dev", "staging", "prod"] = "dev"
    plugins: tuple[InstallRequest, ...] = Field(min_length=2, max_length=10)

    @model_validator(mode="before")
    @classmethod
    def _say_once(cls, said: Any) -> Any:
        if not isinstance(said, dict) or not isinstance(said.get("plugins"), list | tuple):
            return said
        place = {name: said[name] for name in ("tenant", "environment") if name in said}
        return said | {"plugins": [place | one if isinstance(one, dict) else one for one in said["plugins"]]}

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        names = Counter(one.plugin.name for one in self.plugins)
        if twice := [name for name, times in names.items() if times > 1]:
            raise ValueError(f"{', '.join(twice)} is named more than once")
        if elsewhere := [
            one.plugin.name for one in self.plugins if (one.tenant, one.environment) != (self.tenant, self.environment)
        ]:
            raise ValueError(f"{', '.join(elsewhere)} is not for {self.tenant}/{self.environment}, as the set is")
        if len({count_stages(one) for one in self.plugins}) > 1:
            told = ", ".join(f"{one.plugin.name} has {count_stages(one)}" for one in self.plugins)
            raise ValueError(f"plugins of a set go through their stages together, so all have as many: {told}")
        return self


def count_stages(request: InstallRequest) -> int:
    """How many stages an update goes through; whatever is not staged is sent all requests at once, in one."""
    return len(config_of(request).stages) if request.strategy in STAGED else 1


def put_in_order(plugins: Sequence[InstallRequest], serving: frozenset[str]) -> tuple[InstallRequest, ...]:
    """The plugins, each after those of the set that it depends on.

    Raises `Needed` for what neither serves nor is in the set, and where plugins need each other in a circle.
    """
    named = {one.plugin.name: one for one in plugins}
    if missing := sorted({need for one in plugins for need in one.depends_on} - named.keys() - serving):
        raise Needed(
            f"{', '.join(missing)} must serve first", "add it to the set, or install it for the same tenant and environment"
        )
    needs = {name: [need for need in one.depends_on if need in named] for name, one in named.items()}
    try:
        return tuple(named[name] for name in TopologicalSorter(needs).static_order())
    except CycleError as problem:
        *circle, _ = problem.args[1]
        raise Needed(f"{', '.join(sorted(circle))} need each other in a circle", "one of them has to do without") from problem


def hash_together(plans: Sequence[str]) -> str:
    """The hash under which the plans with these hashes are agreed to as one."""
    return f"sha256:{hashlib.sha256(canonical(list(plans)).encode()).hexdigest()}"
