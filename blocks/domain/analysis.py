"""What a new revision's answers are measured by, in the words of a request, and what its preview is asked before."""

from pydantic import Field

from blocks.domain.strict import Strict


class Analysis(Strict):
    """What a revision's answers are measured by, how often, and how much is forgiven; times in seconds.

    `failure_limit` bad samples are allowed; after `error_limit` errors to measure, one after the other, a person is asked. A stage
    that has no data yet is prolonged by up to `extend`.
    """

    enabled: bool = Field(default=True, strict=True)
    success_rate: float = Field(default=0.99, ge=0, le=1, strict=True, description="least share of the answers that are not 5xx")
    latency_ms: float | None = Field(
        default=None, gt=0, le=3_600_000, strict=True, description="most milliseconds, at the quantile"
    )
    quantile: float = Field(default=0.99, gt=0, lt=1, strict=True)
    interval: int = Field(default=10, ge=1, le=600, strict=True)
    min_requests: int = Field(default=20, ge=1, le=1_000_000, strict=True, description="fewer are no data")
    failure_limit: int = Field(default=0, ge=0, le=1000, strict=True)
    error_limit: int = Field(default=3, ge=1, le=1000, strict=True)
    extend: int = Field(default=300, ge=0, le=3600, strict=True)

    @property
    def sentence(self) -> str:
        """What is asked of each sample, for people."""
        latency = f" and {self.latency_ms:g} ms are enough for {self.quantile:g} of them" if self.latency_ms else ""
        return f"{self.success_rate:g} of the answers are good{latency}"


class SmokeTest(Strict):
    """One question to the preview of a revision, and the status that it has to answer with."""

    path: str = Field(pattern=r"^/[!-~]{0,200}$")
    status: int = Field(default=200, ge=100, le=599, strict=True)
