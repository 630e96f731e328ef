"""The new revision beside the one that serves: what is wanted of its answers follows from what the other one's are over the same time.

So a bad one that serves can still be replaced, and a good one not by a worse one that is still above a threshold.
"""

from dataclasses import replace

from blocks.domain.analysis import Analysis, Compared
from blocks.domain.questions import Numbers, Questions, cut, judge, known
from blocks.domain.rollout import Sample, Verdict

# What is reckoned from two numbers is wanted to so many digits, never more strictly: the rest is not theirs but the machine's.
DIGITS = 6


def window_beside(weight: int, since: float, instant: float) -> tuple[float, float]:
    """From when to when the revision that serves is asked about, beside a new one that is from `since` to the instant.

    Where all requests go to the new one nobody meets the other, so its numbers are those of as long a time just before.
    """
    return (since, instant) if weight < 100 else (since - (instant - since), since)


def judge_beside(asked: tuple[Analysis, Compared], questions: Questions, numbers: Numbers, other: Numbers) -> Sample:
    """What the numbers say beside those of the revision that serves; where too little is known of that one, there is no data."""
    analysis, wanted = asked
    requests, succeeded, latency = (known(one) for one in (other.requests, other.succeeded or 0.0, other.latency_ms))
    alone = judge(analysis, questions, numbers)
    if alone.verdict is Verdict.NO_DATA and alone.success_rate is None:
        return alone
    if requests is None or succeeded is None or requests < analysis.min_requests or (wanted.latency and latency is None):
        told = f"the revision before answered {requests or 0:.0f} requests: too little is known of it to compare with"
        return replace(alone, verdict=Verdict.NO_DATA, sentence=told, number=None, threshold=None)
    rate = _least(analysis, wanted, succeeded / requests)
    most = latency * wanted.latency if wanted.latency and latency is not None else analysis.latency_ms
    bounds = {"success_rate": min(rate, round(rate, DIGITS)), "latency_ms": most and max(most, round(most, DIGITS))}
    sample = judge(analysis.model_copy(update=bounds), questions, numbers)
    before = f"success rate {cut(succeeded, requests)} of {requests:.0f} requests" + (f", {latency:.1f} ms" if latency else "")
    return replace(sample, sentence=f"{sample.sentence}; the revision before: {before}")


def _least(analysis: Analysis, wanted: Compared, rate: float) -> float:
    """The least success rate that is wanted where the other's is this one; where a sequential test decides, none."""
    if wanted.sequential:
        return 0.0
    return analysis.success_rate if wanted.success_rate is None else max(rate - wanted.success_rate, 0)
