"""What the lives are about: which operations, and who dies where in each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from blocks.domain.approval import APPROVAL
from blocks.domain.journal import Phase
from tests.chaos.points import ROLLING, STAGED, TAKEN, Moment, Point, points_back, points_of

VERBS = ("install", "update", "rollback", "uninstall")
# Where a plugin that lies is found out.
FOUND_OUT = "verify"
Points = Mapping[str, Sequence[Point]]


@dataclass(frozen=True)
class Act:
    """One operation: its verb, who dies where while it is carried, and whether the plugin lies, so that it is taken back."""

    verb: str
    points: tuple[Point, ...] = ()
    lies: bool = False

    @property
    def ends(self) -> Phase:
        """Where it must end by itself."""
        return Phase.WITHDRAWN if self.lies else Phase.SUCCEEDED


@dataclass(frozen=True)
class Script:
    """The acts of one life. A backend has a database; an update of one cannot be taken back, so those that lie are frontends."""

    acts: tuple[Act, ...]
    runtime: str = "backend"
    environment: str = "dev"
    strategy: str = ROLLING

    @property
    def points(self) -> int:
        """How many deaths there are in it."""
        return sum(len(act.points) for act in self.acts)


# Nobody dies in these: what they change is what every other life of the kind must change.
BACK_AND_FORTH = tuple(Act(verb, lies=lies) for verb in VERBS[:3] for lies in (True, False))
UNDISTURBED = (
    Script(tuple(Act(verb) for verb in VERBS)),
    Script((*BACK_AND_FORTH, Act("uninstall")), "frontend"),
    # By a strategy plugins come, and are found out; back and away they go as all the others do.
    *(Script(BACK_AND_FORTH[:4], "frontend", strategy=strategy) for strategy in STAGED),
)


def all_points() -> Points:
    """Every point of every verb on the way forth."""
    return {verb: points_of(verb) for verb in VERBS}


def all_points_back() -> Points:
    """Every point of the way back from a plugin that lies; without a database there is no data to hand over."""
    found = {verb: points_back(verb, FOUND_OUT) for verb in VERBS[:3]}
    return {verb: [point for point in points if point.step != "hand_over_data"] for verb, points in found.items()}


def staged_points(strategy: str) -> Points:
    """Every point, forth and back, of the steps that only this strategy has; first those of the way forth."""
    found = {verb: [*points_of(verb, strategy), *points_back(verb, FOUND_OUT, strategy)] for verb in ("install", "update")}
    return {verb: [point for point in points if point.step in TAKEN[strategy]] for verb, points in found.items()}


def scripts_staged(strategy: str, points: Points, deaths: int = 1) -> list[Script]:
    """Lives of plugins that come by this strategy, in which each of its points is met once, so many in each way of an operation."""
    forth = {verb: [point for point in points[verb] if not point.back] for verb in VERBS[:2]}
    back = {verb: [point for point in points[verb] if point.back] for verb in VERBS[:2]}
    lives = _lives([*forth.values(), *back.values()], deaths)
    return [_staged_life(strategy, _share(back, first, lives), _share(forth, first, lives)) for first in range(lives)]


def scripts_forth(points: Points, deaths: int = 1) -> list[Script]:
    """Whole lives, in which every point is met once, so many in each operation."""
    lives = _lives([*points.values()], deaths)
    return [_life(_share(points, first, lives)) for first in range(lives)]


def scripts_twice(points: Points) -> list[Script]:
    """Whole lives in which the second worker dies where the first did; what was written already is not written again."""
    again = {verb: [point for point in points[verb] if point.moment is not Moment.AFTER_RESULT] for verb in VERBS}
    lives = _lives([*again.values()], 1)
    return [_life({verb: 2 * told for verb, told in _share(again, first, lives).items()}) for first in range(lives)]


def scripts_back(points: Points, side_by_side: int, deaths: int = 1) -> list[Script]:
    """So many lives of plugins that lie again and again until every point of taking back is met once, so many each time."""
    return [_lying(_share(points, first, side_by_side), deaths) for first in range(side_by_side)]


def _lives(points: Iterable[Sequence[Point]], deaths: int) -> int:
    return -(-max(map(len, points)) // deaths)


def _share(points: Points, first: int, lives: int) -> dict[str, list[Point]]:
    """Every so-manieth point: neighbours are in different lives, as what one death left done has nothing left for the next to cut."""
    return {verb: [*told[first::lives]] for verb, told in points.items()}


def _life(points: Points) -> Script:
    told = tuple(Act(verb, tuple(points[verb])) for verb in VERBS)
    # What comes after the last death is seen in other lives.
    told = told[: max(number for number, act in enumerate(told, 1) if act.points)]
    # In prod people are asked, and that takes one worker more: so only where a point is about that.
    asks = any(point.step == APPROVAL for act in told for point in act.points)
    return Script(told, environment="prod" if asks else "dev")


def _staged_life(strategy: str, back: Points, forth: Points) -> Script:
    """What is taken back is asked for once more, by a plugin that has stopped lying, so that the next verb finds it."""
    acts: list[Act] = []
    for verb in VERBS[:2]:
        acts += [Act(verb, tuple(back[verb]), lies=True)] if back[verb] else []
        acts.append(Act(verb, tuple(forth[verb])))
    return Script(tuple(acts), "frontend", strategy=strategy)


def _lying(points: Points, deaths: int) -> Script:
    acts: list[Act] = []
    for verb in VERBS[:3]:
        times = _lives([points[verb]], deaths)
        acts += [Act(verb, tuple(points[verb][first::times]), lies=True) for first in range(times)]
        acts.append(Act(verb))
    return Script((*acts, Act("uninstall")), "frontend")
