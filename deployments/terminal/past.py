"""How what was looks in a terminal: revisions, quarantines, timelines, and where a journal is broken."""

from collections.abc import Iterable, Sequence

from rich.table import Table
from rich.text import Text

from deployments.api.past import BrokenShown, MomentShown, PastShown, QuarantineShown
from deployments.terminal.waiting import describe_day


def draw_revisions(found: Iterable[PastShown]) -> Table:
    """One line for each revision."""
    table = make_table("REVISION", "RELEASE", "SERVED", "STATE", "IMAGE")
    for one in found:
        state = "serves" if one.serving else "quarantined" if one.quarantined else "kept"
        add_row(table, (str(one.number), one.release, describe_day(one.served_at), state, one.image))
    return table


def draw_quarantine(found: Iterable[QuarantineShown]) -> Table:
    """One line for each quarantine."""
    table = make_table("RELEASE", "SINCE", "BY", "REASON", "LIFTED")
    for one in found:
        lifted = f"{describe_day(one.lifted_at)} by {one.lifted_by}: {one.lifted_why}" if one.lifted_at else "-"
        add_row(table, (one.release, describe_day(one.at), one.actor, one.reason, lifted))
    return table


def draw_moments(found: Iterable[MomentShown]) -> Table:
    """One line for each moment."""
    table = make_table("AT", "OPERATION", "ACTOR", "STEP", "WHAT", "TOOK", "RESULT")
    for one in found:
        took = "" if one.seconds is None else f"{one.seconds:.1f} s"
        told = " ".join(part for part in (one.reason, one.result) if part)
        operation = f"{one.verb} {str(one.operation)[:8]}"
        add_row(table, (describe_day(one.at), operation, one.actor, one.step, one.kind, took, told))
    return table


def describe_break(one: BrokenShown) -> str:
    """Where one journal is broken, as a plain line."""
    return f"{one.operation}  entry {one.seq}  {one.what}"


def make_table(*titles: str) -> Table:
    """An empty table without lines; what is copied from it must not be broken or cut."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in titles:
        table.add_column(title, no_wrap=True, overflow="ignore")
    return table


def add_row(table: Table, cells: Sequence[str]) -> None:
    """The table with one more line."""
    table.add_row(*map(Text, cells))
