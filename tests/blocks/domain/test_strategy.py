"""What a request says of its strategy is read in every way of writing it, and what is wrong is named in a sentence."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from blocks.domain.analysis import Analysis, Compared, Sequential
from blocks.domain.match import CookieMatch, HeaderMatch
from blocks.domain.strategy import Stage, StrategyConfig


def read(**said: Any) -> StrategyConfig:
    """What a request says, as it comes over the wire."""
    return StrategyConfig.model_validate(said)


def stages(*weights: int, pause: int = 300) -> tuple[Stage, ...]:
    """Stages that are kept equally long."""
    return tuple(Stage(weight=weight, pause=pause) for weight in weights)


DEFAULT = stages(10, 30, 50, 100)
BETA = {"name": "x-beta", "value": "1"}
TESTER = {"name": "tester", "value": "1"}
MIRRORED: dict[str, Any] = {"weight": 0, "mirror": True}


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        pytest.param({}, DEFAULT, id="nothing"),
        pytest.param({"stages": "10,30,50,100", "stageInterval": "300"}, DEFAULT, id="the words of document 001"),
        pytest.param({"stages": " 10, 30 ,50,100 "}, DEFAULT, id="with spaces"),
        pytest.param({"stages": [10, 30, 50, 100], "stageInterval": 300}, DEFAULT, id="numbers"),
        pytest.param({"stageInterval": "0"}, stages(10, 30, 50, 100, pause=0), id="another interval alone"),
        pytest.param({"stages": "100", "stageInterval": 3600}, stages(100, pause=3600), id="one stage, an hour"),
        pytest.param({"stages": [*range(1, 20), 100]}, stages(*range(1, 20), 100), id="twenty stages"),
        pytest.param(
            {
                "stages": [
                    {"weight": 5, "pause": 7},
                    {"weight": 6, "pause": "8"},
                    {"weight": 7},
                    {"weight": 8, "pause": None},
                    100,
                ]
            },
            (Stage(weight=5, pause=7), Stage(weight=6, pause=8), *stages(7, 8, 100)),
            id="pauses of their own where there are any",
        ),
        pytest.param({"stages": DEFAULT}, DEFAULT, id="stages as they are kept"),
        pytest.param(
            {"stages": [{"weight": 0, "mirror": True}, {"weight": 0, "header": BETA}, {"weight": 5, "header": BETA}, 5, 100]},
            (
                Stage(weight=0, pause=300, mirror=True),
                Stage(weight=0, pause=300, header=HeaderMatch(**BETA)),
                Stage(weight=5, pause=300, header=HeaderMatch(**BETA)),
                *stages(5, 100),
            ),
            id="copies, then those who ask for it, then a share beside them, then the share alone",
        ),
        pytest.param(
            {"stages": [{"weight": 0, "cookie": TESTER}, {"weight": 0, "cookie": TESTER, "header": BETA}, 100]},
            (
                Stage(weight=0, pause=300, cookie=CookieMatch(**TESTER)),
                Stage(weight=0, pause=300, cookie=CookieMatch(**TESTER), header=HeaderMatch(**BETA)),
                *stages(100),
            ),
            id="those who have a cookie, then those who ask for it too",
        ),
        pytest.param(
            {"stages": [{"weight": 5, "pause": "until-promoted"}, {"weight": 100, "pause": 60, "untilPromoted": True}]},
            (Stage(weight=5, pause=0, until_promoted=True), Stage(weight=100, pause=60, until_promoted=True)),
            id="a person instead of a time, or after it",
        ),
    ],
)
def test_stages_are_read_from(said: dict[str, Any], meant: tuple[Stage, ...]) -> None:
    assert read(**said).stages == meant


@pytest.mark.parametrize(
    ("said", "place", "message"),
    [
        pytest.param({"stages": "10;100"}, ("stages",), "whole numbers with commas", id="no commas"),
        pytest.param({"stages": "10%,100%"}, ("stages",), "whole numbers with commas", id="percent signs"),
        pytest.param({"stages": "10,,100"}, ("stages",), "whole numbers with commas", id="a gap"),
        pytest.param({"stages": ""}, ("stages",), "whole numbers with commas", id="empty text"),
        pytest.param({"stages": 100}, ("stages",), "as a list of weights", id="one number"),
        pytest.param({"stages": {"weight": 100}}, ("stages",), "as a list of weights", id="one stage without a list"),
        pytest.param({"stages": []}, ("stages",), "from 1 to 20 stages, not 0", id="no stages"),
        pytest.param({"stages": [*range(1, 21), 100]}, ("stages",), "from 1 to 20 stages, not 21", id="too many stages"),
        pytest.param({"stages": "10,50"}, ("stages",), "the last stage has the weight 100, not 50", id="an end before all"),
        pytest.param({"stages": "30,10,100"}, ("stages",), "but 10 follows 30", id="falling weights"),
        pytest.param({"stages": "10,100,100"}, ("stages",), "but 100 follows 100", id="equal weights"),
        pytest.param({"stages": "0,100"}, ("stages", 0), "has a header, a cookie or mirror", id="nobody at all"),
        pytest.param({"stages": [-1, 100]}, ("stages", 0, "weight"), "greater than or equal to 0", id="less than nobody"),
        pytest.param(
            {"stages": [MIRRORED | {"weight": 10}, 100]}, ("stages", 0), "with mirror has the weight 0", id="copies and a share"
        ),
        pytest.param(
            {"stages": [MIRRORED | {"header": BETA}, 100]},
            ("stages", 0),
            "with mirror has the weight 0, no header and no cookie",
            id="copies and a header",
        ),
        pytest.param(
            {"stages": [MIRRORED | {"mirror": 50}, 100]},
            ("stages", 0, "mirror"),
            "mirrors every request or none",
            id="copies of some",
        ),
        pytest.param(
            {"stages": [MIRRORED | {"mirror": "yes"}, 100]}, ("stages", 0, "mirror"), "valid boolean", id="copies in words"
        ),
        pytest.param({"stages": [MIRRORED]}, ("stages",), "the last stage has the weight 100, not 0", id="copies at the end"),
        pytest.param({"stages": [10, MIRRORED, 100]}, ("stages",), "but 0 follows 10", id="copies after a share"),
        pytest.param({"stages": [MIRRORED, MIRRORED, 100]}, ("stages",), "but 0 follows 0", id="copies twice"),
        pytest.param(
            {"stages": [{"weight": 100, "header": BETA}]}, ("stages", 0), "needs no header", id="those who ask among everybody"
        ),
        pytest.param(
            {"stages": [MIRRORED | {"cookie": TESTER}, 100]}, ("stages", 0), "no header and no cookie", id="copies and a cookie"
        ),
        pytest.param(
            {"stages": [{"weight": 100, "cookie": TESTER}]}, ("stages", 0), "needs no header and no cookie", id="a cookie for all"
        ),
        pytest.param(
            {"stages": [{"weight": 0, "cookie": {"name": "tester", "value": "a;b"}}, 100]},
            ("stages", 0, "cookie", "value"),
            "match pattern",
            id="two cookies in one",
        ),
        pytest.param(
            {"stages": [{"weight": 0, "cookie": {"name": "a=b", "value": "1"}}, 100]},
            ("stages", 0, "cookie", "name"),
            "match pattern",
            id="no name of a cookie",
        ),
        pytest.param(
            {"stages": [{"weight": 0, "header": {"name": "x beta", "value": "1"}}, 100]},
            ("stages", 0, "header", "name"),
            "match pattern",
            id="no name of a header",
        ),
        pytest.param(
            {"stages": [{"weight": 0, "header": {"name": "x-beta", "value": ""}}, 100]},
            ("stages", 0, "header", "value"),
            "match pattern",
            id="a header without a value",
        ),
        pytest.param({"stages": [10, 101]}, ("stages", 1, "weight"), "less than or equal to 100", id="more than all"),
        pytest.param({"stages": [1.5, 100]}, ("stages",), "a stage is a weight", id="a fraction of a percent"),
        pytest.param({"stages": [True, 100]}, ("stages",), "a stage is a weight", id="true as a weight"),
        pytest.param({"stages": ["10", 100]}, ("stages",), "a stage is a weight", id="a weight in quotes"),
        pytest.param({"stages": [{"pause": 1}, 100]}, ("stages", 0, "weight"), "required", id="a stage without a weight"),
        pytest.param({"stages": [{"weight": 1, "for": 1}, 100]}, ("stages", 0, "for"), "not permitted", id="an unknown field"),
        pytest.param(
            {"stages": [{"weight": 100, "pause": 3601}]}, ("stages", 0, "pause"), "equal to 3600", id="too long a pause"
        ),
        pytest.param({"stages": [{"weight": 100, "pause": "1h"}]}, ("stages", 0, "pause"), "a whole number", id="hours"),
        pytest.param({"stageInterval": "5m"}, ("stageInterval",), "whole number from 0 to 3600", id="minutes"),
        pytest.param({"stageInterval": -1}, ("stageInterval",), "greater than or equal to 0", id="a negative interval"),
        pytest.param({"stageInterval": 1.5}, ("stageInterval",), "valid integer", id="a fraction of a second"),
        pytest.param({"analysis": {"interval": 0}}, ("analysis", "interval"), "equal to 1", id="samples too often"),
        pytest.param({"analysis": {"interval": 601}}, ("analysis", "interval"), "equal to 600", id="samples too seldom"),
        pytest.param({"analysis": {"successRate": 99}}, ("analysis", "successRate"), "equal to 1", id="a rate in percent"),
        pytest.param({"analysis": {"successRate": True}}, ("analysis", "successRate"), "valid number", id="true as a rate"),
        pytest.param({"analysis": {"latencyMs": 0}}, ("analysis", "latencyMs"), "greater than 0", id="no latency at all"),
        pytest.param({"analysis": {"quantile": 99}}, ("analysis", "quantile"), "less than 1", id="a percentile as a quantile"),
        pytest.param(
            {"analysis": {"minRequests": 0}}, ("analysis", "minRequests"), "equal to 1", id="a verdict without requests"
        ),
        pytest.param(
            {"analysis": {"failureLimit": -1}}, ("analysis", "failureLimit"), "equal to 0", id="fewer failures than none"
        ),
        pytest.param({"analysis": {"errorLimit": 0}}, ("analysis", "errorLimit"), "equal to 1", id="no errors before any"),
        pytest.param({"analysis": {"extend": 3601}}, ("analysis", "extend"), "equal to 3600", id="prolonged for too long"),
        pytest.param({"analysis": {"enabled": "no"}}, ("analysis", "enabled"), "valid boolean", id="no as a word"),
    ],
)
def test_it_refuses(said: dict[str, Any], place: tuple[str | int, ...], message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        read(**said)
    (error,) = refused.value.errors()
    assert error["loc"] == place
    assert message in error["msg"]


def test_what_is_measured_has_its_defaults() -> None:
    assert read(analysis={}).analysis == Analysis() == read().analysis
    told = read().model_dump(mode="json", by_alias=True)["analysis"]
    assert told == {
        "enabled": True,
        "successRate": 0.99,
        "latencyMs": None,
        "quantile": 0.99,
        "interval": 10,
        "minRequests": 20,
        "failureLimit": 0,
        "errorLimit": 3,
        "extend": 300,
    }


def test_what_is_written_down_is_read_as_the_same() -> None:
    beta = {"weight": 5, "pause": "until-promoted", "header": BETA}
    config = read(stages=[MIRRORED, beta, {"weight": 5, "pause": 7}, 100], stageInterval="60", analysis={"latencyMs": 250})
    assert StrategyConfig.model_validate_json(config.model_dump_json(by_alias=True)) == config


def test_a_share_is_written_down_as_before_there_was_anything_beside_it() -> None:
    assert Stage(weight=5, pause=7).model_dump(mode="json", by_alias=True) == {"weight": 5, "pause": 7}


@pytest.mark.parametrize(
    ("stage", "told"),
    [
        pytest.param(Stage(weight=5, pause=0), "5 %", id="a share"),
        pytest.param(Stage(weight=0, pause=0, mirror=True), "a copy of every request", id="copies"),
        pytest.param(Stage(weight=0, pause=0, header=HeaderMatch(**BETA)), "requests with x-beta: 1", id="those who ask for it"),
        pytest.param(
            Stage(weight=5, pause=0, cookie=CookieMatch(**TESTER)), "5 % and requests with the cookie tester=1", id="a cookie"
        ),
        pytest.param(
            Stage(weight=0, pause=0, header=HeaderMatch(**BETA), cookie=CookieMatch(**TESTER)),
            "requests with x-beta: 1 or the cookie tester=1",
            id="one of two",
        ),
        pytest.param(Stage(weight=5, pause=0, header=HeaderMatch(**BETA)), "5 % and requests with x-beta: 1", id="both"),
    ],
)
def test_people_are_told_what_meets_the_revision(stage: Stage, told: str) -> None:
    assert stage.share == told


WISHES = st.lists(
    st.one_of(
        st.integers(-1, 101),
        st.fixed_dictionaries(
            {"weight": st.sampled_from([0, 0, 10, 30, 100])},
            optional={
                "mirror": st.booleans(),
                "header": st.sampled_from([None, BETA]),
                "cookie": st.sampled_from([None, TESTER]),
                "pause": st.sampled_from([0, "until-promoted"]),
            },
        ),
    ),
    max_size=4,
).map(lambda wished: [*wished, 100])


@given(wished=WISHES)
def test_what_is_not_refused_rises_to_all_by_stages_that_somebody_meets(wished: list[Any]) -> None:
    try:
        found = read(stages=wished).stages
    except ValidationError:
        return
    assert [one.weight for one in found] == sorted(one.weight for one in found)
    assert (found[-1].weight, found[-1].others) == (100, "")
    assert all(one.share for one in found)
    assert not [one for one in found if one.mirror and (one.weight or one.header or one.cookie)]


def test_the_schema_names_every_way_of_writing() -> None:
    told = StrategyConfig.model_json_schema()["properties"]
    assert [one["type"] for one in told["stages"]["anyOf"]] == ["string", "array", "array"]
    assert [one["type"] for one in told["stageInterval"]["anyOf"]] == ["integer", "string"]


@pytest.mark.parametrize(
    ("analysis", "sentence"),
    [
        pytest.param(Analysis(), "0.99 of the answers are good", id="the success rate"),
        pytest.param(
            Analysis(success_rate=1, latency_ms=250, quantile=0.9),
            "1 of the answers are good and 250 ms are enough for 0.9 of them",
            id="and the latency",
        ),
        pytest.param(
            Analysis(compared_to_stable=Compared(sequential=Sequential(alpha=0.01), latency=2)),
            "it is not certain (alpha 0.01) that the answers are less often good than those of the revision before "
            "and at the quantile 0.99 they take at most 2 times as long as those of the revision before",
            id="and a sequential test",
        ),
    ],
)
def test_people_are_told_what_is_wanted(analysis: Analysis, sentence: str) -> None:
    assert analysis.sentence == sentence


SURE: dict[str, Any] = {"comparedToStable": {"sequential": {}}}


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        pytest.param(SURE | {"interval": 1, "extend": 700}, False, id="as many as may be"),
        pytest.param(SURE | {"interval": 1, "extend": 701}, True, id="one more"),
        pytest.param({"interval": 1, "extend": 701}, False, id="without a test nobody counts them"),
    ],
)
def test_a_sequential_test_has_not_too_many_looks(said: dict[str, Any], refused: bool) -> None:  # noqa: FBT001
    config = {"stages": "10,100", "stageInterval": 300, "analysis": said}
    if not refused:
        assert StrategyConfig.model_validate(config).analysis.interval == 1
        return
    with pytest.raises(
        ValidationError, match=r"a stage has 1001 looks, and a sequential test at most 1000; raise analysis\.interval"
    ):
        StrategyConfig.model_validate(config)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        pytest.param({}, "or ask for sequential", id="nothing"),
        pytest.param({"successRate": 0.02, "sequential": {}}, "say either by how much", id="two margins"),
        pytest.param({"sequential": {"alpha": 0.6}}, "less than or equal to 0.5", id="too many false alarms"),
    ],
)
def test_what_cannot_be_compared_is_named(said: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Compared.model_validate(said)


def test_what_asks_for_no_sequential_test_does_not_speak_of_one() -> None:
    """Or the plans of what serves would have other hashes."""
    assert Compared(latency=2).model_dump(mode="json", by_alias=True) == {"successRate": None, "latency": 2.0}
