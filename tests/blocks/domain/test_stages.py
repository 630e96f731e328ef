"""Which stages a plan has: those that were asked for, as far as there is somebody to share the requests with."""

from typing import Any

import pytest

from blocks.domain.agreed import agree_on
from blocks.domain.replaced import Replaced
from blocks.domain.stages import config_of, has_experiment, stages_of
from blocks.domain.strategy import StrategyConfig
from tests.blocks.domain.plans import make_replaced, make_revision
from tests.builders import make_request

CANARY: dict[str, Any] = {
    "strategy": "canary",
    "strategyConfig": {"stages": "25,100", "stageInterval": 60, "analysis": {"interval": 7}},
}


@pytest.mark.parametrize(
    ("verb", "replaced", "asked", "weights"),
    [
        pytest.param("update", make_replaced(), CANARY, [25, 100], id="an update those that it asked for"),
        pytest.param("update", make_replaced(), {"strategy": "canary"}, [10, 30, 50, 100], id="or the usual ones"),
        pytest.param("install", Replaced(), CANARY, [100], id="a first revision the last alone"),
        pytest.param("update", make_replaced(), {}, [], id="a rolling update none"),
        pytest.param("rollback", make_replaced(), CANARY, [], id="a way back none"),
    ],
)
def test_has(verb: str, replaced: Replaced, asked: dict[str, Any], weights: list[int]) -> None:
    hashed = agree_on(make_revision(revision=replaced.number + 1, **asked), replaced, verb, ())
    assert [one.weight for one in stages_of(hashed)] == weights


@pytest.mark.parametrize(
    ("verb", "replaced", "strategy", "compared"),
    [
        pytest.param("update", make_replaced(), "ab-testing", True, id="an update that is to be"),
        pytest.param("update", make_replaced(), "canary", False, id="no other strategy"),
        pytest.param("install", Replaced(), "ab-testing", False, id="nothing that has nobody to be compared with"),
        pytest.param("rollback", make_replaced(), "ab-testing", False, id="no way back"),
    ],
)
def test_is_compared(verb: str, replaced: Replaced, strategy: str, compared: bool) -> None:  # noqa: FBT001
    hashed = agree_on(make_revision(revision=replaced.number + 1, strategy=strategy), replaced, verb, ())
    assert (has_experiment(hashed), [*stages_of(hashed)] != []) == (compared, strategy == "canary")


@pytest.mark.parametrize(
    ("asked", "config"),
    [
        pytest.param(CANARY, StrategyConfig.model_validate(CANARY["strategyConfig"]), id="what it says"),
        pytest.param({}, StrategyConfig(), id="the usual where it says nothing"),
    ],
)
def test_a_request_wants(asked: dict[str, Any], config: StrategyConfig) -> None:
    assert config_of(make_request(**asked)) == config
