"""An A/B test in the words of a request: who meets which variant, for how long, and what follows from each end it may come to."""

from typing import Literal, Self

from pydantic import Field, model_validator

from blocks.domain.match import HeaderMatch
from blocks.domain.strict import Strict

# Looks at most: whoever takes over after a crash takes all of them again.
MOST_LOOKS = 1000


class Experiment(Strict):
    """How what serves (A) and the new revision (B) are compared; times in seconds.

    B is better, worse, or neither is certain when the time is over. `share` is B's part in percent of those who have met neither yet.
    """

    share: int = Field(default=50, ge=1, le=99, strict=True)
    cookie: str = Field(default="plugin-variant", pattern=r"^[A-Za-z0-9_-]{1,64}$")
    header: HeaderMatch | None = Field(default=None, description="whose senders always meet B")
    duration: int = Field(default=3600, ge=1, le=86_400, strict=True)
    interval: int = Field(default=10, ge=1, le=600, strict=True)
    alpha: float = Field(default=0.05, ge=1e-6, le=0.5, strict=True, description="most false alarms, however often one looks")
    min_requests: int = Field(default=100, ge=1, le=1_000_000, strict=True, description="of each variant; fewer are no data")
    error_limit: int = Field(default=3, ge=1, le=1000, strict=True)
    metric: Literal["success-rate"] = "success-rate"
    on_win: Literal["promote", "ask"] = "promote"
    on_loss: Literal["rollback", "ask"] = "rollback"
    undecided: Literal["ask", "rollback", "promote"] = "ask"

    @model_validator(mode="after")
    def _has_looks(self) -> Self:
        if not 1 <= self.duration // self.interval <= MOST_LOOKS:
            raise ValueError(f"there are from 1 to {MOST_LOOKS} looks, not {self.duration // self.interval}; change the interval")
        return self
