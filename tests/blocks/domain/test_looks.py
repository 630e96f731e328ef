"""The new revision beside the one that serves, by a sequential test: bad when that is certain, and good at the end otherwise."""

from dataclasses import replace

import pytest

from blocks.domain.analysis import Analysis, Compared, Sequential
from blocks.domain.comparison import judge_beside
from blocks.domain.looks import count_of, judge_looks
from blocks.domain.questions import Numbers, ask_about
from blocks.domain.rollout import Sample, Verdict
from blocks.domain.sequential import Count, Pair, compare

SURE = Sequential(alpha=0.01)
COMPARED = Compared(sequential=SURE, latency=2)
ANALYSIS = Analysis(compared_to_stable=COMPARED)
QUESTIONS = ask_about("a_b_1", ANALYSIS, since=0, instant=30)


def look(new: Numbers, serves: Numbers, *before: Pair) -> Sample:
    """The sample after looks at these counts."""
    sample = judge_beside((ANALYSIS, COMPARED), QUESTIONS, new, serves)
    earlier = [Sample(float(at), Verdict.GOOD, "", both=both) for at, both in enumerate(before)]
    return judge_looks((ANALYSIS, SURE), earlier, sample, (count_of(serves), count_of(new)))


WORSE = "it is certain that more fail than of the revision before: success rate 0.6000 of 100 requests against 0.9900 of 400:"
ALIKE = "no more fail for certain: success rate 0.9800 of 100 requests against 0.9900 of 400: odds ratio"


@pytest.mark.parametrize(
    ("new", "serves", "verdict", "sentence"),
    [
        pytest.param(Numbers(100, 60, 9), Numbers(400, 396, 9), "bad", WORSE, id="certainly worse"),
        pytest.param(Numbers(100, 60), Numbers(400, 396), "bad", WORSE, id="even if nobody knows how long it took"),
        pytest.param(Numbers(100, 98, 9), Numbers(400, 396, 9), "good", ALIKE, id="not certainly"),
        pytest.param(Numbers(100, 99, 9), Numbers(400, 200, 9), "good", "no more fail for certain", id="certainly better"),
        pytest.param(Numbers(100, 98, 19), Numbers(400, 396, 9), "bad", "latency 19 ms at quantile", id="too slow"),
        pytest.param(
            Numbers(100, 98), Numbers(400, 396, 9), "no-data", "of 100 requests it is not known", id="nobody knows how slow"
        ),
        pytest.param(Numbers(19, 0, 9), Numbers(400, 396, 9), "no-data", "19 requests were answered", id="too few here"),
        pytest.param(Numbers(100, 60, 9), Numbers(19, 19, 9), "no-data", "the revision before answered 19", id="too few there"),
    ],
)
def test_the_two_are_compared(new: Numbers, serves: Numbers, verdict: str, sentence: str) -> None:
    sample = look(new, serves)
    assert (sample.verdict.value, sample.sentence[: len(sentence)]) == (verdict, sentence)
    assert sample.both == (count_of(serves), count_of(new))


def test_the_sentence_says_all_its_numbers_and_how_slow_it_is() -> None:
    sample = look(Numbers(100, 98, 9), Numbers(400, 396, 9))
    assert sample.sentence.endswith(", alpha 0.01; 9.0 ms")
    assert (sample.threshold, sample.number) == (0.01, compare([(Count(400, 396), Count(100, 98))], 0.01).p_value)


def test_every_look_before_counts() -> None:
    before: list[Pair] = [(Count(100, 99), Count(50, 40)), (Count(200, 198), Count(100, 80))]
    sample = look(Numbers(150, 120, 9), Numbers(300, 297, 9), *before)
    assert sample.number == compare([*before, (Count(300, 297), Count(150, 120))], 0.01).p_value


def test_a_look_that_could_not_be_taken_is_none() -> None:
    gap = Sample(1, Verdict.ERROR, "Prometheus does not answer")
    sample = look(Numbers(100, 98, 9), Numbers(400, 396, 9))
    again = judge_looks((ANALYSIS, SURE), [gap], replace(sample, both=None), sample.both or (Count(), Count()))
    assert again == sample


@pytest.mark.parametrize(
    ("numbers", "count"),
    [
        pytest.param(Numbers(None, None), Count(0, 0), id="nobody knows of it"),
        pytest.param(Numbers(100.4, 97.6), Count(100, 98), id="whole requests"),
        pytest.param(Numbers(100, 101), Count(100, 100), id="no more good ones than there were"),
    ],
)
def test_what_a_revision_has_answered(numbers: Numbers, count: Count) -> None:
    assert count_of(numbers) == count
