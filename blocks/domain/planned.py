"""The steps that follow a plan, each with how it is taken back: said before anything begins.

To add a step after the plan: add a row to `STEPS`, in the order in which they are taken, and, if it is not always taken, to `_is_taken`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from blocks.domain.autoscaling import range_of
from blocks.domain.manifest import InstallRequest
from blocks.domain.ratio import is_plain, sizes_of, tell_share
from blocks.domain.scaling import ALL, replicas_for
from blocks.domain.stages import config_of, has_experiment, has_preview, stages_of
from blocks.domain.strategy import Stage
from blocks.domain.waves import Limits, limits_of


@dataclass(frozen=True)
class PlannedStep:
    """One step: its name, its undo class, what it does, and what taking it back does."""

    name: str
    undo: str
    what: str
    back: str = ""


# All requests in one write, or stage by stage: of these two there is one of each for every stage, and what it says is filled in.
SHIFT = "shift_traffic"
ROUTE = PlannedStep(
    "route_stage", "reversible", "send {requests} to the revision{replicas}, in one write", "send all back, in one write"
)
WATCH = PlannedStep("watch_stage", "needless", "keep it so {long}{wanted}")
TRIAL = PlannedStep("watch_experiment", "needless", "compare what both answer, until one is certainly better or the time is over")
# How the steps begin that watch a stage, or an A/B test.
WATCHED = (f"{WATCH.name}:", TRIAL.name)
VARIANTS = PlannedStep(
    "open_variants",
    "reversible",
    "let a part of the users meet the revision, and everybody the same one again",
    "send all back, in one write",
)
# What the steps of a rolling update with limits do instead.
WAVES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "roll_out": ("put up the revision beside the one before, without pods yet", "take it down"),
        SHIFT: (
            "let its pods take the place of those before in waves, with the requests: {limits}",
            "let those before take their place again, in waves too",
        ),
        "retire_revision": ("take away what only the revision before needed", "put up again what it took away"),
    }
)
# What steps do instead where nothing but the plugin's Service leads people.
PLAIN: Mapping[str, str] = MappingProxyType(
    {
        "open_preview": "let those meet the revision who ask its own Service",
        "verify": "ask the plugin's Service which release it is",
    }
)
STEPS = (
    PlannedStep("approval", "needless", "wait until enough people agree to exactly this plan"),
    PlannedStep("confirm_plan", "needless", "look again whether the world is as it was planned for"),
    PlannedStep(
        "provision_namespace",
        "reversible",
        "make the namespace with its limits and policies, and the plugin's identity",
        "take away what it made, and set what it changed back",
    ),
    PlannedStep(
        "provision_database",
        "compensatable",
        "make the plugin's own database, its role and the Secret with the password",
        "drop them if this operation made them",
    ),
    PlannedStep(
        "hand_over_data", "final", "let the new revision use the plugin's database", "nothing: what it writes there stays"
    ),
    PlannedStep(
        "roll_out",
        "compensatable",
        "put up the revision beside the one before, and wait until it is ready",
        "take it down, or put it back to sleep",
    ),
    VARIANTS,
    TRIAL,
    PlannedStep(SHIFT, "reversible", "send all requests to the revision, in one write", "send them back, in one write"),
    PlannedStep(
        "open_preview", "reversible", "let those meet the revision who send x-plugin-preview with its name", "close it again"
    ),
    PlannedStep("smoke_test", "needless", "ask the revision in its preview"),
    ROUTE,
    WATCH,
    PlannedStep("verify", "needless", "ask the plugin through the gateway which release it is"),
    PlannedStep("serve_revision", "reversible", "record that the revision serves", "record that the one before serves"),
    PlannedStep(
        "scale_revision", "reversible", "let the autoscaler follow the revision, in one write", "let it follow the one before"
    ),
    PlannedStep(
        "retire_revision",
        "compensatable",
        "let the revision before sleep, and take away what only it needed",
        "wake it, with all it had",
    ),
    PlannedStep("quarantine_release", "reversible", "keep the release that was rolled back from being tried again", "release it"),
)


def steps_of(hashed: Mapping[str, Any]) -> tuple[PlannedStep, ...]:
    """The steps that the plan leads to, in their order; none where there is nothing to do."""
    if hashed["revision"] == hashed["previous"]:
        return ()
    taken = [one for one in STEPS if _is_taken(hashed).get(one.name, True)]
    stages, limits = [*_by_stages(hashed)], limits_of(hashed)
    steps = (step for one in taken for step in (stages if one is ROUTE else [] if one is WATCH else [one]))
    if is_plain(hashed):
        steps = (replace(step, what=PLAIN.get(step.name, step.what)) for step in steps)
    return tuple(_in_waves(step, limits) if limits else step for step in steps)


def _in_waves(step: PlannedStep, limits: Limits) -> PlannedStep:
    """The step where pods and requests move from one revision to the other in waves."""
    what, back = WAVES.get(step.name, (step.what, step.back))
    return replace(step, what=what.format(limits=limits.sentence), back=back)


def _by_stages(hashed: Mapping[str, Any]) -> Iterator[PlannedStep]:
    """The two steps of each stage: a part of the requests is sent, and it is watched."""
    request, stages = InstallRequest.model_validate(hashed["inputs"]["request"]), stages_of(hashed)
    analysis, sizes = config_of(request).analysis, sizes_of(hashed)
    sentence = analysis.sentence_of_others if is_plain(hashed) else analysis.sentence
    wanted = f", as long as {sentence}" if analysis.enabled else ""
    for number, stage in enumerate(stages, 1):
        replicas = _part(stages[:number]) if request.autoscaling else _replicas(stages[:number], request.replicas)
        sent = ROUTE.what.format(requests=_requests(stage), replicas=replicas)
        what = tell_share(stage.weight, sizes[number - 1]) if sizes else sent
        yield replace(ROUTE, name=f"{ROUTE.name}:{number}", what=what)
        yield replace(WATCH, name=f"{WATCH.name}:{number}", what=WATCH.what.format(long=_long(stage), wanted=wanted))


def _requests(stage: Stage) -> str:
    """Which requests the revision is sent at the stage."""
    shared = [f"{stage.weight} % of the requests"] if stage.weight else []
    return " and ".join([*shared, *([stage.others] if stage.others else [])])


def _replicas(stages: Sequence[Stage], asked: int) -> str:
    """With how many replicas the revision answers at the last of the stages; nothing where there is only one."""
    return f" with {replicas_for(stages, asked)} of its {asked} replicas" if asked > 1 else ""


def _part(stages: Sequence[Stage]) -> str:
    """The same where the cluster decides how many replicas there are: how many they will be is not known beforehand."""
    return f" with {replicas_for(stages, ALL)} % of the replicas that are needed then"


def _long(stage: Stage) -> str:
    """For how long the stage is kept."""
    timed = [f"for {stage.pause} s"] if stage.pause or not stage.until_promoted else []
    return " and ".join([*timed, *(["until somebody says promote"] if stage.until_promoted else [])])


def _is_taken(hashed: Mapping[str, Any]) -> dict[str, bool]:
    return {
        "approval": hashed["policy"]["approval"] is not None,
        "provision_database": bool(hashed["names"]["database"]),
        "hand_over_data": bool(hashed["data"]),
        SHIFT: not stages_of(hashed),
        VARIANTS.name: has_experiment(hashed),
        TRIAL.name: has_experiment(hashed),
        "open_preview": has_preview(hashed),
        "smoke_test": has_preview(hashed),
        "scale_revision": range_of(hashed) is not None,
        "retire_revision": hashed["previous"] > 0,
        "quarantine_release": hashed["verb"] == "rollback",
    }
