"""The new revision beside the one that serves, however often somebody looks: bad as soon as it is certain that it fails more often.

It is the test of an A/B test, and what is shown of that one's false alarms holds here: at each stage one is ever said in no more than
alpha of all stages at which both are equally good. What is not certain at the end of a stage is good. Where all requests go to the new
one, the other's are those of as long a time just before: then what befell only one of these times is held against a revision.
"""

from collections.abc import Sequence
from dataclasses import replace

from blocks.domain.analysis import Analysis, Sequential
from blocks.domain.questions import Numbers
from blocks.domain.rollout import Sample, Verdict
from blocks.domain.sequential import Count, Pair, compare


def count_of(numbers: Numbers) -> Count:
    """What a revision has answered; where Prometheus knows of no series, nothing."""
    requests = round(numbers.requests or 0)
    return Count(requests, min(round(numbers.succeeded or 0), requests))


def judge_looks(asked: tuple[Analysis, Sequential], before: Sequence[Sample], sample: Sample, both: Pair) -> Sample:
    """The sample, as far as anything else decides it, with what all looks of the stage together say of the answers."""
    analysis, wanted = asked
    told = replace(sample, both=both)
    if min(one.requests for one in both) < analysis.min_requests:
        return told
    found = compare([*(one.both for one in before if one.both), both], wanted.alpha)
    if found.is_certain and found.odds_ratio < 1:
        said = f"it is certain that more fail than of the revision before: {found.sentence}"
        return replace(told, verdict=Verdict.BAD, sentence=said, number=found.p_value, threshold=wanted.alpha)
    if told.verdict != Verdict.GOOD:
        return told
    slow = f"; {told.latency_ms:.1f} ms" if told.latency_ms is not None else ""
    return replace(
        told, sentence=f"no more fail for certain: {found.sentence}{slow}", number=found.p_value, threshold=wanted.alpha
    )
