"""What a revision's answer to an HTTP check says.

The expected status is what is asked for, so another one is bad, that of the gateway for a revision that refuses connections too. That
there is no answer in time is an error to measure. A field that the answer has not is no data.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from blocks.domain.analysis import Analysis, Metric
from blocks.domain.http_check import HttpCheck
from blocks.domain.metrics import Question, judge_metric, sample_of
from blocks.domain.reported import Reported, read_reported
from blocks.domain.rollout import Sample, Verdict

# Characters of a value that people are told at most.
TOLD = 100
OK = 200


@dataclass(frozen=True)
class Answer:
    """What came back; header names in lower case. `target` is the release that was asked, as `name@version`."""

    status: int
    headers: Mapping[str, str]
    text: str
    target: str


def judge_answer(metric: Metric, check: HttpCheck, question: Question, answer: Answer) -> Sample:
    """What the answer says of the revision."""
    if other := _read_other(answer):
        told = f"{metric.name}: {check.path} was answered by {other}, not by {answer.target}"
        return sample_of(metric, question, Verdict.ERROR, told)
    told = f"{metric.name}: {check.path} answered {answer.status}"
    if answer.status not in check.status:
        wanted = f"{told}, {' or '.join(map(str, check.status))} wanted"
        return sample_of(metric, question, Verdict.BAD, wanted, answer.status, None)
    if check.field is None:
        return sample_of(metric, question, Verdict.GOOD, told)
    return _judge_field((metric, check), question, find_field(answer.text, check.field))


def find_field(text: str, field: str) -> Any:
    """What the JSON holds at the place, or None: a number in it is one of a list's, counted from 0."""
    try:
        found = json.loads(text, parse_int=float)
    except (ValueError, RecursionError):
        return None
    for key in field.split("."):
        if isinstance(found, list):
            found = found[int(key)] if key.isdecimal() and int(key) < len(found) else None
        else:
            found = found.get(key) if isinstance(found, dict) else None
    return found


def without_own(analysis: Analysis, window: tuple[float, float]) -> Analysis:
    """The analysis that wants so many more requests as the checks themselves have made in the stage: nobody else is heard in those."""
    since, instant = window
    asked = sum(one.http is not None for one in analysis.metrics)
    own = asked * (max(round((instant - since) / analysis.interval), 1) - 1)
    return analysis.model_copy(update={"min_requests": analysis.min_requests + own}) if own else analysis


def _judge_field(asked: tuple[Metric, HttpCheck], question: Question, found: Any) -> Sample:
    """What the field holds, as it was found."""
    metric, check = asked
    if found is None:
        told = f"{metric.name}: what {check.path} answered has no {check.field}"
        return sample_of(metric, question, Verdict.NO_DATA, told)
    if check.equals is None:
        return judge_metric(metric, question, found if isinstance(found, float) else None)
    told = f"{metric.name}: {check.field} is {_tell(found)}, {_tell(check.equals)} wanted"
    is_same = isinstance(found, bool) is isinstance(check.equals, bool) and found == check.equals
    return sample_of(metric, question, Verdict.GOOD if is_same else Verdict.BAD, told)


def _tell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return json.dumps(value)[:TOLD]


def _read_other(answer: Answer) -> Reported | None:
    """Another release that answered: a gateway takes up to a second to follow a route. The header alone is believed."""
    name, _, version = answer.target.rpartition("@")
    found = read_reported(OK, answer.headers, "")
    return None if found is None or found.is_what(Reported(name, version)) else found
