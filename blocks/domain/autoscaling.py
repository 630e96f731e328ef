"""How many replicas a revision may have where the cluster decides how many it needs: what is asked for, and the bounds that follow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic import Field, model_validator

from blocks.domain.strict import Strict


class Autoscaling(Strict):
    """Between how many replicas the cluster chooses, by how busy they are: percent of the processor time that is set aside for each."""

    min_replicas: int = Field(default=1, ge=1, le=20, strict=True)
    max_replicas: int = Field(ge=1, le=20, strict=True)
    cpu: int = Field(default=80, ge=1, le=1000, strict=True, description="percent of resources.cpu.request")
    scale_down_stabilization_seconds: int | None = Field(default=None, ge=0, le=3600, strict=True)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_replicas > self.max_replicas:
            raise ValueError(f"minReplicas {self.min_replicas} is above maxReplicas {self.max_replicas}")
        return self


@dataclass(frozen=True)
class Range:
    """The fewest and the most replicas that an autoscaler gives a revision."""

    least: int
    most: int

    def within(self, replicas: int) -> int:
        """The number in the range that is nearest to this one."""
        return min(max(replicas, self.least), self.most)


def range_of(hashed: Mapping[str, Any]) -> Range | None:
    """The range within which the plan's revision is scaled, None where it has the replicas that were asked for."""
    asked = hashed["inputs"]["request"].get("autoscaling")
    return Range(asked["minReplicas"], asked["maxReplicas"]) if asked else None
