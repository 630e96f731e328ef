"""How a new revision meets its users, in the words of a request: document 001's `stages` and `stageInterval`, and what is measured.

Whatever way the stages were written, they are kept one by one with their weight and pause, so a recorded request says all of it.

To add a strategy: name it in `Strategy`, in `STAGED` if it goes by stages, and else in `CONFIGURED` if something of it can be said.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from blocks.domain.analysis import Analysis, SmokeTest
from blocks.domain.experiment import MOST_LOOKS, Experiment
from blocks.domain.match import CookieMatch, HeaderMatch
from blocks.domain.strict import Strict

Strategy = Literal["rolling-update", "canary", "blue-green", "ab-testing"]
STAGED: tuple[Strategy, ...] = ("canary", "blue-green")
# Those that have something to configure.
CONFIGURED: tuple[Strategy, ...] = (*STAGED, "ab-testing")
WEIGHTS = re.compile(r"[0-9]{1,3}( *, *[0-9]{1,3})*")
SECONDS = re.compile(r"[0-9]{1,4}")
# Pods as a number, or as a part of those that are asked for, as Kubernetes reads them.
PODS = r"^(100|[1-9]?[0-9])%$"
NONE = (0, "0%")
# The pause of a stage that a person ends.
UNTIL_PROMOTED = "until-promoted"


def read_seconds(value: Any) -> Any:
    """The seconds as a number where they are written as document 001 does (`"300"`); a `ValueError` for other text."""
    if not isinstance(value, str):
        return value
    if not SECONDS.fullmatch(value):
        raise ValueError("write seconds as a whole number from 0 to 3600")
    return int(value)


def refuse_part(value: Any) -> Any:
    """The value, or a `ValueError` for a number: Contour mirrors every request of a rule, whatever percentage its filter names."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError("the gateway mirrors every request or none; write true")  # noqa: TRY004 (a refusal)
    return value


Pause = Annotated[
    int, Field(ge=0, le=3600, strict=True, description="seconds"), BeforeValidator(read_seconds, json_schema_input_type=int | str)
]


Pods = Annotated[int, Field(ge=0, le=20, strict=True)] | Annotated[str, Field(pattern=PODS)]


class Stage(Strict):
    """A share of the requests in percent, and how many seconds it is kept before the next.

    With `until_promoted` it is kept on until somebody says so. Beside its share the revision may meet the requests with a header or a
    cookie, or copies of all, whose answers are thrown away.
    """

    weight: int = Field(ge=0, le=100, strict=True)
    pause: Pause
    # Left out where they are not asked for, as in stages that were recorded before there were any: a plan's hash stays what it was.
    until_promoted: bool = Field(default=False, strict=True, exclude_if=lambda found: not found)
    header: HeaderMatch | None = Field(default=None, exclude_if=lambda found: found is None)
    cookie: CookieMatch | None = Field(default=None, exclude_if=lambda found: found is None)
    mirror: Annotated[bool, BeforeValidator(refuse_part)] = Field(default=False, strict=True, exclude_if=lambda found: not found)

    @property
    def others(self) -> str:
        """Which requests meet the revision beside its share, for people; empty if there are none."""
        if self.mirror:
            return "a copy of every request"
        asked = [f"{self.header.name}: {self.header.value}"] if self.header else []
        asked += [f"the cookie {self.cookie.name}={self.cookie.value}"] if self.cookie else []
        return f"requests with {' or '.join(asked)}" if asked else ""

    @property
    def share(self) -> str:
        """All that meets the revision, for people."""
        return " and ".join(one for one in (f"{self.weight} %" if self.weight else "", self.others) if one)

    @model_validator(mode="after")
    def _is_met_by_somebody(self) -> Self:
        is_asked = bool(self.header or self.cookie)
        if self.mirror and (self.weight or is_asked):
            raise ValueError(
                "a stage with mirror has the weight 0, no header and no cookie: nobody sees an answer of the revision"
            )
        if not (self.weight or is_asked or self.mirror):
            raise ValueError(
                "a stage with the weight 0 has a header, a cookie or mirror: without them nothing would be sent to the revision"
            )
        if self.weight == 100 and is_asked:
            raise ValueError("a stage with the weight 100 needs no header and no cookie: everybody meets the revision")
        return self


class StageWish(Strict):
    """A stage as people write it; without a pause it is kept for the stage interval, with `until-promoted` until somebody says promote."""

    weight: int
    pause: int | str | None = None
    until_promoted: bool = False
    header: HeaderMatch | None = None
    cookie: CookieMatch | None = None
    mirror: bool = False


