"""How installations look in a terminal: live tables for people who watch, plain lines for logs; nothing here asks the server."""

from collections.abc import Iterable
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from blocks.domain.journal import Phase
from blocks.domain.status import StepState
from deployments.api.shapes import InstallationShown, OperationShown, StepShown

MARKS = {
    StepState.RUNNING: ("…", "cyan"),
    StepState.DONE: ("✓", "green"),
    StepState.FAILED: ("✗", "red"),
    StepState.UNDOING: ("↶", "yellow"),
    StepState.UNDONE: ("↶", "yellow"),
}
SHORT = 8


def draw_list(found: Iterable[InstallationShown]) -> Table:
    """One line for each installation."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("ID", "TENANT", "ENV", "PLUGIN", "STATE", "RELEASE", "URL"):
        # What is copied from a list must not be broken or cut.
        table.add_column(title, no_wrap=True, overflow="ignore")
    for one in found:
        release = one.revision.release.rpartition("@")[2] if one.revision else "-"
        url = one.revision.url if one.revision else "-"
        cells = (str(one.id)[:SHORT], one.tenant, one.environment, one.plugin, describe_state(one), release, url)
        table.add_row(*map(Text, cells))
    return table


def draw_installation(seen: InstallationShown) -> RenderableType:
    """Everything about one installation, its steps as a table."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for step in seen.operation.steps:
        mark, colour = MARKS[step.state]
        took = f"{step.seconds:.1f} s" if step.seconds is not None else ""
        table.add_row(Text(mark, colour), Text(step.name), Text(step.state), Text(took, justify="right"))
    return Group(*map(Text, describe_head(seen)), table, *map(Text, describe_rest(seen)))


def describe_head(seen: InstallationShown) -> list[str]:
    """Which installation it is and how it stands."""
    lines = [f"{seen.id}  {seen.tenant}/{seen.environment}/{seen.plugin}  {describe_state(seen)}"]
    if seen.revision:
        lines.append(f"serves   {seen.revision.release} at {seen.revision.url}")
    return lines


def describe_rest(seen: InstallationShown) -> list[str]:
    """Why it stands so, and where more is to be seen."""
    operation, lines = seen.operation, []
    if operation.reason:
        lines.append(f"reason   {operation.reason.message} [{operation.reason.code}]")
        lines += [f"         {operation.reason.hint}"] if operation.reason.hint else []
    if operation.flow_run_url:
        lines.append(f"run      {operation.flow_run_url}")
    return lines


def describe_state(seen: InstallationShown) -> str:
    """The state in words: the verb and how far it is, or what is there now."""
    verb = seen.operation.verb.partition("-with-")[0]
    match seen.phase:
        case Phase.SUCCEEDED:
            return f"{verb}ed"
        case Phase.WITHDRAWN:
            return f"{verb} failed"
        case Phase.FROZEN:
            return f"{verb} frozen"
        case Phase.UNDOING:
            return f"{verb} failing"
    return f"{verb} {seen.phase}"


def describe_changes(before: OperationShown | None, now: OperationShown) -> list[str]:
    """What happened to the steps since the last look, a line each."""
    known = {step.name: step.state for step in before.steps} if before else {}
    return [describe_step(step) for step in now.steps if known.get(step.name) != step.state]


def describe_step(step: StepShown) -> str:
    """One step as a plain line."""
    took = f" in {step.seconds:.1f} s" if step.state is StepState.DONE and step.seconds is not None else ""
    return f"{describe_time(step.ended_at or step.started_at)} {step.name} {step.state}{took}"


def describe_time(at: datetime) -> str:
    """The time of day where the reader is."""
    return f"{at.astimezone():%H:%M:%S}"
