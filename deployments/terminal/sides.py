"""How it looks in a terminal who answers people: a bar for each revision's share of the requests, and its pods."""

from rich.bar import Bar
from rich.table import Table
from rich.text import Text

from deployments.api.shapes import InstallationShown, SideShown

# Characters of a bar for all requests.
WIDTH = 24


def draw_sides(seen: InstallationShown) -> Table:
    """A line for each revision that answers or has pods; none while nobody asked, or knows."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for one in seen.traffic or ():
        bar = Text("") if one.weight is None else Bar(100, 0, one.weight, width=WIDTH, color="green")
        table.add_row(Text(_name(seen, one)), Text(_share(one), justify="right"), bar, Text(_pods(one)))
    return table


def describe_sides(seen: InstallationShown) -> str:
    """The same as one plain line, or nothing."""
    told = (f"{_name(seen, one)} {_share(one)} with {_pods(one)}" for one in seen.traffic or ())
    return ", ".join(told)


def describe_moved(before: InstallationShown | None, now: InstallationShown) -> list[str]:
    """Who answers people now, if that is known and was not so at the last look."""
    told = describe_sides(now)
    return [f"traffic  {told}"] if told and (before is None or told != describe_sides(before)) else []


def _name(seen: InstallationShown, one: SideShown) -> str:
    return f"{seen.slug}-r{one.revision}"


def _share(one: SideShown) -> str:
    return "as its pods are" if one.weight is None else f"{one.weight} %"


def _pods(one: SideShown) -> str:
    return f"{one.ready} of {one.replicas} pods ready"
