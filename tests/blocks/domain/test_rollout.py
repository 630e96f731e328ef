"""What is done next at a stage: users are protected first, and no data is never a pass."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocks.domain.analysis import Analysis, Pods
from blocks.domain.rollout import (
    LONGEST_WAIT,
    Action,
    Advance,
    Ask,
    GoBack,
    Measure,
    Observed,
    Sample,
    Verdict,
    Wait,
    is_nearly_over,
    next_action,
)
from blocks.domain.strategy import Stage

STAGE = Stage(weight=25, pause=30)
ANALYSIS = Analysis(extend=40)
SAID = {
    "g": (Verdict.GOOD, "success rate 1 of 400 requests"),
    "b": (Verdict.BAD, "success rate 0.31 of 412 requests, at least 0.99 wanted"),
    "n": (Verdict.NO_DATA, "no requests were answered"),
    "e": (Verdict.ERROR, "Prometheus does not answer"),
}


def taken(letters: str, since: float = 0, interval: int = 10) -> tuple[Sample, ...]:
    """Samples by the first letters of their verdicts."""
    return tuple(Sample(since + place * interval, *SAID[one], "sum(x)") for place, one in enumerate(letters, 1))


def at(now: float, letters: str = "", paused_by: str | None = None, *, promoted: bool = False) -> Observed:
    """A stage whose weight came in force at 0."""
    return Observed(0, now, taken(letters), paused_by, promoted)


def act(observed: Observed, analysis: Analysis = ANALYSIS, stage: Stage = STAGE) -> tuple[type, float | None]:
    """Which action it is, and its time."""
    found = next_action(stage, analysis, observed)
    seconds = found.seconds if isinstance(found, Wait) else found.at if isinstance(found, Measure) else None
    return type(found), seconds


@pytest.mark.parametrize(
    ("observed", "action"),
    [
        pytest.param(at(0), (Wait, 1), id="at first it waits, and not for long"),
        pytest.param(at(9.5), (Wait, 0.5), id="until the next instant"),
        pytest.param(at(10), (Measure, 10), id="which is measured when it is due"),
        pytest.param(at(35), (Measure, 10), id="and when it was missed, as of its own time"),
        pytest.param(at(35, "g"), (Measure, 20), id="with every one after it"),
        pytest.param(at(29.5, "gg"), (Wait, 0.5), id="until the stage had its time"),
        pytest.param(at(30, "gg"), (Measure, 30), id="whose end is an instant too"),
        pytest.param(at(30, "ggg"), (Advance, None), id="it advances when all was good"),
        pytest.param(at(30, "nng"), (Advance, None), id="and when there was data in the end"),
        pytest.param(at(30, "eeg"), (Advance, None), id="and when it could be measured in the end"),
        pytest.param(at(30, "ggn"), (Wait, 1), id="no data at the end prolongs"),
        pytest.param(at(30, "gge"), (Wait, 1), id="an error at the end prolongs"),
        pytest.param(at(40, "ggn"), (Measure, 40), id="and it goes on measuring"),
        pytest.param(at(40, "ggng"), (Advance, None), id="until there is data"),
        pytest.param(at(69.5, "ggnnnn"), (Wait, 0.5), id="as long as it may"),
        pytest.param(at(70, "ggnnnn"), (Measure, 70), id="to the last instant"),
        pytest.param(at(70, "ggnnnnn"), (Ask, None), id="then a person is asked"),
        pytest.param(at(70, "ggnnnne"), (Ask, None), id="whatever the last was"),
        pytest.param(at(80, "ggnnnnn"), (Measure, 80), id="who finds it measured again"),
        pytest.param(at(80, "ggnnnnng"), (Advance, None), id="and need not answer if there is data now"),
        pytest.param(at(10, "b"), (GoBack, None), id="bad goes back at once"),
        pytest.param(at(90, "b"), (GoBack, None), id="before anything else is measured"),
        pytest.param(at(10, "b", "ann"), (GoBack, None), id="also when it is paused"),
        pytest.param(at(10, "b", promoted=True), (GoBack, None), id="also when it is promoted"),
        pytest.param(at(30, "ggg", "ann"), (Wait, 1), id="paused it stays"),
        pytest.param(at(30, "g", "ann", promoted=True), (Wait, 1), id="even promoted"),
        pytest.param(at(5, promoted=True), (Advance, None), id="promoted it need not have its time"),
        pytest.param(at(20, "ee"), (Wait, 1), id="two errors are borne"),
        pytest.param(at(20.5, "gee"), (Wait, 1), id="after what was good too"),
        pytest.param(at(25, "eee"), (Ask, None), id="at three a person is asked"),
        pytest.param(at(45, "ege" + "e"), (Wait, 1), id="unless they were not one after the other"),
        pytest.param(at(40, "eee"), (Measure, 40), id="who finds it tried again"),
    ],
)
def test_next(observed: Observed, action: tuple[type, float | None]) -> None:
    assert act(observed) == action


@pytest.mark.parametrize(
    ("observed", "action"),
    [
        pytest.param(at(10, "b"), (Wait, 1), id="one bad sample is borne"),
        pytest.param(at(30, "bgb"), (Wait, 1), id="two, but the stage does not end with one"),
        pytest.param(at(40, "bgbg"), (Advance, None), id="but with a good one"),
        pytest.param(at(70, "bgbnnnn"), (Ask, None), id="or by a person"),
        pytest.param(at(30, "bbb"), (GoBack, None), id="three are too many"),
    ],
)
def test_where_two_bad_samples_are_allowed(observed: Observed, action: tuple[type, float | None]) -> None:
    assert act(observed, Analysis(failure_limit=2, extend=40)) == action


@pytest.mark.parametrize(
    ("observed", "action"),
    [
        pytest.param(at(0), (Wait, 1), id="waits for its first instant"),
        pytest.param(at(10), (Measure, 10), id="takes it"),
        pytest.param(at(10, "g"), (Advance, None), id="advances with data"),
        pytest.param(at(10, "n"), (Ask, None), id="asks without"),
    ],
)
def test_a_stage_without_a_pause_or_a_prolongation(observed: Observed, action: tuple[type, float | None]) -> None:
    assert act(observed, Analysis(extend=0), Stage(weight=100, pause=0)) == action


@pytest.mark.parametrize(
    ("observed", "action"),
    [
        pytest.param(at(12), (Wait, 1), id="only has its time"),
        pytest.param(at(29.75), (Wait, 0.25), id="to the end"),
        pytest.param(at(30), (Advance, None), id="and is over"),
        pytest.param(at(30, paused_by="ann"), (Wait, 1), id="unless it is paused"),
    ],
)
def test_a_stage_without_analysis(observed: Observed, action: tuple[type, float | None]) -> None:
    assert act(observed, Analysis(enabled=False)) == action


PERSON = Stage(weight=25, pause=0, until_promoted=True)


@pytest.mark.parametrize(
    ("observed", "action"),
    [
        pytest.param(at(3), (Wait, 1), id="waits for its first instant as any other"),
        pytest.param(at(10, "g"), (Wait, 1), id="goes on though it was good"),
        pytest.param(at(19.5, "g"), (Wait, 0.5), id="until the next instant"),
        pytest.param(at(20, "g"), (Measure, 20), id="which is measured"),
        pytest.param(at(20, "gb"), (GoBack, None), id="and goes back by itself when that is bad"),
        pytest.param(at(20, "gg", promoted=True), (Advance, None), id="or on at a word"),
        pytest.param(at(40, "gggn"), (Ask, None), id="a person is asked when there is no data any more"),
        pytest.param(at(3599.5, "g" * 359), (Wait, 0.5), id="nobody waits for a person for ever"),
        pytest.param(at(3600, "g" * 359), (Measure, 3600), id="but to the last instant of an hour"),
        pytest.param(at(3600, "g" * 360), (Ask, None), id="then it waits without anybody who watches"),
    ],
)
def test_a_stage_that_a_person_ends(observed: Observed, action: tuple[type, float | None]) -> None:
    assert act(observed, stage=PERSON) == action


@pytest.mark.parametrize(
    ("observed", "action"),
    [
        pytest.param(at(5), (Wait, 1), id="has its time, if it was given one"),
        pytest.param(at(30), (Ask, None), id="then only a person is waited for"),
        pytest.param(at(30, promoted=True), (Advance, None), id="whose word ends it"),
    ],
)
def test_a_stage_that_a_person_ends_and_nobody_measures(observed: Observed, action: tuple[type, float | None]) -> None:
    assert act(observed, Analysis(enabled=False), Stage(weight=25, pause=30, until_promoted=True)) == action


@pytest.mark.parametrize(
    ("action", "sentence"),
    [
        pytest.param(
            next_action(STAGE, ANALYSIS, at(20, "gb")),
            "success rate 0.31 of 412 requests, at least 0.99 wanted",
            id="going back: the number and what was wanted",
        ),
        pytest.param(
            next_action(STAGE, Analysis(failure_limit=1), at(20, "bb")),
            "2 bad samples, 1 allowed; the last: success rate 0.31 of 412 requests, at least 0.99 wanted",
            id="going back after more than one",
        ),
        pytest.param(
            next_action(STAGE, ANALYSIS, at(35, "eee")),
            "it could not be measured 3 times in a row, the last time because Prometheus does not answer; go on or back?",
            id="asking after errors",
        ),
        pytest.param(
            next_action(STAGE, ANALYSIS, at(70, "nnnnnnn")),
            "no requests were answered, 70 s after 25 % came in force; go on or back?",
            id="asking for want of data",
        ),
        pytest.param(next_action(STAGE, ANALYSIS, at(30, "ggg")), "success rate 1 of 400 requests", id="advancing"),
        pytest.param(next_action(STAGE, ANALYSIS, at(1, promoted=True)), "a person promoted it", id="being promoted"),
        pytest.param(next_action(STAGE, Analysis(enabled=False), at(30)), "25 % for 30 s, without analysis", id="only waiting"),
        pytest.param(next_action(STAGE, ANALYSIS, at(1, paused_by="ann")), "ann paused it", id="being paused"),
        pytest.param(next_action(STAGE, ANALYSIS, at(12, "g")), "25 % for another 18 s", id="soaking"),
        pytest.param(
            next_action(STAGE, ANALYSIS, at(32, "ggn")), "prolonged, because no requests were answered", id="prolonging"
        ),
        pytest.param(next_action(PERSON, ANALYSIS, at(10, "g")), "25 % until somebody promotes it", id="waiting for a person"),
        pytest.param(
            next_action(PERSON, Analysis(enabled=False), at(10)),
            "25 % until somebody promotes it; nothing is measured meanwhile",
            id="waiting for nothing but a person",
        ),
        pytest.param(
            next_action(Stage(weight=0, pause=30, mirror=True), ANALYSIS, at(12, "g")),
            "a copy of every request for another 18 s",
            id="soaking with copies",
        ),
        pytest.param(
            next_action(Stage(weight=25, pause=0), ANALYSIS, at(3)),
            "prolonged, because nothing was measured yet",
            id="prolonging before the first sample",
        ),
    ],
)
def test_people_are_told(action: Action, sentence: str) -> None:
    match action:
        case GoBack(told) | Ask(told) | Advance(told) | Wait(_, told):
            assert told == sentence
        case Measure():
            pytest.fail("measuring says nothing")


STAGES = st.builds(Stage, weight=st.integers(1, 100), pause=st.integers(0, 60), until_promoted=st.booleans())
ANALYSES = st.builds(
    Analysis,
    enabled=st.booleans(),
    interval=st.integers(5, 30),
    failure_limit=st.integers(0, 2),
    error_limit=st.integers(1, 4),
    extend=st.integers(0, 60),
)
LETTERS = st.text("gbne", max_size=12)
INSTANTS = st.floats(0, 200, allow_nan=False)
PEOPLE = st.sampled_from([None, "ann"])


@st.composite
def observations(draw: st.DrawFn, analysis: Analysis) -> Observed:
    """A stage with samples of the instants that had passed, some of them perhaps still to be taken."""
    since, lasted = draw(st.floats(0, 2e9)), draw(INSTANTS)
    letters = draw(LETTERS)[: int(lasted / analysis.interval)]
    return Observed(since, since + lasted, taken(letters, since, analysis.interval), draw(PEOPLE), draw(st.booleans()))


@given(stage=STAGES, analysis=ANALYSES, draw=st.data())
def test_always(stage: Stage, analysis: Analysis, draw: st.DataObject) -> None:
    observed = draw.draw(observations(analysis))
    verdicts = [one.verdict for one in observed.samples]
    match next_action(stage, analysis, observed):
        case Advance():
            assert observed.promoted or not analysis.enabled or verdicts[-1] == Verdict.GOOD
            assert observed.promoted or observed.now >= observed.since + stage.pause
            assert observed.promoted or not stage.until_promoted
            assert observed.paused_by is None
        case GoBack(_, sample):
            assert sample.verdict == Verdict.BAD
            assert verdicts.count(Verdict.BAD) > analysis.failure_limit
        case Ask(_, code):
            assert code == "until-promoted" if not analysis.enabled else verdicts[-1] != Verdict.GOOD
        case Wait(seconds):
            assert 0 < seconds <= LONGEST_WAIT
        case Measure(instant):
            assert instant <= observed.now
            assert instant not in [one.at for one in observed.samples]


def carry(stage: Stage, analysis: Analysis, letters: str, dies_at: int) -> tuple[Action, list[float]]:
    """Go on until the stage is decided, where history says `letters`; at its nth step the carrier is away for 35 s."""
    since, samples, measured = 1e9, taken(letters, 1e9, analysis.interval), 0
    now, instants = since, list[float]()
    for step in range(10_000):
        now += 35 if step == dies_at else 0
        match next_action(stage, analysis, Observed(since, now, samples[:measured])):
            case Measure(instant):
                measured, instants = measured + 1, [*instants, instant]
            case Wait(seconds):
                now += seconds
            case Advance() | GoBack() | Ask() as decided:
                return decided, instants
    raise AssertionError("it never came to a decision")


@given(stage=STAGES, analysis=ANALYSES, letters=st.text("gbn", min_size=40, max_size=40), dies_at=st.integers(0, 150))
def test_a_carrier_that_was_away_decides_as_one_that_was_not(
    stage: Stage, analysis: Analysis, letters: str, dies_at: int
) -> None:
    """The same samples are taken again. It knows more only where time went on meanwhile, with the share as it was."""
    steady, instants = carry(stage, analysis, letters, -1)
    late, caught_up = carry(stage, analysis, letters, dies_at)
    assert caught_up[: len(instants)] == instants
    if isinstance(steady, GoBack) or len(caught_up) == len(instants):
        assert (type(late), getattr(late, "sample", None)) == (type(steady), getattr(steady, "sample", None))


OWN = Analysis.model_validate(
    {"failureLimit": 1, "errorLimit": 2, "extend": 40, "metrics": [{"name": "errors", "query": "x", "max": 0, "failureLimit": 2}]}
)


def both(answers: str, errors: str, *, counts: bool = True) -> Observed:
    """A stage of which its answers and a metric of its own were measured at each instant, at the end of its time."""
    own = [replace(one, name="errors", counts=counts, sentence=f"errors {one.verdict}") for one in taken(errors)]
    pairs = zip(taken(answers), own, strict=True)
    return Observed(0, len(answers) * 10, tuple(sample for pair in pairs for sample in pair))


@pytest.mark.parametrize(
    ("observed", "action"),
    [
        pytest.param(both("ggg", "ggg"), (Advance, None), id="all that counts is good"),
        pytest.param(both("gbg", "gbg"), (Advance, None), id="each is forgiven its own"),
        pytest.param(both("bbg", "ggg"), (GoBack, None), id="by its own limit the answers go back"),
        pytest.param(both("ggg", "bbg"), (Advance, None), id="which is not that of the metric"),
        pytest.param(both("gggg", "bbbg"), (GoBack, None), id="that has another"),
        pytest.param(both("ggg", "ggn"), (Wait, 1), id="of one there is no data: prolonged"),
        pytest.param(both("ggngg", "gngng"), (Advance, None), id="until there is of all"),
        pytest.param(both("ggggggg", "ggggnnn"), (Ask, None), id="or a person is asked"),
        pytest.param(both("ggg", "gee"), (Ask, None), id="errors of one in a row are too many"),
        pytest.param(both("gge", "geg"), (Wait, 1), id="errors of both are not one row"),
        pytest.param(both("ggg", "bbb", counts=False), (Advance, None), id="what only reports decides nothing when it is bad"),
        pytest.param(both("ggg", "eee", counts=False), (Advance, None), id="nor when it cannot be measured"),
        pytest.param(both("ggb", "ggg", counts=False), (Wait, 1), id="nor makes it up for what is bad"),
    ],
)
def test_with_a_metric_of_its_own(observed: Observed, action: tuple[type, float | None]) -> None:
    assert act(observed, OWN) == action


@pytest.mark.parametrize(
    ("observed", "sentence"),
    [
        pytest.param(both("ggg", "ggg"), "success rate 1 of 400 requests; errors good", id="advancing: every number"),
        pytest.param(both("ggg", "bbb"), "3 bad samples, 2 allowed; the last: errors bad", id="going back: the one that decided"),
        pytest.param(
            both("ggg", "gee"),
            "it could not be measured 2 times in a row, the last time because errors error; go on or back?",
            id="asking: what could not be measured",
        ),
        pytest.param(both("ggg", "ggn"), "prolonged, because errors no-data", id="prolonging: what is missing"),
    ],
)
def test_of_several_people_are_told(observed: Observed, sentence: str) -> None:
    found = next_action(STAGE, OWN, observed)
    assert not isinstance(found, Measure)
    assert next(iter(vars(found).values()) if not isinstance(found, Wait) else iter([found.why])) == sentence


@given(stage=STAGES, analysis=ANALYSES, draw=st.data(), letters=LETTERS)
def test_what_only_reports_changes_nothing(stage: Stage, analysis: Analysis, draw: st.DataObject, letters: str) -> None:
    observed = draw.draw(observations(analysis))
    beside = [
        replace(one, name="seen", counts=False, at=to.at) for one, to in zip(taken(letters), observed.samples, strict=False)
    ]
    assert next_action(stage, analysis, replace(observed, samples=(*observed.samples, *beside))) == next_action(
        stage, analysis, observed
    )


@given(answers=LETTERS, draw=st.data())
def test_one_more_metric_never_lets_pass_what_would_not(answers: str, draw: st.DataObject) -> None:
    """Without people: whatever a second metric says, the stage only passes if the first alone would let it."""
    errors = draw.draw(st.text("gbne", min_size=len(answers), max_size=len(answers)))
    alone = Observed(0, len(answers) * 10, taken(answers))
    if isinstance(next_action(STAGE, OWN, both(answers, errors)), Advance):
        assert isinstance(next_action(STAGE, OWN, alone), Advance)


LONG = Stage(weight=25, pause=60)


@pytest.mark.parametrize(
    ("stage", "analysis", "observed", "over"),
    [
        pytest.param(LONG, ANALYSIS, at(44, "gggg"), False, id="no pods are made long before they are needed"),
        pytest.param(LONG, ANALYSIS, at(45, "gggg"), True, id="but as long before as they take"),
        pytest.param(Stage(weight=25, pause=5), ANALYSIS, at(0), True, id="at once where a stage is that short"),
        pytest.param(
            Stage(weight=25, pause=60, until_promoted=True), ANALYSIS, at(59), False, id="nobody knows when a person speaks"
        ),
        pytest.param(LONG, ANALYSIS, at(59, paused_by="ann"), False, id="nor when somebody goes on"),
        pytest.param(LONG, Analysis(pods=Pods()), at(59), False, id="who judges pods would see them unready"),
        pytest.param(LONG, Analysis(enabled=False, pods=Pods()), at(59), True, id="unless nobody looks"),
    ],
)
def test_pods_of_the_next_stage_may_be_made(stage: Stage, analysis: Analysis, observed: Observed, *, over: bool) -> None:
    assert is_nearly_over(stage, analysis, observed) is over
