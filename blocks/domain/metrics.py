"""A metric of the request's own: what Prometheus is asked for it, and what the number says."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from blocks.domain.analysis import STABLE, Analysis, Metric
from blocks.domain.errors import PipelineError
from blocks.domain.questions import SETTLING, known, window_of
from blocks.domain.rollout import Sample, Verdict
from blocks.domain.templates import fill


@dataclass(frozen=True)
class Question:
    """One query, to be asked as of `at` for the sample of `instant`."""

    instant: float
    at: float
    query: str


def names_in(names: Mapping[str, str], revision: int, previous: int) -> dict[str, str]:
    """What fills the places of a query, but for its window; `names` are those of the plan, `previous` is 0 where nothing serves."""
    stable = f"{names['slug']}-r{previous}" if previous else ""
    found = {"namespace": names["namespace"], "host": names["host"]}
    return {**found, "revision": f"{names['slug']}-r{revision}", STABLE: stable}


def ask_for(metric: Metric, names: Mapping[str, str], since: float, instant: float) -> Question:
    """What is asked at the instant about the time since the stage's weight came in force; `names` fills every place but the window."""
    places = {**names, **metric.args, "window": f"{window_of(since, instant)}s"}
    return Question(instant, instant - SETTLING, fill(metric.query, places))


def asked_of(metrics: Iterable[Metric], *, first: bool) -> tuple[Metric, ...]:
    """Those that can be asked: of a first revision not those that compare it with the one before."""
    return tuple(one for one in metrics if not (first and one.compares))


def judge_metric(metric: Metric, question: Question, answer: float | None) -> Sample:
    """What the number says: it is between its bounds, or bad, or there is none."""
    number = known(answer)
    if number is None:
        return sample_of(metric, question, Verdict.NO_DATA, f"{metric.name} has no number")
    for bound, broken, word in (
        (metric.min, _below(number, metric.min), "least"),
        (metric.max, _below(metric.max, number), "most"),
    ):
        if broken and bound is not None:
            told = f"{metric.name} {_exactly(number, bound)}, at {word} {bound:g} wanted"
            return sample_of(metric, question, Verdict.BAD, told, number, bound)
    bounds = [f"at {word} {bound:g}" for bound, word in ((metric.min, "least"), (metric.max, "most")) if bound is not None]
    nearest = metric.max if metric.min is None else metric.min
    return sample_of(metric, question, Verdict.GOOD, f"{metric.name} {number:g}, {' and '.join(bounds)} wanted", number, nearest)


def missed_metric(metric: Metric, question: Question, problem: PipelineError) -> Sample:
    """The sample of an instant at which there was no answer."""
    return sample_of(metric, question, Verdict.ERROR, f"{metric.name}: {problem.message}")


def tell_asked(analysis: Analysis, sample: Sample) -> str:
    """Who was asked what for the sample, for people who look themselves."""
    if not sample.query:
        return "see the revision's pods and their log"
    asked = next((one for one in analysis.metrics if one.name == sample.name), None)
    if asked and asked.job:
        return f"it was run: {sample.query}"
    return f"{'the revision' if asked and asked.http else 'Prometheus'} was asked: {sample.query}"


def sample_of(metric: Metric, question: Question, verdict: Verdict, sentence: str, *numbers: float | None) -> Sample:
    """A sample of the metric with its number and the bound it was judged by, where there are any; one of a dry run says so."""
    number, threshold = numbers or (None, None)
    told = f"{sentence} (only reported)" if metric.dry_run else sentence
    counts = not metric.dry_run
    return Sample(
        question.instant, verdict, told, question.query, name=metric.name, number=number, threshold=threshold, counts=counts
    )


def _below(one: float | None, other: float | None) -> bool:
    return one is not None and other is not None and one < other


def _exactly(number: float, bound: float) -> str:
    """The number so that what is beyond its bound never reads as if it were not."""
    return f"{number:g}" if f"{number:g}" != f"{bound:g}" else str(number)
