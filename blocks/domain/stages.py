"""Which stages a plan's new revision goes through, if any, and what comes before all requests are sent to it."""

from collections.abc import Mapping
from typing import Any

from blocks.domain.analysis import Metric
from blocks.domain.manifest import InstallRequest
from blocks.domain.strategy import STAGED, Stage, StrategyConfig


def stages_of(hashed: Mapping[str, Any]) -> tuple[Stage, ...]:
    """The stages in their order; a first revision has only the last, because nobody else could answer the other requests.

    A way back has none: it leads to what served before, at once.
    """
    if hashed["verb"] == "rollback":
        return ()
    request = InstallRequest.model_validate(hashed["inputs"]["request"])
    if request.strategy not in STAGED:
        return ()
    stages = config_of(request).stages
    return stages if hashed["previous"] else stages[-1:]


def jobs_of(hashed: Mapping[str, Any]) -> tuple[Metric, ...]:
    """The metrics for which a Job is run at each of the plan's stages."""
    analysis = config_of(InstallRequest.model_validate(hashed["inputs"]["request"])).analysis
    return tuple(one for one in analysis.metrics if one.job) if analysis.enabled and stages_of(hashed) else ()


def has_preview(hashed: Mapping[str, Any]) -> bool:
    """Whether the revision can be met by those who ask for it, and is asked, before anybody else meets it."""
    return bool(hashed["verb"] != "rollback" and hashed["inputs"]["request"]["strategy"] == "blue-green")


def has_experiment(hashed: Mapping[str, Any]) -> bool:
    """Whether the revision is compared with the one that serves; a first revision has nobody to be compared with."""
    forth = hashed["verb"] != "rollback" and hashed["previous"]
    return bool(forth and hashed["inputs"]["request"]["strategy"] == "ab-testing")


def config_of(request: InstallRequest) -> StrategyConfig:
    """What the request says of its stages, or what it says by saying nothing."""
    return request.strategy_config or StrategyConfig()
