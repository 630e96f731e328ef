"""Every point at which whoever carries an operation can die, read from the flows themselves.

A new step of a flow is covered by itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import flows.install
import flows.rollback
import flows.switch
import flows.uninstall
from blocks.domain.journal import Kind
from tasks.kinds import Step

STEPS: Mapping[str, tuple[Step[..., Any], ...]] = MappingProxyType(
    {
        "install": flows.install.STEPS,
        "update": flows.install.STEPS,
        "rollback": flows.rollback.STEPS,
        "uninstall": flows.uninstall.STEPS,
    }
)
# What a verb never comes by: a first revision finds no data, nor anybody to be compared with, and a way back hands none over.
FOUND_ONLY = ("hand_over_data", "open_variants", "watch_experiment")
# No life that goes back is an autoscaled one.
NEVER = frozenset({*(("install", step) for step in FOUND_ONLY), ("rollback", "hand_over_data"), ("rollback", "scale_revision")})
# The steps by which strategies differ, and which of them each takes.
COMPARED = frozenset({"open_variants", "watch_experiment"})
PREVIEWED = frozenset({"open_preview", "smoke_test"})
DIFFERENT = COMPARED | PREVIEWED | {"shift_traffic", "route_stage", "watch_stage", "scale_revision"}
ROLLING, STAGED = "rolling-update", ("canary", "blue-green", "ab-testing")
TAKEN: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        ROLLING: frozenset({"shift_traffic"}),
        "canary": frozenset({"route_stage", "watch_stage"}),
        # The lives by this strategy are autoscaled, too.
        "blue-green": PREVIEWED | {"route_stage", "watch_stage", "scale_revision"},
        "ab-testing": COMPARED | {"shift_traffic"},
    }
)
# The end of the whole operation is written like the end of a step.
WHOLE = "operation"


class Moment(StrEnum):
    """Where in a step, or in taking it back, the process dies."""

    BEFORE_INTENT = "before the intent"
    AFTER_INTENT = "after the intent"
    BEFORE_RESULT = "before the result"
    AFTER_RESULT = "after the result"
    IN_BETWEEN = "between two writes"


# The moments that every step has.
ROUND = (Moment.BEFORE_INTENT, Moment.AFTER_INTENT, Moment.BEFORE_RESULT, Moment.AFTER_RESULT)

INTENTS = (Moment.BEFORE_INTENT, Moment.AFTER_INTENT)
# Steps that write more than once to the cluster whenever they are done for the first time.
WRITE_MORE = frozenset(
    {("install", "provision_namespace"), ("install", "roll_out"), ("update", "roll_out"), ("uninstall", "remove_plugin")}
)
LATER = (Moment.AFTER_INTENT, Moment.AFTER_RESULT)


@dataclass(frozen=True)
class Point:
    """One moment of one step of a verb; `back`: while the step is taken back."""

    verb: str
    step: str
    moment: Moment
    back: bool = False

    def __str__(self) -> str:
        return f"{self.verb}: {self.moment} of {'taking back ' if self.back else ''}{self.step}"

    @property
    def kinds(self) -> frozenset[Kind]:
        """The entries that are written at this point; none between two writes."""
        if self.moment is Moment.IN_BETWEEN:
            return frozenset()
        if self.step == WHOLE:
            return frozenset({Kind.WITHDRAWN if self.back else Kind.FINISHED})
        if self.back:
            return frozenset({Kind.UNDOING if self.moment in INTENTS else Kind.UNDONE})
        return frozenset({Kind.INTENDED}) if self.moment in INTENTS else frozenset({Kind.DONE, Kind.PARKED})

    @property
    def is_after(self) -> bool:
        """Whether the entry is written before the process dies."""
        return self.moment in LATER

    def is_met(self, step: str, kind: str) -> bool:
        """Whether an entry of this kind about this step is the point's."""
        same = step == self.step or step.startswith(f"{self.step}:")
        return same and kind in self.kinds


def points_of(verb: str, strategy: str = ROLLING) -> list[Point]:
    """Every point of the verb on the way forth, in the order in which they come."""
    return [*_around(verb, _names(verb, strategy)), *_ends(verb, back=False)]


def points_back(verb: str, last: str, strategy: str = ROLLING) -> list[Point]:
    """Every point of the verb on the way back from a step that failed, in the order in which they come."""
    names = _names(verb, strategy)
    begun = names[: names.index(last) + 1]
    return [*_around(verb, reversed(begun), back=True), *_ends(verb, back=True)]


def spread(points: list[Point]) -> list[Point]:
    """One point of each step, the moments in turn."""
    moments, steps = [*ROUND], [*dict.fromkeys(point.step for point in points)]
    wanted = {step: moments[number % len(moments)] for number, step in enumerate(steps)}
    wanted[WHOLE] = Moment.AFTER_RESULT
    return [point for point in points if point.moment in (wanted[point.step], Moment.IN_BETWEEN)]


def _names(verb: str, strategy: str) -> list[str]:
    taken = TAKEN[strategy] if verb in ("install", "update") else TAKEN[ROLLING]
    return [one.name for one in STEPS[verb] if (verb, one.name) not in NEVER and one.name not in DIFFERENT - taken]


def _around(verb: str, names: Any, *, back: bool = False) -> Iterator[Point]:
    for name in names:
        yield from (Point(verb, name, moment, back) for moment in ROUND)
        if not back and (verb, name) in WRITE_MORE:
            yield Point(verb, name, Moment.IN_BETWEEN)


def _ends(verb: str, *, back: bool) -> Iterator[Point]:
    yield Point(verb, WHOLE, Moment.BEFORE_RESULT, back)
    yield Point(verb, WHOLE, Moment.AFTER_RESULT, back)
