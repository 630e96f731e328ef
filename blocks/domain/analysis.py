"""What a new revision is measured by, in the words of a request, and what its preview is asked before.

Everything but the numbers of its answers is said only by those who want it, and is not in the request of those who do not: the plan of
what serves already keeps its hash.
"""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from blocks.domain.http_check import HttpCheck
from blocks.domain.job_check import JobCheck
from blocks.domain.strict import Strict
from blocks.domain.templates import places_in

# What a sample measures that no metric of the request's own may be called.
ANSWERS, PODS = "answers", "pods"
# The places in a query that are filled by the pipeline; `stable` is the revision that served before, if one did.
STABLE = "stable"
PLACES = ("namespace", "revision", STABLE, "host", "window")
Count = Annotated[int, Field(ge=0, le=1000, strict=True)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Value = Annotated[str, StringConstraints(max_length=200)]
PlaceName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z][a-zA-Z0-9_]{0,40}$")]


class Metric(Strict):
    """A question of the request's own, to Prometheus, to the revision or by a Job, and between which bounds its number must be.

    Its bad samples are counted for themselves; a `dry_run` only reports.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")
    query: str = Field(
        default="", min_length=1, max_length=2000, description="PromQL that comes to one number", exclude_if=lambda said: not said
    )
    http: HttpCheck | None = Field(default=None, exclude_if=lambda said: said is None)
    job: JobCheck | None = Field(default=None, exclude_if=lambda said: said is None)
    min: Number | None = None
    max: Number | None = None
    args: Mapping[PlaceName, Value] = Field(default={}, max_length=20)
    failure_limit: Count = 0
    dry_run: bool = Field(default=False, strict=True)

    @model_validator(mode="after")
    def _asks_one_thing(self) -> Self:
        if [bool(self.query), self.http is not None, self.job is not None].count(True) != 1:
            raise ValueError(f"say what {self.name} asks, either in query, in http or in job")
        if self.args and not self.query:
            raise ValueError(f"args fill the places of a query; {'an HTTP check' if self.http else 'a Job'} has none")
        return self

    @model_validator(mode="after")
    def _can_be_judged(self) -> Self:
        bounded = self.min is not None or self.max is not None
        if self.http:
            self.http.refuse_bounds(bounded=bounded)
        elif self.job and bounded:
            raise ValueError("a Job says by its exit code whether the revision is good; leave min and max out")
        elif not self.job and not bounded:
            raise ValueError(f"say in min or max what {self.name} must be at least or at most")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"nothing is at least {self.min:g} and at most {self.max:g}")
        return self

    @model_validator(mode="after")
    def _can_be_asked(self) -> Self:
        if taken := sorted(self.args.keys() & {*PLACES}):
            raise ValueError(f"{taken[0]} is filled in by the pipeline; call the argument otherwise")
        if unknown := sorted(places_in(self.query) - {*PLACES, *self.args}):
            known = ", ".join([*PLACES, *self.args])
            raise ValueError(f"the query names {{{{{unknown[0]}}}}}, and only these are known: {known}")
        return self

    @property
    def compares(self) -> bool:
        """Whether it asks about the revision that served before too."""
        return STABLE in places_in(self.query)


class Sequential(Strict):
    """The new revision is bad as soon as it is certain that it fails more often than the one that serves, however often one looks."""

    alpha: float = Field(default=0.05, ge=1e-6, le=0.5, strict=True, description="most false alarms at each stage")


class Compared(Strict):
    """How much worse than the revision that serves the new one may be, over the same time; what is said here is not asked absolutely."""

    success_rate: Number | None = Field(default=None, ge=0, le=1, description="so much less")
    latency: Number | None = Field(default=None, ge=1, le=100, description="so many times as long, at the quantile")
    sequential: Sequential | None = Field(default=None, exclude_if=lambda said: said is None)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.success_rate is not None and self.sequential:
            raise ValueError("say either by how much the successRate may be less, or how sure the sequential test has to be")
        if self.success_rate is None and self.latency is None and self.sequential is None:
            raise ValueError(
                "say by how much the successRate may be less, or how many times the latency may be as long, or ask for sequential"
            )
        return self


class Pods(Strict):
    """How often the revision's containers may have restarted in the stage, and how many of its pods may be unready at an instant."""

    restarts: Count = 0
    not_ready: Count = 0
    failure_limit: Count = 0


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
    compared_to_stable: Compared | None = Field(default=None, exclude_if=lambda found: found is None)
    metrics: tuple[Metric, ...] = Field(default=(), max_length=10, exclude_if=lambda found: not found)
    pods: Pods | None = Field(default=None, exclude_if=lambda found: found is None)

    @model_validator(mode="after")
    def _each_name_once(self) -> Self:
        names = [ANSWERS, PODS, *(one.name for one in self.metrics)]
        if twice := [one for one in self.metrics if names.count(one.name) > 1]:
            raise ValueError(f"two things would be called {twice[0].name}; call the metric otherwise")
        return self

    @model_validator(mode="after")
    def _keeps_pace(self) -> Self:
        # Whoever takes over measures every instant that has passed, and must be faster than the next ones come.
        for one in self.metrics:
            if one.http and one.http.timeout * 2 > self.interval:
                most = f"{self.interval / 2:g}"
                raise ValueError(f"{one.name} may take at most half of the interval, {most} s; lower its http.timeout")
            if one.job and one.job.deadline > self.extend:
                most = f"a stage is prolonged by {self.extend} s at most, and {one.name} may take longer"
                raise ValueError(f"{most}; lower its job.deadline, or raise extend")
        return self

    @property
    def asks_latency(self) -> bool:
        """Whether it matters how long the answers take."""
        return self.latency_ms is not None or bool(self.compared_to_stable and self.compared_to_stable.latency)

    @property
    def asks_revision(self) -> bool:
        """Whether the revision is asked something by whoever measures it."""
        return self.enabled and any(one.http for one in self.metrics)

    @property
    def awaited(self) -> tuple[str, ...]:
        """The metrics whose sample a stage waits for, however long they take: its Jobs."""
        return tuple(one.name for one in self.metrics if one.job and not one.dry_run)

    def forgiven(self, name: str) -> int:
        """How many bad samples of this name are allowed at each stage."""
        allowed = {one.name: one.failure_limit for one in self.metrics} | ({PODS: self.pods.failure_limit} if self.pods else {})
        return allowed.get(name, self.failure_limit)

    @property
    def sentence(self) -> str:
        """What is asked of each sample, for people."""
        others = self._others
        return f"{self._of_success}{self._of_latency}" + (f", {' and '.join(others)} too" if others else "")

    @property
    def sentence_of_others(self) -> str:
        """What is asked of each sample where nobody counts the answers, for people."""
        return f"nothing is wrong with {' and '.join(self._others)}"

    @property
    def _others(self) -> list[str]:
        named = (f"the Job {one.name}" if one.job else one.name for one in self.metrics if not one.dry_run)
        return [*named, *(["its pods"] if self.pods else [])]

    @property
    def _of_success(self) -> str:
        if self.compared_to_stable and self.compared_to_stable.sequential:
            sure = f"(alpha {self.compared_to_stable.sequential.alpha:g})"
            return f"it is not certain {sure} that the answers are less often good than those of the revision before"
        if self.compared_to_stable and self.compared_to_stable.success_rate is not None:
            less = self.compared_to_stable.success_rate
            return f"the answers are at most {less:g} less often good than those of the revision before"
        return f"{self.success_rate:g} of the answers are good"

    @property
    def _of_latency(self) -> str:
        if self.compared_to_stable and (times := self.compared_to_stable.latency):
            return f" and at the quantile {self.quantile:g} they take at most {times:g} times as long as those of the revision before"
        return f" and {self.latency_ms:g} ms are enough for {self.quantile:g} of them" if self.latency_ms else ""


class SmokeTest(Strict):
    """One question to the preview of a revision, and the status that it has to answer with."""

    path: str = Field(pattern=r"^/[!-~]{0,200}$")
    status: int = Field(default=200, ge=100, le=599, strict=True)
