"""What is done next while a new revision has a share of the requests: one pure decision from what was measured so far.

Nothing is remembered for this but the samples. They are taken at instants that follow from when the share came in force, and what
they say follows from Prometheus's history at that instant: whoever takes over after a crash takes the same ones and decides the same.
"""

from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile

from blocks.domain.analysis import ANSWERS, Analysis
from blocks.domain.sequential import Pair
from blocks.domain.strategy import UNTIL_PROMOTED, Stage

# Seconds that are waited at most before what people said is looked at again.
LONGEST_WAIT = 1.0
# Seconds before a stage is over from which on pods may be made for the next: about as many as most take to be ready.
LEAD = 15.0
# Seconds for which a stage that only a person ends goes on being measured; then nobody is kept waiting for that person.
LONGEST_WATCH = 3600


class Verdict(StrEnum):
    """What a sample says; no data is no pass, and an error to measure is no failure."""

    GOOD = "good"
    BAD = "bad"
    NO_DATA = "no-data"
    ERROR = "error"


@dataclass(frozen=True)
class Sample:
    """What was measured at an instant (seconds since 1970), and what it says as a sentence with the number that decided.

    `query` asks for that number, which is judged by `threshold`; a number that was not asked for or not there is None. `name` says what
    was measured: the revision's answers, its pods, or a metric of the request's own. One that does not count is only reported. `both` is
    what the revision before and the new one have answered since the stage began, where one look is judged with those before it.
    """

    at: float
    verdict: Verdict
    sentence: str
    query: str = ""
    requests: float | None = None
    success_rate: float | None = None
    latency_ms: float | None = None
    name: str = ANSWERS
    number: float | None = None
    threshold: float | None = None
    counts: bool = True
    both: Pair | None = None


@dataclass(frozen=True)
class Observed:
    """How a stage stands: since when its weight is in force, its samples in order, who paused it, whether a person promoted it.

    At each instant everything is measured that is asked for, so there is one sample of each name; of a Job only where one has ended.
    """

    since: float
    now: float
    samples: tuple[Sample, ...] = ()
    paused_by: str | None = None
    promoted: bool = False

    @property
    def instants(self) -> int:
        """How many instants were measured."""
        return len({one.at for one in self.samples})

    @property
    def series(self) -> dict[str, list[Sample]]:
        """The samples that count, in order, by what they measured."""
        found: dict[str, list[Sample]] = {}
        for one in self.samples:
            if one.counts:
                found.setdefault(one.name, []).append(one)
        return found


@dataclass(frozen=True)
class Measure:
    """Take the samples of this instant."""

    at: float


@dataclass(frozen=True)
class Wait:
    """Nothing is to be done for so many seconds."""

    seconds: float
    why: str = ""


@dataclass(frozen=True)
class Advance:
    """The stage is over."""

    why: str = ""


@dataclass(frozen=True)
class GoBack:
    """The revision is bad: the reason has the number that decided and what was wanted; `sample` is the one that decided."""

    reason: str
    sample: Sample


@dataclass(frozen=True)
class Ask:
    """Only a person can say how to go on; `code` says why for machines."""

    question: str
    code: str = "undecided"


Action = Measure | Wait | Advance | GoBack | Ask


def next_action(stage: Stage, analysis: Analysis, observed: Observed) -> Action:
    """What is done now; of two things that could be, the one that protects users more."""
    if back := _too_many_bad(analysis, observed):
        return back
    if observed.paused_by is not None:
        return Wait(LONGEST_WAIT, f"{observed.paused_by} paused it")
    if observed.promoted:
        return Advance("a person promoted it")
    if not analysis.enabled:
        return (
            _soak(stage, observed)
            or _await_person(stage, observed)
            or Advance(f"{stage.share} for {stage.pause} s, without analysis")
        )
    # Every instant that has passed is measured, however late, before anything is concluded: a crash takes no bad sample away.
    instant = observed.since + (observed.instants + 1) * analysis.interval
    if instant <= observed.now:
        return Measure(instant)
    return _too_many_errors(analysis, observed) or _soak(stage, observed, instant) or _judge(stage, analysis, observed, instant)


