"""What Prometheus reads: requests as they are answered, and the record as it stands at the moment of the question.

What the record knows is never counted here a second time: it is read when Prometheus asks, so that it survives restarts and is
the same from every replica (aggregate it with `max`, not with `sum`). While the record does not answer its families are left out and
`plugin_pipeline_record_up` is 0. To add a family from the record: write a function from `Counts` to families and name it in
`FAMILIES`.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from blocks.catalog.views import Counts
from blocks.domain.errors import PipelineError, RolloutFailed, VerificationFailed
from blocks.domain.health import Status
from blocks.domain.journal import Kind, Phase
from deployments.api.ports import Views
from deployments.api.recorded import Served

# Seconds; the aim is 15 ms for 95 % of the requests.
REQUEST_BUCKETS = (0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
# Seconds; an installation takes from a second (nothing to build) to half an hour.
OPERATION_BUCKETS = (1, 2.5, 5, 10, 20, 30, 60, 120, 180, 300, 600, 1200, 1800)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OUTCOME = {Phase.SUCCEEDED.value: "completed", Phase.WITHDRAWN.value: "failed", Phase.FROZEN.value: "failed"}

# What the pipeline found when it checked a new revision: its pods did not become ready, or what answered was not what was installed.
UNHEALTHY = frozenset({RolloutFailed.code, VerificationFailed.code})
SCAN = "scan:"


class Traffic:
    """The requests that this process answered."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("endpoint", "method", "status")
        self._requests = Counter("api_requests_total", "Answered requests", labels, registry=self.registry)
        self._seconds = Histogram(
            "api_request_duration_seconds", "Time to answer", labels[:2], buckets=REQUEST_BUCKETS, registry=self.registry
        )
        ProcessCollector(registry=self.registry)

    def count(self, served: Served) -> None:
        """Count one answered request."""
        method = served.method if served.method in METHODS else "other"
        self._requests.labels(served.endpoint, method, str(served.status)).inc()
        self._seconds.labels(served.endpoint, method).observe(served.seconds)


class Record(Collector):
    """The record as it stood when it was read, or that it did not answer."""

    def __init__(self, counts: Counts | None) -> None:
        self._counts = counts

    def collect(self) -> Iterable[Metric]:
        """The families."""
        up = GaugeMetricFamily("plugin_pipeline_record_up", "1 if the database answered", value=float(self._counts is not None))
        told = chain.from_iterable(family(self._counts) for family in FAMILIES) if self._counts else ()
        return [up, *told]


def count_operations(counts: Counts) -> Iterator[Metric]:
    """Ended operations by outcome, and those on their way by phase."""
    ended = CounterMetricFamily("plugin_deployments", "Ended operations", labels=("verb", "status"))
    waiting = GaugeMetricFamily("plugin_operations_unfinished", "Operations on their way", labels=("verb", "phase"))
    totals: dict[tuple[str, str], int] = {}
    for (verb, phase), number in counts.operations.items():
        if phase in OUTCOME:
            totals[verb, OUTCOME[phase]] = totals.get((verb, OUTCOME[phase]), 0) + number
        else:
            waiting.add_metric((verb, phase), number)
    for labels, number in totals.items():
        ended.add_metric(labels, number)
    yield from (ended, waiting)
    requested = sum(number for (_, phase), number in counts.operations.items() if phase == Phase.REQUESTED)
    yield GaugeMetricFamily("plugin_queue_size", "Operations that nobody has begun", value=requested)


def time_operations(counts: Counts) -> Iterator[Metric]:
    """How long ended operations took, from the request to the end."""
    family = HistogramMetricFamily("plugin_deployments_duration_seconds", "Request to end of an operation", labels=("verb",))
    for verb, seconds in counts.durations.items():
        upto = [(str(float(edge)), float(sum(one <= edge for one in seconds))) for edge in OPERATION_BUCKETS]
        family.add_metric((verb,), [*upto, ("+Inf", float(len(seconds)))], sum(seconds))
    yield family


def count_installations(counts: Counts) -> Iterator[Metric]:
    """Installations by tenant and by phase of their newest operation."""
    phases = GaugeMetricFamily("plugin_installations", "By phase of the newest operation", labels=("tenant", "phase"))
    for labels, number in counts.installations.items():
        phases.add_metric(labels, number)
    each = GaugeMetricFamily("plugins_per_tenant", "Installations of a tenant that serve", labels=("tenant",))
    for tenant, number in counts.serving.items():
        each.add_metric((tenant,), number)
    active = GaugeMetricFamily("tenants_active_total", "Tenants for whom something serves", value=len(counts.serving))
    yield from (phases, each, active)


def count_checks(counts: Counts) -> Iterator[Metric]:
    """How often revisions were found healthy or not, new ones and serving ones, what scanners answered, what operations failed of."""
    healthy = counts.entries.get(("verify", Kind.DONE.value), 0)
    unhealthy = sum(number for (_, code), number in counts.reasons.items() if code in UNHEALTHY)
    health = CounterMetricFamily("plugin_health_check", "Checks of new revisions and of what serves", labels=("status",))
    health.add_metric(("healthy",), healthy + counts.checks[Status.HEALTHY])
    health.add_metric(("unhealthy",), unhealthy + counts.checks[Status.UNHEALTHY])
    health.add_metric(("unknown",), counts.checks[Status.UNKNOWN])
    scans = CounterMetricFamily("plugin_scans", "Scans that were answered", labels=("scanner",))
    for (step, kind), number in counts.entries.items():
        if step.startswith(SCAN) and kind == Kind.DONE:
            scans.add_metric((step.removeprefix(SCAN),), number)
    failures = CounterMetricFamily("plugin_failures", "Operations that failed, by reason", labels=("verb", "reason"))
    for labels, number in counts.reasons.items():
        failures.add_metric(labels, number)
    yield from (health, scans, failures)


def tell_health(counts: Counts) -> Iterator[Metric]:
    """How it is with each installation that serves, 1 for the one status that it has; it clears by itself, as a counter never does."""
    labels = ("tenant", "environment", "plugin", "status")
    family = GaugeMetricFamily("plugin_health_status", "1 for how it is with what serves", labels=labels)
    for named, found in counts.health.items():
        for status in Status:
            family.add_metric((*named, status.value), float(status is found))
    asked = SummaryMetricFamily("plugin_health_check_duration_seconds", "Time until what serves had answered, or had not")
    asked.add_metric((), sum(counts.checks.values()), counts.check_seconds)
    yield from (family, asked)


def count_steps(counts: Counts) -> Iterator[Metric]:
    """What the journals say about each step."""
    steps = CounterMetricFamily("plugin_steps", "Journal entries about a step", labels=("step", "kind"))
    for labels, number in counts.entries.items():
        steps.add_metric(labels, number)
    yield steps


FAMILIES: tuple[Callable[[Counts], Iterator[Metric]], ...] = (
    count_operations,
    time_operations,
    count_installations,
    count_checks,
    tell_health,
    count_steps,
)


def make_metrics(traffic: Traffic, views: Views) -> Starlette:
    """The app of the metrics port."""

    async def read_metrics(_: Request) -> Response:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(Record(await _count(views)))
        text = generate_latest(traffic.registry) + generate_latest(registry)
        return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    return Starlette(routes=[Route("/metrics", read_metrics)])


async def _count(views: Views) -> Counts | None:
    try:
        return await views.counts()
    except PipelineError:
        return None
