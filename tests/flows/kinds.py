"""The table of what may happen to a rollout: kinds by strategies, each a play and the end that it must come to.

To add a kind: write its play beside its like, and a line in its table with the strategies that it makes sense for. To add a strategy:
name it in the lines that hold for it.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from blocks.domain.journal import Phase
from blocks.domain.status import InstallationView
from tests.flows import plays_by_hand as by_hand
from tests.flows import plays_by_numbers as by_numbers
from tests.flows import plays_in_the_cluster as in_the_cluster
from tests.flows.judged import Ending
from tests.flows.life import AB, BLUE_GREEN, CANARY, ROLLING, Life

Play: TypeAlias = Callable[[Life], Awaitable[InstallationView]]
# Those that are judged by numbers, and all.
JUDGED = (BLUE_GREEN, CANARY, AB)
ALL = (ROLLING, *JUDGED)


@dataclass(frozen=True)
class Kind:
    """What happens, for whom it makes sense, how it is played and how it ends.

    `really` are the strategies for which it is played on the real cluster in every session; `make e2e` plays all of them there.
    """

    name: str
    strategies: tuple[str, ...]
    play: Play
    ending: Ending
    really: tuple[str, ...] = ()


def back(code: str, *kept: str, phase: Phase = Phase.WITHDRAWN) -> Ending:
    """All is as before, for this reason, with these versions in quarantine."""
    return Ending(phase, serves=1, replicas={1: 1}, code=code, kept=kept)


def waits(phase: Phase, code: str, weights: Mapping[int, int]) -> Ending:
    """Both revisions are up, and a person is asked."""
    return Ending(phase, serves=1, replicas={1: 1, 2: 1}, code=code, weights=weights)


FORTH = Ending()
# What came and went has taken a number.
SECOND_TRY = Ending(serves=3, replicas={1: 0, 3: 1})
AS_IT_WAS = back("", phase=Phase.SUCCEEDED)
TWO = Ending(replicas={1: 0, 2: 2})
THREE = Ending(replicas={1: 0, 2: 3})

BY_HAND = (
    Kind("abort", ALL, by_hand.abort, back("cancelled"), (CANARY,)),
    Kind("retry", ALL, by_hand.retry, FORTH, (ROLLING,)),
    Kind("promote", JUDGED, by_hand.promote, FORTH, (BLUE_GREEN,)),
    Kind("promote fully", (CANARY,), by_hand.promote_fully, FORTH),
    Kind("update in the middle", ALL, by_hand.update_in_the_middle, SECOND_TRY),
    Kind("scale in the middle", ALL, by_hand.scale_in_the_middle, Ending(serves=3, replicas={1: 0, 3: 3})),
    Kind("malformed then fixed", ALL, by_hand.malformed_then_fixed, SECOND_TRY),
    Kind("invalid analysis", JUDGED, by_hand.invalid_analysis, AS_IT_WAS),
    Kind("invalid stages", ALL, by_hand.invalid_stages, AS_IT_WAS),
    Kind("switched strategies", ALL, by_hand.switch_strategies, Ending(serves=3, replicas={1: 0, 2: 0, 3: 1})),
    Kind("switched strategies midway", ALL, by_hand.switch_strategies_midway, SECOND_TRY, (BLUE_GREEN,)),
    Kind("rollback", ALL, by_hand.roll_back, Ending(serves=1, replicas={1: 1, 2: 0}, kept=("2.0.0",))),
    Kind("rollback beyond history", ALL, by_hand.roll_back_beyond_history, FORTH),
    Kind("everything at once", ALL, by_hand.change_everything, THREE),
    Kind("scale", ALL, by_hand.scale, THREE),
    Kind("scale-down delay", (BLUE_GREEN,), by_hand.kept_warm, TWO),
    Kind("header route", (CANARY, AB), by_hand.by_header, FORTH),
    Kind("mirror", (CANARY,), by_hand.mirrored, FORTH),
    Kind("restart with a PDB", ALL, by_hand.restart, TWO),
)
BY_NUMBERS = (
    Kind("good", JUDGED, by_numbers.good, FORTH),
    Kind("bad", JUDGED, by_numbers.bad, back("analysis-failed", "2.0.0")),
    Kind("bad", (ROLLING,), by_numbers.bad, back("verification-failed")),
    Kind("bad then good", JUDGED, by_numbers.bad_then_good, replace(SECOND_TRY, kept=("2.0.0",))),
    Kind("bad then good", (ROLLING,), by_numbers.bad_then_good, SECOND_TRY),
    Kind("bad then bad", JUDGED, by_numbers.bad_then_bad, back("analysis-failed", "2.0.0", "3.0.0"), (BLUE_GREEN,)),
    Kind("bad then bad", (ROLLING,), by_numbers.bad_then_bad, back("verification-failed")),
    Kind("bad again", JUDGED, by_numbers.bad_again, back("quarantined", "2.0.0")),
    Kind("bad stable replaced", ALL, by_numbers.bad_stable, FORTH),
    Kind("analysis inconclusive", (CANARY, AB), by_numbers.inconclusive, waits(Phase.PARKED, "undecided", {1: 80, 2: 20})),
    Kind("analysis inconclusive", (BLUE_GREEN,), by_numbers.inconclusive, waits(Phase.PARKED, "undecided", {2: 100})),
    Kind("analysis impossible", (CANARY, AB), by_numbers.unmeasured, waits(Phase.PARKED, "undecided", {1: 80, 2: 20})),
    Kind("analysis impossible", (BLUE_GREEN,), by_numbers.unmeasured, waits(Phase.PARKED, "undecided", {2: 100})),
    Kind("long-running", JUDGED, by_numbers.long_running, FORTH),
    Kind("pods crash", ALL, by_numbers.crash, back("rollout-failed"), (BLUE_GREEN,)),
    Kind("fails before promotion", (BLUE_GREEN,), by_numbers.fails_its_smoke_test, back("verification-failed")),
    Kind("fails after promotion", ALL, by_numbers.fails_at_the_end, back("verification-failed")),
    Kind("progress deadline", ALL, by_numbers.never_ready, back("rollout-failed"), (ROLLING,)),
    Kind("progress deadline while paused", ALL, by_numbers.paused_beyond_the_deadline, FORTH),
)
IN_THE_CLUSTER = (
    Kind("object removed by hand", ALL, in_the_cluster.removed_by_hand, FORTH),
    Kind("object removed midway", (CANARY, AB), in_the_cluster.removed_midway, FORTH),
    Kind("field of others", ALL, in_the_cluster.field_of_others, FORTH),
    Kind("field taken by others", ALL, in_the_cluster.field_taken_by_others, back("refused"), (ROLLING,)),
    Kind("scaled by others", ALL, in_the_cluster.scaled_by_others, replace(back("refused"), replicas={1: 2})),
    Kind("scaled to nothing midway", (CANARY, AB), in_the_cluster.scaled_away, back("refused")),
    Kind("collision", ALL, in_the_cluster.collision, back("refused")),
)
KINDS = (*BY_HAND, *BY_NUMBERS, *IN_THE_CLUSTER)
