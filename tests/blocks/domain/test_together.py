"""Plugins of a set that wait for each other: when one goes on, when it waits and when it rests; and who is told what."""

from typing import Any
from uuid import UUID

import pytest

from blocks.domain.errors import Terminal
from blocks.domain.journal import Phase, Reason
from blocks.domain.together import (
    SET_FAILED,
    Go,
    Member,
    Rest,
    Together,
    Wait,
    Word,
    blame,
    find_bad,
    furthest,
    look_around,
    phase_of,
    what_to_say,
)

ONE, TWO = UUID(int=1), UUID(int=2)
WHY = Reason("analysis-failed", "40 % of the answers are errors", "see its log")
RESTING: dict[str, Any] = {"phase": Phase.PARKED, "waits": True}


def member(place: int = 1, phase: Phase = Phase.APPLYING, point: str = "", **changes: Any) -> Member:
    """The first or second plugin of a set."""
    return Member(UUID(int=place), f"@a/{place}", place, phase, point, **changes)


def together(*members: Member, committed: bool = False) -> Together:
    """A set of these."""
    return Together(UUID(int=9), "pair", members, committed=committed)


@pytest.mark.parametrize(
    ("point", "other", "found"),
    [
        pytest.param("planned", member(2), Wait(), id="who has come to nothing is waited for"),
        pytest.param("approved", member(2, point="planned"), Wait(), id="who is behind is waited for"),
        pytest.param("planned", member(2, point="planned"), Go(), id="who is there is enough"),
        pytest.param("stage:2", member(2, point="stage:1"), Wait(), id="a stage is over for all before the next"),
        pytest.param("stage:2", member(2, point="stage:10"), Go(), id="who is at a later stage is further"),
        pytest.param("stage:9", member(2, point="verified"), Go(), id="who has fewer stages is beyond them all"),
        pytest.param("end", member(2, Phase.SUCCEEDED), Go(), id="who has nothing to change is everywhere"),
        pytest.param("turn", member(2, point="turn"), Go(), id="who comes first does not wait for who comes later"),
        pytest.param("turn", member(0, point="turn"), Wait(), id="who comes later waits until the first is ready"),
        pytest.param("turn", member(0, point="ready"), Go(), id="then it is its turn"),
        pytest.param("approved", member(2, Phase.PARKED), Rest("@a/2"), id="while a person thinks nothing is held"),
        pytest.param("approved", member(2, **RESTING), Rest("@a/2"), id="nor while another waits itself"),
        pytest.param("planned", member(2, Phase.PARKED, "planned"), Go(), id="who asks a person later is no hindrance now"),
        pytest.param("planned", member(2, Phase.FROZEN, "end"), Rest("@a/2"), id="who is frozen stops all"),
        pytest.param("planned", member(2, Phase.UNDOING, "end"), Wait(), id="with one that goes back nobody goes on"),
        pytest.param("planned", member(2, Phase.WITHDRAWN), Wait(), id="nor with one that has gone back"),
        pytest.param("planned", member(2, Phase.FROZEN, failed=True), Wait(), id="nor with one that is stuck on its way back"),
    ],
)
def test_a_plugin_goes_on_once_all_others_are_as_far(point: str, other: Member, found: object) -> None:
    assert look_around(point, ONE, together(member(point=point), other)) == found


def test_after_the_commit_nobody_waits() -> None:
    assert look_around("end", ONE, together(member(), member(2, Phase.UNDOING), committed=True)) == Go()


def test_only_known_points_are_met_at() -> None:
    with pytest.raises(Terminal, match="nobody meets at nowhere"):
        furthest(["nowhere", "planned"])


def test_the_furthest_point_is_the_last_in_the_order_of_the_journey() -> None:
    assert furthest(["stage:2", "planned", "stage:10", "ready"]) == "stage:10"
    assert not furthest([])


BAD = member(2, Phase.UNDOING, reason=WHY)
SAID = [
    pytest.param([member(), BAD], {ONE: Word.CALL_BACK}, id="who goes forwards comes back with the bad one"),
    pytest.param([member(phase=Phase.PARKED), BAD], {ONE: Word.CALL_BACK}, id="whatever it waits for"),
    pytest.param([member(phase=Phase.FROZEN), BAD], {}, id="what a person froze a person lets go"),
    pytest.param([member(phase=Phase.WITHDRAWN), BAD], {}, id="what is back is back"),
    pytest.param([member(), member(2)], {}, id="all is well"),
    pytest.param([member(point="ready", **RESTING), member(2, Phase.PARKED)], {}, id="the person has not spoken"),
    pytest.param([member(point="ready", **RESTING), member(2)], {ONE: Word.WAKE}, id="the person has spoken"),
    pytest.param(
        [member(point="ready", **RESTING), member(2, point="planned", **RESTING)],
        {ONE: Word.WAKE, TWO: Word.WAKE},
        id="two that wait for each other alone are woken both",
    ),
]


@pytest.mark.parametrize(("members", "said"), SAID)
def test_what_one_leads_to_is_said_to_the_others(members: list[Member], said: dict[UUID, Word]) -> None:
    assert what_to_say(together(*members)) == said


def test_after_the_commit_nobody_is_called_back_and_who_waits_is_woken() -> None:
    assert what_to_say(together(member(point="end", **RESTING), BAD, committed=True)) == {ONE: Word.WAKE}


def test_the_bad_one_is_the_one_that_failed_by_itself() -> None:
    follower = member(phase=Phase.WITHDRAWN, reason=Reason(SET_FAILED, "because of another"))
    assert find_bad([follower, BAD]) == BAD
    assert find_bad([member()]) is None


def test_who_comes_back_is_told_because_of_whom() -> None:
    assert blame("pair", BAD) == Reason(
        SET_FAILED, "the set pair is taken back because of @a/2: 40 % of the answers are errors", "see its log"
    )
    assert blame("pair", member(2)).message.endswith("@a/2: it does not say why")


@pytest.mark.parametrize(
    ("phases", "whole"),
    [
        pytest.param([Phase.SUCCEEDED, Phase.SUCCEEDED], Phase.SUCCEEDED, id="all serve"),
        pytest.param([Phase.SUCCEEDED, Phase.WITHDRAWN], Phase.WITHDRAWN, id="all ended, one is back"),
        pytest.param([Phase.REQUESTED, Phase.APPLYING], Phase.APPLYING, id="one is at work"),
        pytest.param([Phase.PARKED, Phase.REQUESTED], Phase.REQUESTED, id="one has not begun"),
        pytest.param([Phase.PARKED, Phase.SUCCEEDED], Phase.PARKED, id="a person is asked"),
        pytest.param([Phase.PARKED, Phase.FROZEN], Phase.FROZEN, id="one is frozen"),
        pytest.param([Phase.WITHDRAWN, Phase.PARKED], Phase.UNDOING, id="one is back, the others follow"),
        pytest.param([Phase.WITHDRAWN, Phase.FROZEN], Phase.FROZEN, id="one is back, another is stuck"),
    ],
)
def test_the_whole_stands_where_its_parts_say(phases: list[Phase], whole: Phase) -> None:
    assert phase_of([(phase, False) for phase in phases]) is whole


def test_a_part_that_is_stuck_on_its_way_back_is_on_its_way_back() -> None:
    assert phase_of([(Phase.FROZEN, True), (Phase.APPLYING, False)]) is Phase.UNDOING
