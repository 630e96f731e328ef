"""How waivers look in a terminal."""

from collections.abc import Iterable
from datetime import datetime

from rich.table import Table

from deployments.api.waived import WaiverShown
from deployments.terminal.past import add_row, make_table
from deployments.terminal.waiting import describe_day

SHORT = 8


def draw_waivers(found: Iterable[WaiverShown], now: datetime) -> Table:
    """One line for each waiver."""
    table = make_table("ID", "TENANT", "ENV", "PLUGIN", "FINDING", "OWNER", "UNTIL", "STATE")
    for one in found:
        what = (str(one.id)[:SHORT], one.tenant, one.environment, one.plugin, one.finding, one.owner)
        add_row(table, (*what, describe_day(one.expires_at), describe_state(one, now)))
    return table


def describe_waiver(one: WaiverShown) -> list[str]:
    """What is waived, who answers for it, and whether somebody took it back."""
    lines = [
        f"{one.id}  {one.tenant}/{one.environment}/{one.plugin}  {one.finding}",
        f"owner    {one.owner}, until {describe_day(one.expires_at)}",
        f"waived   by {one.actor} on {describe_day(one.created_at)}: {one.reason}",
    ]
    if one.revoked_at:
        lines.append(f"revoked  by {one.revoked_by} on {describe_day(one.revoked_at)}: {one.revoked_why}")
    return lines


def describe_state(one: WaiverShown, now: datetime) -> str:
    """Whether it counts."""
    return "revoked" if one.revoked_at else "expired" if one.expires_at <= now else "stands"
