"""How installations look."""

import io
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from rich.console import Console

from blocks.domain.health import Condition, Status
from blocks.domain.journal import Phase
from blocks.domain.status import StepState
from blocks.domain.together import WAITS
from deployments.api.condition import HealthShown
from deployments.api.shapes import InstallationShown, OperationShown, RevisionShown
from deployments.api.shown import ApprovalShown, ReasonShown, StepShown, VoteShown
from deployments.terminal.drawing import (
    describe_changes,
    describe_head,
    describe_rest,
    describe_state,
    describe_time,
    draw_approvals,
    draw_installation,
    draw_list,
)
from deployments.terminal.waiting import describe_waiting

AT, LATER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 0, 0, 5, tzinfo=UTC)
SERVING = RevisionShown(number=1, release="hello@1.2.3", integrity="", image="", url="http://hello.acme-dev.localhost:8888")


def make_step(
    name: str, state: StepState, seconds: float | None = None, why: str | None = None, does: str | None = None
) -> StepShown:
    """One step."""
    ended = AT if seconds else None
    return StepShown(name=name, state=state, started_at=AT, ended_at=ended, seconds=seconds, result=None, why=why, does=does)


def make_shown(verb: str = "install", phase: Phase = Phase.APPLYING, **changes: Any) -> InstallationShown:
    """One installation."""
    about: dict[str, Any] = {
        "attempt": 1,
        "flow_run_url": None,
        "trouble": None,
        "reason": None,
        "created_at": AT,
        "updated_at": AT,
        "steps": (),
    }
    about |= {"why": "", "place": None, "approval": None}
    operation = OperationShown(id=UUID(int=2), verb=verb, phase=phase, actor="ann", **about | changes)
    where = {"tenant": "acme", "environment": "dev", "plugin": "hello", "slug": "hello", "namespace": "acme-dev"}
    return InstallationShown(
        id=UUID(int=1),
        enabled=True,
        phase=phase,
        created_at=AT,
        updated_at=AT,
        revision=SERVING,
        health=None,
        operation=operation,
        links={},
        **where,
    )


@pytest.mark.parametrize(
    ("verb", "phase", "state"),
    [
        pytest.param("install", Phase.REQUESTED, "install requested", id="asked for"),
        pytest.param("install", Phase.APPLYING, "install applying", id="on its way"),
        pytest.param("install", Phase.SUCCEEDED, "installed", id="there"),
        pytest.param("install", Phase.UNDOING, "install failing", id="being taken back"),
        pytest.param("install", Phase.WITHDRAWN, "install failed", id="taken back"),
        pytest.param("uninstall", Phase.SUCCEEDED, "uninstalled", id="gone"),
        pytest.param("rollback", Phase.SUCCEEDED, "rolled back", id="as it was before"),
        pytest.param("update", Phase.PARKED, "update waiting", id="waiting for people"),
        pytest.param("uninstall", Phase.FROZEN, "uninstall frozen", id="stuck"),
    ],
)
def test_an_installation_is(verb: str, phase: Phase, state: str) -> None:
    assert describe_state(make_shown(verb, phase)) == state


def draw(drawn: Any, *, terminal: bool = False, width: int = 200) -> str:
    """What is drawn, as text."""
    out = io.StringIO()
    Console(file=out, width=width, force_terminal=terminal, highlight=False).print(drawn)
    return out.getvalue()


def test_every_state_of_a_step_can_be_drawn() -> None:
    seen = make_shown(steps=tuple(make_step(f"step-{state}", state, 1.0) for state in StepState))
    lines = draw(draw_installation(seen), terminal=True).splitlines()
    assert len([line for line in lines if "step-" in line]) == len(StepState)


def test_a_reason_and_the_run_stand_below() -> None:
    reason = ReasonShown(code="refused", message="no [/bold] luck", hint="try again")
    seen = make_shown(reason=reason, flow_run_url="http://prefect/run")
    assert describe_rest(seen) == [
        "reason   no [/bold] luck [refused]",
        "         try again",
        "run      http://prefect/run",
    ]
    assert "no [/bold] luck" in draw(draw_installation(seen))


def test_a_list_shows_what_serves() -> None:
    _, line = draw(draw_list([make_shown(phase=Phase.SUCCEEDED)])).splitlines()
    assert line.split() == ["00000000", "acme", "dev", "hello", "installed", "1.2.3", SERVING.url]


def test_only_what_changed_is_told() -> None:
    running, done = make_step("resolve", StepState.RUNNING), make_step("resolve", StepState.DONE, 2.0)
    before, now = make_shown(steps=(running,)), make_shown(steps=(done,))
    assert [line.split(" ", 1)[1] for line in describe_changes(None, before)] == ["resolve running"]
    assert [line.split(" ", 1)[1] for line in describe_changes(before, now)] == ["resolve done in 2.0 s"]
    assert describe_changes(now, now) == []


def test_each_look_at_a_stage_is_told() -> None:
    before, now = (
        make_step("watch_stage:1", StepState.RUNNING, does=KEPT).model_copy(update={"measured": said, "measured_at": at})
        for said, at in ((None, None), (DECIDED, LATER))
    )
    seen = make_shown(steps=(now,))
    assert describe_changes(make_shown(steps=(before,)), seen) == [f"{describe_time(LATER)} watch_stage:1 running: {DECIDED}"]
    assert describe_changes(seen, seen) == []


SENT, KEPT = "send a copy of every request to the revision, in one write", "keep it so until somebody says promote"
DECIDED = "success rate 1 of 240 requests, at least 0.99 wanted"


