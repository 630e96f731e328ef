"""What an operation waits for, and which command would let it go on."""

from datetime import datetime

from blocks.domain.journal import Phase
from blocks.domain.together import WAITS
from deployments.api.shapes import InstallationShown
from deployments.api.shown import ApprovalShown


def describe_waiting(seen: InstallationShown) -> list[str]:
    """The lines that say what is waited for; none if nothing is."""
    operation = seen.operation
    if operation.approval:
        return _describe_question(seen, operation.approval)
    if operation.phase is Phase.PARKED and operation.reason and operation.reason.code == WAITS:
        return [f"waits    {operation.reason.message}"]
    if operation.phase is Phase.PARKED and operation.reason:
        return [
            f"waits    {operation.reason.message}",
            f"         pluginctl promote {seen.id} --reason WHY lets it go on, pluginctl cancel {seen.id} --reason WHY takes it back",
        ]
    if operation.phase is Phase.FROZEN:
        return [
            f"frozen   nothing happens until somebody says so: pluginctl retry {seen.id} --reason WHY",
            f"         or pluginctl unfreeze, or take it back with pluginctl cancel {seen.id} --reason WHY",
        ]
    if operation.place:
        return [f"queue    at place {operation.place}; so many operations go on at once, the others wait their turn"]
    return [f"waits    {operation.trouble}"] if operation.trouble else []


def _describe_question(seen: InstallationShown, asked: ApprovalShown) -> list[str]:
    who = " or ".join(asked.roles)
    said = "".join(f", {vote.subject} agreed" for vote in asked.votes)
    return [
        f"waits    for approval by {asked.quorum} {who}, not {asked.requester}, until {describe_day(asked.expires_at)}{said}",
        f"         pluginctl approve {seen.id} --hash {asked.hash} --comment WHY",
    ]


def describe_day(at: datetime) -> str:
    """The day and time where the reader is."""
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}"
