"""What is done next at a stage that a Job looks at: its one sample is waited for, however long it takes, and holds for the stage."""

import pytest

from blocks.domain.analysis import Analysis, Metric
from blocks.domain.job_check import JobCheck
from blocks.domain.rollout import Action, Advance, Ask, GoBack, Measure, Observed, Sample, Verdict, Wait, next_action
from blocks.domain.strategy import Stage

CHECK = JobCheck(image=f"registry.test/basket@sha256:{'a' * 64}")
ANALYSIS = Analysis(extend=60, error_limit=2, metrics=(Metric(name="basket", job=CHECK),))
TRIED = Analysis(extend=60, metrics=(Metric(name="basket", job=CHECK, dry_run=True),))
STAGE = Stage(weight=25, pause=20)
SAID = {"g": Verdict.GOOD, "b": Verdict.BAD, "e": Verdict.ERROR, "n": Verdict.NO_DATA}


def at(now: float, answers: str, basket: str = "") -> Observed:
    """A stage whose samples came every ten seconds; a dash: the Job had not ended at that instant."""
    told = [Sample(place * 10, SAID[one], "the answers") for place, one in enumerate(answers, 1)]
    told += [Sample(place * 10, SAID[one], "the basket", name="basket") for place, one in enumerate(basket, 1) if one in SAID]
    return Observed(0, now, tuple(sorted(told, key=lambda one: one.at)))


RUNS = "prolonged, because basket: the Job has not ended yet"
ENDLESS = "basket: the Job has not ended yet, 85 s after 25 % came in force; go on or back?"


@pytest.mark.parametrize(
    ("observed", "analysis", "action"),
    [
        pytest.param(at(25, "gg", "--"), ANALYSIS, Wait(1, RUNS), id="it runs still"),
        pytest.param(at(25, "gg", "-g"), ANALYSIS, Advance("the answers; the basket"), id="it has ended"),
        pytest.param(at(25, "gg", "g-"), ANALYSIS, Advance("the answers; the basket"), id="once is enough"),
        pytest.param(at(15, "g", "g"), ANALYSIS, Wait(1, "25 % for another 5 s"), id="the stage has its time all the same"),
        pytest.param(at(30, "gg", "--"), ANALYSIS, Measure(30), id="it is looked at at each instant"),
        pytest.param(at(25, "gg", "e-"), ANALYSIS, Wait(1, "prolonged, because the basket"), id="nothing was measured"),
        pytest.param(at(45, "gggg", "e-e-"), ANALYSIS, None, id="nor when it was run again: a person is asked"),
        pytest.param(at(35, "ggg", "e-g"), ANALYSIS, Advance("the answers; the basket"), id="good after all"),
        pytest.param(
            at(15, "g", "b"), ANALYSIS, GoBack("the basket", Sample(10, Verdict.BAD, "the basket", name="basket")), id="bad"
        ),
        pytest.param(at(85, "gggggggg"), ANALYSIS, Ask(ENDLESS), id="it never ends"),
        pytest.param(at(25, "gn"), ANALYSIS, Wait(1, "prolonged, because the answers"), id="what was measured is told first"),
        pytest.param(at(25, "gg", "--"), TRIED, Advance("the answers"), id="what only reports is not waited for"),
    ],
)
def test_what_is_done(observed: Observed, analysis: Analysis, action: Action | None) -> None:
    errors = "it could not be measured 2 times in a row, the last time because the basket; go on or back?"
    assert next_action(STAGE, analysis, observed) == (action or Ask(errors))
