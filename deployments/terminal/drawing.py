"""How installations look in a terminal: live tables for people who watch, plain lines for logs; nothing here asks the server."""

from collections.abc import Iterable
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from blocks.domain.journal import Phase
from blocks.domain.planned import ROUTE, WATCHED
from blocks.domain.status import StepState
from deployments.api.condition import HealthShown
from deployments.api.shapes import InstallationShown, PlanShown
from deployments.api.shown import StepShown
from deployments.terminal.past import add_row, make_table
from deployments.terminal.sides import describe_moved, draw_sides
from deployments.terminal.waiting import describe_day, describe_waiting

MARKS = {
    StepState.RUNNING: ("…", "cyan"),
    StepState.WAITING: ("?", "yellow"),
    StepState.STOPPED: ("■", "yellow"),
    StepState.DONE: ("✓", "green"),
    StepState.FAILED: ("✗", "red"),
    StepState.UNDOING: ("↶", "yellow"),
    StepState.UNDONE: ("↶", "yellow"),
}
SHORT = 8
# How the steps of a stage, and of an A/B test, begin.
STAGES = (f"{ROUTE.name}:", *WATCHED)
# What an installation is once the verb has come to a good end.
ENDED = {
    "install": "installed",
    "update": "updated",
    "rollback": "rolled back",
    "enable": "enabled",
    "disable": "disabled",
    "reload": "reloaded",
    "uninstall": "uninstalled",
    "plan": "planned",
}


def draw_list(found: Iterable[InstallationShown]) -> Table:
    """One line for each installation."""
    table = make_table("ID", "TENANT", "ENV", "PLUGIN", "STATE", "RELEASE", "URL")
    for one in found:
        release = one.revision.release.rpartition("@")[2] if one.revision else "-"
        url = one.revision.url if one.revision else "-"
        add_row(table, (str(one.id)[:SHORT], one.tenant, one.environment, one.plugin, describe_state(one), release, url))
    return table


def draw_approvals(found: Iterable[InstallationShown]) -> Table:
    """One line for each plan that waits for somebody's word."""
    table = make_table("ID", "TENANT", "ENV", "PLUGIN", "VERB", "ASKED BY", "UNTIL", "PLAN")
    for one in found:
        if asked := one.operation.approval:
            what = (str(one.id)[:SHORT], one.tenant, one.environment, one.plugin, one.operation.verb)
            add_row(table, (*what, asked.requester, describe_day(asked.expires_at), asked.hash))
    return table


def draw_installation(seen: InstallationShown) -> RenderableType:
    """Everything about one installation, its steps as a table."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for step in seen.operation.steps:
        mark, colour = MARKS[step.state]
        took = f"{step.seconds:.1f} s" if step.seconds is not None else ""
        cells = (Text(mark, colour), Text(step.name), Text(step.state), Text(took, justify="right"))
        table.add_row(*cells, Text(describe_why(step)))
    return Group(*map(Text, describe_head(seen)), draw_sides(seen), table, *map(Text, describe_rest(seen)))


def draw_removal(plan: PlanShown) -> RenderableType:
    """Everything that goes, as people should read it before they say yes."""
    gone = [Text(f"- {name}", "red") for name in plan.objects]
    return Group(Text(f"plan {plan.hash}", "dim"), *gone, Text(plan.summary, "bold"))


def describe_head(seen: InstallationShown) -> list[str]:
    """Which installation it is and how it stands."""
    lines = [f"{seen.id}  {seen.tenant}/{seen.environment}/{seen.plugin}  {describe_state(seen)}"]
    if seen.revision:
        serves = "serves  " if seen.enabled else "disabled"
        lines.append(f"{serves} {seen.revision.release} at {seen.revision.url}")
    if seen.health and seen.health.checked_at:
        lines.append(f"health   {describe_health(seen.health)}")
    return lines


def describe_health(health: HealthShown) -> str:
    """How it is, since when, what the last answer was, and what was tried."""
    since = f" since {describe_time(health.since)}" if health.since else ""
    tried = f"; {health.note}" if health.note else ""
    return f"{health.status}{since}: {health.message}{tried}"


def describe_rest(seen: InstallationShown) -> list[str]:
    """Why it stands so, and where more is to be seen."""
    operation, lines = seen.operation, describe_waiting(seen)
    # What waits for a person has said so already.
    if operation.reason and operation.phase is not Phase.PARKED:
        lines.append(f"reason   {operation.reason.message} [{operation.reason.code}]")
        lines += [f"         {operation.reason.hint}"] if operation.reason.hint else []
    if operation.flow_run_url:
        lines.append(f"run      {operation.flow_run_url}")
    return lines


def describe_state(seen: InstallationShown) -> str:
    """The state in words: the verb and how far it is, or what is there now."""
    verb = seen.operation.verb
    match seen.phase:
        case Phase.SUCCEEDED:
            return ENDED.get(verb, verb)
        case Phase.WITHDRAWN:
            return f"{verb} failed"
        case Phase.FROZEN:
            return f"{verb} frozen"
        case Phase.UNDOING:
            return f"{verb} failing"
        case Phase.PARKED:
            return f"{verb} waiting"
    return f"{verb} {seen.phase}"


def describe_changes(before: InstallationShown | None, now: InstallationShown) -> list[str]:
    """What happened since the last look, a line each: to the steps, to who answers people, and to what is waited for."""
    known = {step.name: (step.state, step.measured) for step in before.operation.steps} if before else {}
    steps = [describe_step(step) for step in now.operation.steps if known.get(step.name) != (step.state, step.measured)]
    waiting = describe_waiting(now)
    steps += describe_moved(before, now)
    return [*steps, *(waiting if before is None or waiting != describe_waiting(before) else [])]


def describe_step(step: StepShown) -> str:
    """One step as a plain line."""
    took = f" in {step.seconds:.1f} s" if step.state is StepState.DONE and step.seconds is not None else ""
    why = f": {describe_why(step)}" if describe_why(step) else ""
    return f"{describe_time(step.ended_at or step.measured_at or step.started_at)} {step.name} {step.state}{took}{why}"


def describe_why(step: StepShown) -> str:
    """What a stage does, what was measured last, and at its end what decided; other steps are told in the report."""
    return step.why or step.measured or step.does or "" if step.name.startswith(STAGES) else ""


def describe_time(at: datetime) -> str:
    """The time of day where the reader is."""
    return f"{at.astimezone():%H:%M:%S}"
