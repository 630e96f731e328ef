"""How the API shows how it is with what serves."""

from datetime import datetime
from typing import Self

from pydantic import Field

from blocks.domain.health import Condition, Remedy, Status
from deployments.api.shown import Shown, moment

NOTHING_SERVES = "nothing serves here, or it is disabled"


class HealthShown(Shown):
    """How it is with what serves, as its own address answers; `unknown` is what nobody knows now, and is never a pass."""

    status: Status
    since: datetime | None
    failures: int = Field(description="bad answers in a row since anything was last done about it")
    message: str = Field(description="what the last answer was", examples=["/ready answered 200"])
    checked_at: datetime | None
    tried: Remedy = Field(description="the strongest remedy that was tried for the present cause")
    note: str = Field(description="what came of that")

    @classmethod
    def of(cls, condition: Condition | None) -> Self:
        """The condition as it is shown; None is that of what does not serve."""
        seen = condition or Condition(said=NOTHING_SERVES)
        return cls(
            **{name: getattr(seen, name) for name in ("status", "failures", "tried", "note")},
            since=moment(seen.since) if seen.since else None,
            message=seen.said,
            checked_at=moment(seen.checked_at) if seen.checked_at else None,
        )