@pytest.mark.parametrize(
    ("step", "line"),
    [
        pytest.param(
            make_step("watch_stage:1", StepState.DONE, 12.1, DECIDED), f"watch_stage:1 done in 12.1 s: {DECIDED}", id="a stage"
        ),
        pytest.param(make_step("watch_stage:1", StepState.RUNNING), "watch_stage:1 running", id="one that is watched still"),
        pytest.param(
            make_step("watch_stage:1", StepState.RUNNING, does=KEPT),
            f"watch_stage:1 running: {KEPT}",
            id="until when it is watched",
        ),
        pytest.param(
            make_step("watch_stage:1", StepState.DONE, 1.0, DECIDED, KEPT),
            f"watch_stage:1 done in 1.0 s: {DECIDED}",
            id="what decided, once it has",
        ),
        pytest.param(
            make_step("route_stage:1", StepState.DONE, 0.1, does=SENT), f"route_stage:1 done in 0.1 s: {SENT}", id="what is sent"
        ),
        pytest.param(
            make_step("roll_out", StepState.RUNNING, does="put it up"), "roll_out running", id="a step that says enough"
        ),
        pytest.param(
            make_step("resolve", StepState.DONE, 2.0, "2.0.8 is the newest"), "resolve done in 2.0 s", id="another step"
        ),
    ],
)
def test_what_decided_is_told_of(step: StepShown, line: str) -> None:
    seen = make_shown(steps=(step,))
    assert [told.split(" ", 1)[1] for told in describe_changes(None, seen)] == [line]
    assert (DECIDED in draw(draw_installation(seen))) == (DECIDED in line)


UNDECIDED = ReasonShown(code="undecided", message="no requests were answered; go on or back?", hint="promote the stage")


def test_what_a_stage_waits_with_is_said_once() -> None:
    seen = make_shown("update", Phase.PARKED, reason=UNDECIDED)
    assert len([line for line in describe_rest(seen) if UNDECIDED.message in line]) == 1


OF_SET = ReasonShown(code=WAITS, message="@a/b of the same set waits for somebody", hint="see what it waits for")
QUESTION = ApprovalShown(hash="sha256:ab", requester="ann", quorum=2, roles=("admin", "approver"), expires_at=AT, votes=())
VOTED = QUESTION.model_copy(update={"votes": (VoteShown(subject="bob", comment="fine", at=AT),)})


def test_who_waits_for_others_of_a_set_is_not_promoted() -> None:
    seen = make_shown("update", Phase.PARKED, reason=OF_SET)
    assert describe_waiting(seen) == [f"waits    {OF_SET.message}"]


@pytest.mark.parametrize(
    ("phase", "waits", "says"),
    [
        pytest.param(Phase.REQUESTED, {"place": 3}, ["at place 3"], id="for a slot"),
        pytest.param(
            Phase.PARKED, {"approval": QUESTION}, ["by 2 admin or approver, not ann", f"pluginctl approve {UUID(int=1)} --hash sha256:ab"],
            id="for an approval",
        ),
        pytest.param(Phase.PARKED, {"approval": VOTED}, ["bob agreed"], id="for another approval"),
        pytest.param(
            Phase.PARKED, {"reason": UNDECIDED},
            ["no requests were answered", f"pluginctl promote {UUID(int=1)} --reason", f"pluginctl cancel {UUID(int=1)} --reason"],
            id="for a word on a stage",
        ),
        pytest.param(Phase.PARKED, {"reason": OF_SET}, ["waits    @a/b of the same set waits for somebody"], id="for others of its set"),
        pytest.param(Phase.FROZEN, {}, [f"pluginctl retry {UUID(int=1)}", "pluginctl cancel"], id="for somebody who says how to go on"),
    ],
)  # fmt: skip
def test_an_operation_that_waits(phase: Phase, waits: dict[str, Any], says: list[str]) -> None:
    seen = make_shown(phase=phase, **waits)
    told = "\n".join(describe_waiting(seen))
    assert not [words for words in says if words not in told]
    assert describe_rest(seen) == describe_changes(None, seen) == describe_waiting(seen)
    assert describe_changes(seen, seen) == []


def test_an_operation_that_goes_on_waits_for_nothing() -> None:
    assert describe_waiting(make_shown()) == []


def test_what_is_disabled_does_not_serve() -> None:
    lines = draw(draw_installation(make_shown().model_copy(update={"enabled": False})))
    assert f"disabled {SERVING.release}" in lines


def test_approvals_are_listed_with_all_that_an_answer_needs() -> None:
    _, line = draw(draw_approvals([make_shown("update", Phase.PARKED, approval=QUESTION)])).splitlines()
    assert line.split()[:6] == ["00000000", "acme", "dev", "hello", "update", "ann"]
    assert line.endswith("sha256:ab")


@pytest.mark.parametrize(
    ("condition", "line"),
    [
        pytest.param(Condition(), [], id="what nobody has asked yet is not told"),
        pytest.param(
            Condition(status=Status.HEALTHY, said="/ready answered 200", checked_at=1),
            ["healthy: /ready answered 200"],
            id="well",
        ),
        pytest.param(
            Condition(status=Status.UNHEALTHY, said="/ready answered 500", checked_at=1, note="restart by operation 7"),
            ["unhealthy: /ready answered 500; restart by operation 7"],
            id="ill, and what was tried",
        ),
    ],
)
def test_health_is_a_line_below_what_serves(condition: Condition, line: list[str]) -> None:
    seen = make_shown(phase=Phase.SUCCEEDED).model_copy(update={"health": HealthShown.of(condition)})
    assert describe_head(seen)[2:] == [f"health   {one}" for one in line]
