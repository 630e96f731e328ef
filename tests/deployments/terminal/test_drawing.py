"""How installations look."""

import io
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from rich.console import Console

from blocks.domain.journal import Phase
from blocks.domain.status import StepState
from deployments.api.shapes import InstallationShown, OperationShown, ReasonShown, RevisionShown, StepShown
from deployments.terminal.drawing import describe_changes, describe_rest, describe_state, draw_installation, draw_list

AT = datetime(2026, 1, 1, tzinfo=UTC)
SERVING = RevisionShown(number=1, release="hello@1.2.3", integrity="", image="", url="http://hello.acme-dev.localhost:8888")


def make_step(name: str, state: StepState, seconds: float | None = None) -> StepShown:
    """One step."""
    return StepShown(name=name, state=state, started_at=AT, ended_at=AT if seconds else None, seconds=seconds, result=None)


def make_shown(verb: str = "install", phase: Phase = Phase.APPLYING, **changes: Any) -> InstallationShown:
    """One installation."""
    about: dict[str, Any] = {"attempt": 1, "flow_run_url": None, "reason": None, "created_at": AT, "updated_at": AT, "steps": ()}
    operation = OperationShown(id=UUID(int=2), verb=verb, phase=phase, actor="ann", **about | changes)
    where = {"tenant": "acme", "environment": "dev", "plugin": "hello", "slug": "hello", "namespace": "acme-dev"}
    return InstallationShown(
        id=UUID(int=1), phase=phase, created_at=AT, updated_at=AT, revision=SERVING, operation=operation, links={}, **where
    )


@pytest.mark.parametrize(
    ("verb", "phase", "state"),
    [
        pytest.param("install", Phase.REQUESTED, "install requested", id="asked for"),
        pytest.param("install", Phase.APPLYING, "install applying", id="on its way"),
        pytest.param("install", Phase.SUCCEEDED, "installed", id="there"),
        pytest.param("install", Phase.UNDOING, "install failing", id="being taken back"),
        pytest.param("install", Phase.WITHDRAWN, "install failed", id="taken back"),
        pytest.param("uninstall-with-data", Phase.SUCCEEDED, "uninstalled", id="gone with its data"),
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
    before, now = make_shown(steps=(running,)).operation, make_shown(steps=(done,)).operation
    assert [line.split(" ", 1)[1] for line in describe_changes(None, before)] == ["resolve running"]
    assert [line.split(" ", 1)[1] for line in describe_changes(before, now)] == ["resolve done in 2.0 s"]
    assert describe_changes(now, now) == []
