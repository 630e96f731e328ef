"""How watches look in a terminal."""

from collections.abc import Iterable

from rich.table import Table

from deployments.api.watched import WatchShown
from deployments.terminal.past import add_row, make_table
from deployments.terminal.waiting import describe_day

SHORT = 8


def draw_watches(found: Iterable[WatchShown]) -> Table:
    """One line for each watch."""
    table = make_table("ID", "TENANT", "ENV", "PLUGIN", "ACTION", "VERSION", "FOUND", "LOOKED", "STATE")
    for one in found:
        looked = describe_day(one.looked_at) if one.looked_at else "-"
        what = (str(one.id)[:SHORT], one.tenant, one.environment, one.plugin, one.action.value, describe_range(one))
        add_row(table, (*what, one.found or "-", looked, describe_state(one)))
    return table


def draw_discovered(watch: WatchShown) -> Table:
    """One line for each release that the watch found, the last first."""
    table = make_table("RELEASE", "FIRST SEEN", "DONE", "OPERATION", "WHY")
    for one in watch.discovered:
        operation = str(one.operation)[:SHORT] if one.operation else "-"
        add_row(table, (one.release, describe_day(one.first_seen), one.done.value, operation, one.why))
    return table


def describe_watch(one: WatchShown) -> list[str]:
    """Which watch it is, what it does, who set it and why, and what the last look came to."""
    lines = [f"{one.id}  {one.tenant}/{one.environment}/{one.plugin}  {one.action.value} {describe_range(one)}"]
    lines.append(f"set      by {one.actor} on {describe_day(one.updated_at)}: {one.reason}")
    if not one.enabled:
        lines.append("off      nobody looks; pluginctl watch change --enabled lets it go on")
    if one.looked_at:
        lines.append(f"looked   {describe_day(one.looked_at)}, the newest that counts is {one.found or 'none'}")
    if one.problem:
        lines.append(f"problem  {one.problem.message} [{one.problem.code}]")
        lines += [f"         {one.problem.hint}"] if one.problem.hint else []
    return lines


def describe_range(one: WatchShown) -> str:
    """Which releases count."""
    return f"{one.version} with prereleases" if one.prereleases else one.version


def describe_state(one: WatchShown) -> str:
    """Whether somebody looks, and whether they could."""
    if not one.enabled:
        return "off"
    return "problem" if one.problem else "ok" if one.looked_at else "new"
