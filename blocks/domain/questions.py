"""What Prometheus is asked of one revision, and what its answers say: counts of requests and latency as Envoy saw them.

Envoy counts for each cluster, which is one Service and so one revision, and shows a counter only once there was something to count. So
the difference of two readings is taken here, and not `increase()`: that one leaves out what a new counter began with, which is every
failure of a revision that fails at once, and makes fractions of requests where it fills gaps.
"""

import math
from dataclasses import dataclass, replace

from blocks.domain.analysis import Analysis
from blocks.domain.errors import PipelineError
from blocks.domain.rollout import Sample, Verdict

REQUESTS = "envoy_cluster_upstream_rq_xx"
LATENCY = "envoy_cluster_upstream_rq_time_bucket"
# Seconds before its instant that a sample ends: a reading bears the time at which it began, and is seen when it has been written.
SETTLING = 1


@dataclass(frozen=True)
class Questions:
    """Each a PromQL query with one number as its answer, to be asked as of `at` for the sample of `instant`; no latency: not wanted."""

    instant: float
    at: float
    requests: str
    succeeded: str
    latency: str = ""

    @property
    def success_rate(self) -> str:
        """One query for what is judged of the first two, for people who look themselves."""
        return f"{self.succeeded} / {self.requests}"


@dataclass(frozen=True)
class Numbers:
    """The answers; None where Prometheus knows of no series."""

    requests: float | None
    succeeded: float | None
    latency_ms: float | None = None


def cluster_of(namespace: str, name: str, port: int) -> str:
    """What Envoy calls the Service of this name and port."""
    return f"{namespace}_{name}_{port}"


def window_of(since: float, instant: float) -> int:
    """How many seconds a sample is about."""
    return max(1, round(instant - since) - SETTLING)


def ask_about(cluster: str, analysis: Analysis, since: float, instant: float) -> Questions:
    """What is asked at the instant about all requests since the stage's weight came in force."""
    window = window_of(since, instant)
    total = f'{REQUESTS}{{envoy_cluster_name="{cluster}"}}'
    succeeded = f'{REQUESTS}{{envoy_cluster_name="{cluster}",envoy_response_code_class!="5"}}'
    buckets = _grown(f'{LATENCY}{{envoy_cluster_name="{cluster}"}}', window)
    latency = f"histogram_quantile({analysis.quantile}, sum by (le) ({buckets}))" if analysis.asks_latency else ""
    return Questions(instant, instant - SETTLING, f"sum({_grown(total, window)})", f"sum({_grown(succeeded, window)})", latency)


def judge(analysis: Analysis, questions: Questions, numbers: Numbers) -> Sample:
    """What the numbers say: bad if one of them is bad, good only if all that are wanted are there and good."""
    requests, succeeded, latency = (known(one) for one in (numbers.requests, numbers.succeeded or 0.0, numbers.latency_ms))
    if requests is None or succeeded is None or requests < analysis.min_requests:
        return Sample(questions.instant, Verdict.NO_DATA, _too_few(analysis, requests), questions.requests, requests)
    rate = succeeded / requests
    told = f"success rate {cut(succeeded, requests)} of {requests:.0f} requests, at least {analysis.success_rate:g} wanted"
    by_rate = Sample(questions.instant, Verdict.GOOD, told, questions.success_rate, requests, rate, latency)
    by_rate = replace(by_rate, number=rate, threshold=analysis.success_rate)
    if rate < analysis.success_rate:
        return replace(by_rate, verdict=Verdict.BAD)
    return by_rate if analysis.latency_ms is None else _judge_latency(analysis, analysis.latency_ms, questions, by_rate)


def missed(questions: Questions, problem: PipelineError) -> Sample:
    """The sample of an instant at which Prometheus gave no answer."""
    return Sample(questions.instant, Verdict.ERROR, problem.message, questions.requests)


def _judge_latency(analysis: Analysis, most: float, questions: Questions, good: Sample) -> Sample:
    """The sample that was good so far, with what its latency says."""
    latency = good.latency_ms
    if latency is None:
        told = f"of {good.requests:.0f} requests it is not known yet how long they took"
        return replace(good, verdict=Verdict.NO_DATA, sentence=told, query=questions.latency)
    told = (
        f"latency {_up(latency)} ms at quantile {analysis.quantile:g} of {good.requests:.0f} requests, at most {most:g} ms wanted"
    )
    if latency > most:
        return replace(good, verdict=Verdict.BAD, sentence=told, query=questions.latency, number=latency, threshold=most)
    return replace(good, sentence=f"{good.sentence}; {told}")


def _grown(series: str, window: int) -> str:
    """What each counter has grown by in so many seconds; one that is new or began anew counts from nothing.

    The reading at the beginning may be five minutes old, as the one at the end: a scrape that failed just then makes no counter new.
    """
    return f"({series} - last_over_time({series}[5m] offset {window}s) >= 0 or {series})"


def known(number: float | None) -> float | None:
    """The number, or None for one that is none: it compares with nothing, and JSON cannot carry it."""
    return number if number is not None and math.isfinite(number) else None


def _too_few(analysis: Analysis, requests: float | None) -> str:
    counted = f"{requests:.0f}" if requests else "no"
    return f"{counted} requests were answered, at least {analysis.min_requests} are wanted to judge by"


def cut(part: float, whole: float) -> str:
    """The share with four digits, cut and not rounded: what is below a threshold never reads as if it were not."""
    return f"{part * 10_000 // whole / 10_000:g}"


def _up(number: float) -> str:
    """The number with one digit, and never less than it is."""
    return f"{math.ceil(number * 10) / 10:g}"
