"""What is done next while an A/B test lasts, and that whoever takes over does the same."""

from typing import Any

import pytest

from blocks.domain.experiment import Experiment
from blocks.domain.rollout import Advance, Ask, GoBack, Measure, Sample, Verdict, Wait
from blocks.domain.sequential import Count, compare
from blocks.domain.trial import Look, Standing, judge_variants, look_again, next_in_trial

EXPERIMENT = {"duration": 30, "interval": 10, "minRequests": 10, "errorLimit": 2}
ALIKE = (Count(100, 90), Count(100, 90))
A_BETTER, B_BETTER = (Count(100, 99), Count(100, 60)), (Count(100, 60), Count(100, 99))
FEW = (Count(9, 9), Count(100, 100))


def experiment(**changes: Any) -> Experiment:
    return Experiment.model_validate(EXPERIMENT | changes)


def look(at: float, counts: Any) -> Look:
    return judge_variants(experiment(), (), (at, "query"), counts)


def failed(at: float) -> Look:
    return Look(Sample(at, Verdict.ERROR, "Prometheus does not answer"))


@pytest.mark.parametrize(
    ("counts", "verdict", "told"),
    [
        pytest.param(ALIKE, Verdict.NO_DATA, "odds ratio 1 (", id="alike is nothing certain"),
        pytest.param(A_BETTER, Verdict.BAD, "success rate 0.6000 of 100 requests against 0.9900", id="B is worse"),
        pytest.param(B_BETTER, Verdict.GOOD, "success rate 0.9900 of 100 requests against 0.6000", id="B is better"),
        pytest.param(FEW, Verdict.NO_DATA, "A answered 9 and B 100 requests, at least 10", id="too few of one"),
    ],
)
def test_a_look_is_judged(counts: Any, verdict: Verdict, told: str) -> None:
    found = look(1010, counts)
    assert (found.sample.at, found.sample.verdict, found.sample.query) == (1010, verdict, "query")
    assert told in found.sample.sentence
    assert found.sample.both == counts
    assert (found.comparison is None) == (counts == FEW)


def test_a_look_is_judged_after_those_before_it_and_those_that_failed_say_nothing() -> None:
    last = (Count(200, 190), Count(200, 160))
    found = judge_variants(experiment(), (look(1010, ALIKE), failed(1020)), (1030, "query"), last)
    assert found.comparison == compare([ALIKE, last], 0.05)


@pytest.mark.parametrize(
    "looks",
    [
        pytest.param((), id="none"),
        pytest.param((look(1010, ALIKE), look(1020, FEW)), id="the last with too few requests"),
        pytest.param((look(1010, ALIKE), failed(1020)), id="the last of them failed"),
    ],
)
def test_whoever_takes_over_has_the_looks_that_were_taken(looks: tuple[Look, ...]) -> None:
    samples = [one.sample for one in looks]
    assert [one.sample for one in look_again(experiment(), samples)] == samples


def test_whoever_takes_over_knows_what_the_last_look_said_of_all() -> None:
    first = look(1010, ALIKE)
    second = judge_variants(experiment(), (first,), (1020, "query"), B_BETTER)
    assert look_again(experiment(), (first.sample, second.sample))[-1] == second


NOBODY = "nobody won within 30 s: success rate 0.9000"
ONCE, TWICE, ALL = [look(1010, ALIKE)], [failed(1010), failed(1020)], [look(at, ALIKE) for at in (1010, 1020, 1030)]
NEVER = [look(at, FEW) for at in (1010, 1020, 1030)]


@pytest.mark.parametrize(
    ("now", "looks", "wish", "done"),
    [
        pytest.param(1000, [], {}, Wait(1.0, "B has 50 %"), id="nothing is looked at before its instant"),
        pytest.param(1010, [], {}, Measure(1010), id="then it is"),
        pytest.param(1300, ONCE, {}, Measure(1020), id="however late, each instant is"),
        pytest.param(1019.5, ONCE, {}, Wait(0.5, "B has 50 %"), id="no wait goes beyond the next instant"),
        pytest.param(1029, TWICE[:1] + ONCE, {"interval": 12}, Wait(1.0, "B has 50 %"), id="or the end"),
        pytest.param(
            1020,
            TWICE,
            {},
            Ask("it could not be measured 2 times in a row: Prometheus does not answer; go on or back?"),
            id="errors",
        ),
        pytest.param(1025, [*TWICE[:1], look(1020, ALIKE)], {}, Wait(1.0, "B has 50 %"), id="errors that are over"),
    ],
)
def test_as_long_as_nothing_is_certain(now: float, looks: list[Look], wish: dict[str, Any], done: Any) -> None:
    assert next_in_trial(experiment(**wish), Standing(1000, now, tuple(looks))) == done


@pytest.mark.parametrize(
    ("looks", "wish", "kind", "said"),
    [
        pytest.param([look(1010, B_BETTER)], {}, Advance, "B is better: success rate 0.99", id="a win is promoted"),
        pytest.param([look(1010, B_BETTER)], {"onWin": "ask"}, Ask, "go on or back?", id="unless people want to be asked"),
        pytest.param([look(1010, A_BETTER)], {}, GoBack, "B is worse: success rate 0.6", id="a loss goes back"),
        pytest.param([look(1010, A_BETTER)], {"onLoss": "ask"}, Ask, "go on or back?", id="unless people want to be asked then"),
        pytest.param(ALL, {}, Ask, NOBODY, id="where nobody won people are asked"),
        pytest.param(ALL, {"undecided": "rollback"}, GoBack, NOBODY, id="or it goes back"),
        pytest.param(ALL, {"undecided": "promote"}, Advance, NOBODY, id="or on, if that is wanted"),
        pytest.param(NEVER, {"undecided": "promote"}, Ask, "A answered 9 and B 100", id="but never without data"),
        pytest.param(NEVER, {"undecided": "rollback"}, GoBack, "A answered 9 and B 100", id="back it may go without"),
    ],
)
def test_how_a_test_ends(looks: list[Look], wish: dict[str, Any], kind: type, said: str) -> None:
    found = next_in_trial(experiment(**wish), Standing(1000, 1030, tuple(looks)))
    assert isinstance(found, kind)
    assert said in str(found)


@pytest.mark.parametrize(
    ("looks", "wish", "kind"),
    [
        pytest.param([], {}, Advance, id="at any time"),
        pytest.param([look(1010, A_BETTER)], {"onLoss": "ask"}, Advance, id="where people were asked of a loss"),
        pytest.param([look(1010, A_BETTER)], {}, GoBack, id="but not where a loss is to go back"),
    ],
)
def test_a_person_promotes(looks: list[Look], wish: dict[str, Any], kind: type) -> None:
    assert isinstance(next_in_trial(experiment(**wish), Standing(1000, 1010, tuple(looks), promoted=True)), kind)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        pytest.param({"duration": 5, "interval": 10}, "there are from 1 to 1000 looks, not 0", id="no look"),
        pytest.param({"duration": 86400, "interval": 10}, "there are from 1 to 1000 looks, not 8640", id="too many looks"),
        pytest.param({"share": 100}, "less than or equal to 99", id="nobody left for A"),
        pytest.param({"cookie": "a b"}, "should match pattern", id="a name that no cookie has"),
        pytest.param({"header": {"name": "x y", "value": "b"}}, "should match pattern", id="a name that no header has"),
        pytest.param({"alpha": 0.9}, "less than or equal to 0.5", id="more false alarms than right ones"),
    ],
)
def test_an_experiment_that_says_nothing_is_refused(said: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Experiment.model_validate(said)