class StrategyConfig(Strict):
    """The stages that a new revision goes through, and what it is measured by at each; what its preview is asked before, if it has one.

    A rolling update has no stages: it says how many pods there may be more, and how many fewer may be ready, than were asked for.
    """

    stage_interval: Pause = 300
    stages: tuple[Stage, ...] = Field(default=(10, 30, 50, 100), validate_default=True)
    analysis: Analysis = Analysis()
    smoke_test: SmokeTest | None = Field(default=None, exclude_if=lambda found: found is None)
    experiment: Experiment | None = Field(default=None, exclude_if=lambda found: found is None)
    max_surge: Pods | None = Field(default=None, exclude_if=lambda found: found is None)
    max_unavailable: Pods | None = Field(default=None, exclude_if=lambda found: found is None)

    @model_validator(mode="after")
    def _has_few_looks(self) -> Self:
        # Each look of a sequential test is judged with all before it.
        compared, longest = self.analysis.compared_to_stable, max(one.pause for one in self.stages) + self.analysis.extend
        if compared and compared.sequential and longest // self.analysis.interval > MOST_LOOKS:
            told = f"a stage has {longest // self.analysis.interval} looks, and a sequential test at most {MOST_LOOKS}"
            raise ValueError(f"{told}; raise analysis.interval")
        return self

    def fit(self, strategy: Strategy) -> Self:
        """This as the strategy has it, or a `ValueError`: blue-green has a preview and then one stage for all, a canary has no preview."""
        if strategy == "rolling-update":
            return self._fit_waves()
        self._has_no_waves(strategy)
        if strategy == "ab-testing":
            return self._fit_experiment()
        if self.experiment:
            raise ValueError(f"{strategy} compares no variants; leave experiment out, or ask for ab-testing")
        if strategy == "canary":
            if self.smoke_test:
                raise ValueError("a canary has no preview for a smoke test to ask; ask for blue-green")
            return self
        if "stages" not in self.model_fields_set:
            return self.model_copy(update={"stages": (Stage(weight=100, pause=self.stage_interval),)})
        if len(self.stages) > 1:
            raise ValueError("blue-green sends all requests at once; leave stages out, or ask for canary")
        return self

    def _fit_waves(self) -> Self:
        """This with nothing but how many pods come and go at a time."""
        if (self.max_surge, self.max_unavailable) == (None, None) or self._without(
            "max_surge", "max_unavailable"
        ) != StrategyConfig():
            raise ValueError(
                f"rolling-update has no stages to configure; leave strategyConfig out, or ask for {' or '.join(CONFIGURED)}; "
                "its own are maxSurge and maxUnavailable alone"
            )
        if self.max_surge in NONE and self.max_unavailable in (None, *NONE):
            raise ValueError("maxSurge and maxUnavailable are not both nothing: no pod could come or go")
        return self

    def _has_no_waves(self, strategy: Strategy) -> None:
        if (self.max_surge, self.max_unavailable) != (None, None):
            raise ValueError(f"{strategy} puts up all that it needs beside what serves; leave maxSurge and maxUnavailable out")

    def _without(self, *fields: str) -> Self:
        return self.model_copy(update=dict.fromkeys(fields))

    def _fit_experiment(self) -> Self:
        """This with an experiment, the usual one where none is named."""
        # A request that was recorded says all that is usual, too.
        if self._without("experiment") != StrategyConfig():
            raise ValueError("an A/B test has one stage, and is judged by its experiment alone; say there what is wanted")
        return self.model_copy(update={"experiment": self.experiment or Experiment()})

    @field_validator("stages", mode="before", json_schema_input_type=str | list[int] | list[StageWish])
    @classmethod
    def _read(cls, value: Any, said: ValidationInfo) -> Any:
        wanted = _split(value) if isinstance(value, str) else value
        if isinstance(wanted, list | tuple):
            return list(_each(wanted, said.data.get("stage_interval", 0)))
        raise ValueError('write stages as "10,30,50,100", or as a list of weights or of {"weight": 10, "pause": 60}')

    @field_validator("stages")
    @classmethod
    def _rise(cls, stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
        if not 1 <= len(stages) <= 20:
            raise ValueError(f"there are from 1 to 20 stages, not {len(stages)}")
        for before, after in pairwise(stages):
            if after.weight < before.weight or after.share == before.share:
                raise ValueError(f"each stage has more weight than the one before, but {after.weight} follows {before.weight}")
        if stages[-1].weight != 100:
            raise ValueError(f"the last stage has the weight 100, not {stages[-1].weight}")
        return stages


def _split(text: str) -> list[int]:
    if not WEIGHTS.fullmatch(text.strip()):
        raise ValueError("write stages as whole numbers with commas between them, as 10,30,50,100")
    return [int(one) for one in text.split(",")]


def _each(stages: list[Any] | tuple[Any, ...], interval: int) -> Iterator[Any]:
    """Each stage with its pause, not yet checked."""
    for one in stages:
        if isinstance(one, int) and not isinstance(one, bool):
            yield {"weight": one, "pause": interval}
        elif isinstance(one, dict) and one.get("pause") is None:
            yield one | {"pause": interval}
        elif isinstance(one, dict) and one["pause"] == UNTIL_PROMOTED:
            yield one | {"pause": 0, "untilPromoted": True}
        elif isinstance(one, dict | Stage):
            yield one
        else:
            raise ValueError('a stage is a weight, as 10, or {"weight": 10, "pause": 60}')
