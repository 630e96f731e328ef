"""What is done next while an A/B test lasts: one pure decision from what was counted so far, as for a stage of a canary.

Looks are taken at instants that follow from when the test began, and none after its end: whoever takes over has those that were taken,
and takes the same ones after them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from blocks.domain.experiment import Experiment
from blocks.domain.rollout import LONGEST_WAIT, Action, Advance, Ask, GoBack, Measure, Sample, Verdict, Wait
from blocks.domain.sequential import Comparison, Pair, compare


@dataclass(frozen=True)
class Look:
    """What both variants had answered at an instant (seconds since 1970), and what all looks together say then.

    The sample is good where B is certainly better, bad where it is certainly worse, and no data as long as neither is certain.
    """

    sample: Sample
    comparison: Comparison | None = None


@dataclass(frozen=True)
class Standing:
    """How a test stands: since when, its looks in order, and whether a person promoted it."""

    since: float
    now: float
    looks: tuple[Look, ...] = ()
    promoted: bool = False


def judge_variants(experiment: Experiment, before: Sequence[Look], told: tuple[float, str], counts: Pair) -> Look:
    """The look at an instant, with what was asked then."""
    at, query = told
    a, b = counts
    if min(a.requests, b.requests) < experiment.min_requests:
        few = f"A answered {a.requests} and B {b.requests} requests, at least {experiment.min_requests} of each are wanted"
        return Look(Sample(at, Verdict.NO_DATA, few, query, b.requests, both=counts))
    found = compare([*(one.sample.both for one in before if one.sample.both), counts], experiment.alpha)
    better = Verdict.GOOD if found.odds_ratio > 1 else Verdict.BAD
    verdict = better if found.is_certain else Verdict.NO_DATA
    return Look(Sample(at, verdict, found.sentence, query, b.requests, b.rate, both=counts), found)


def look_again(experiment: Experiment, samples: Sequence[Sample]) -> tuple[Look, ...]:
    """The looks whose samples were kept; what the last one says of all of them is worked out anew, because it is not kept."""
    looks, last = tuple(Look(one) for one in samples), samples[-1] if samples else None
    if last is None or last.both is None:
        return looks
    return (*looks[:-1], judge_variants(experiment, looks[:-1], (last.at, last.query), last.both))


def next_in_trial(experiment: Experiment, standing: Standing) -> Action:
    """What is done now; of two things that could be, the one that protects users more."""
    last = standing.looks[-1].sample if standing.looks else None
    if last and last.verdict == Verdict.BAD and experiment.on_loss == "rollback":
        return GoBack(f"B is worse: {last.sentence}", last)
    if standing.promoted:
        return Advance("a person promoted it")
    if last and last.verdict == Verdict.BAD:
        return Ask(f"B is worse: {last.sentence}; go on or back?")
    if last and last.verdict == Verdict.GOOD:
        won = f"B is better: {last.sentence}"
        return Advance(won) if experiment.on_win == "promote" else Ask(f"{won}; go on or back?")
    return _go_on(experiment, standing)


def _go_on(experiment: Experiment, standing: Standing) -> Action:
    """What is done while nothing is certain: look at every instant that has passed, then ask, wait, or end."""
    instant, end = standing.since + (len(standing.looks) + 1) * experiment.interval, standing.since + experiment.duration
    if instant <= min(standing.now, end):
        return Measure(instant)
    errors = [*takewhile(lambda one: one.sample.verdict == Verdict.ERROR, reversed(standing.looks))]
    if len(errors) >= experiment.error_limit:
        return Ask(f"it could not be measured {len(errors)} times in a row: {errors[0].sample.sentence}; go on or back?")
    if standing.now < end:
        return Wait(min(LONGEST_WAIT, min(instant, end) - standing.now), f"B has {experiment.share} %")
    return _end(experiment, standing.looks)


def _end(experiment: Experiment, looks: Sequence[Look]) -> Action:
    """What follows where the time is over and nothing is certain; without data only a person says that B is good enough."""
    last = looks[-1]
    said = f"nobody won within {experiment.duration} s: {last.sample.sentence}"
    if experiment.undecided == "rollback":
        return GoBack(said, last.sample)
    if last.comparison and experiment.undecided == "promote":
        return Advance(said)
    return Ask(f"{said}; go on or back?")