def is_nearly_over(stage: Stage, analysis: Analysis, observed: Observed) -> bool:
    """Whether pods may be made for the next stage already, so that it need not wait for them.

    Not where a person says when it is over, nor where pods that are not ready yet would be held against the revision.
    """
    if stage.until_promoted or observed.paused_by is not None or (analysis.enabled and analysis.pods):
        return False
    return observed.now >= observed.since + stage.pause - LEAD


def _too_many_bad(analysis: Analysis, observed: Observed) -> GoBack | None:
    """The way back if more samples of one name are bad than are forgiven it, by the first such name."""
    for name, taken in observed.series.items():
        bad, allowed = [one for one in taken if one.verdict == Verdict.BAD], analysis.forgiven(name)
        if len(bad) > allowed:
            return _go_back(bad, allowed)
    return None


def _go_back(bad: list[Sample], allowed: int) -> GoBack:
    count = f"{len(bad)} bad samples, {allowed} allowed; the last: " if allowed else ""
    return GoBack(f"{count}{bad[-1].sentence}", bad[-1])


def _too_many_errors(analysis: Analysis, observed: Observed) -> Ask | None:
    rows = ([*takewhile(lambda one: one.verdict == Verdict.ERROR, reversed(taken))] for taken in observed.series.values())
    errors = max(rows, key=len, default=[])
    if len(errors) < analysis.error_limit:
        return None
    return Ask(
        f"it could not be measured {len(errors)} times in a row, the last time because {errors[0].sentence}; go on or back?"
    )


def _soak(stage: Stage, observed: Observed, *instants: float) -> Wait | None:
    """A wait until the stage has had its time, or until an instant before that; None once it had."""
    end = observed.since + stage.pause
    if observed.now >= end:
        return None
    return _wait_until(min((end, *instants)), observed.now, f"{stage.share} for another {end - observed.now:.0f} s")


def _judge(stage: Stage, analysis: Analysis, observed: Observed, instant: float) -> Action:
    """What a stage comes to that has had its time: only data, and good data to the last, lets it pass."""
    lasts = [taken[-1] for taken in observed.series.values()]
    last = next((one for one in lasts if one.verdict != Verdict.GOOD), None)
    running = [name for name in analysis.awaited if name not in observed.series]
    if lasts and last is None and not running:
        return _await_person(stage, observed, instant) or Advance("; ".join(one.sentence for one in lasts))
    # Even where no time is given there is one instant to measure at.
    patience = observed.since + max(stage.pause + analysis.extend, analysis.interval)
    if observed.now < patience:
        return _wait_until(min(patience, instant), observed.now, f"prolonged, because {_last_words(last, running)}")
    return Ask(
        f"{_last_words(last, running)}, {observed.now - observed.since:.0f} s after {stage.share} came in force; go on or back?"
    )


def _await_person(stage: Stage, observed: Observed, *instants: float) -> Action | None:
    """What is done while nothing but a person's word is missing; None where none is asked for.

    As long as there is an instant to measure at, the stage is watched, though not for ever; where there is none it need not be.
    """
    if not stage.until_promoted:
        return None
    ends = observed.since + stage.pause + LONGEST_WATCH
    if instants and observed.now < ends:
        return _wait_until(min((ends, *instants)), observed.now, f"{stage.share} until somebody promotes it")
    return Ask(f"{stage.share} until somebody promotes it; nothing is measured meanwhile", UNTIL_PROMOTED)


def _last_words(last: Sample | None, running: list[str]) -> str:
    if last is None and running:
        return f"{running[0]}: the Job has not ended yet"
    return last.sentence if last else "nothing was measured yet"


def _wait_until(instant: float, now: float, why: str) -> Wait:
    return Wait(min(LONGEST_WAIT, instant - now), why)
