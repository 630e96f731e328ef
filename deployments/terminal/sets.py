"""How a set of plugins looks in a terminal."""

from collections.abc import Iterator
from time import monotonic, sleep

from deployments.api.set_shown import SetMemberShown, SetShown
from deployments.terminal.exits import ExitCode, Stop
from deployments.terminal.follow import EVERY
from deployments.terminal.server import Server


def describe_set(seen: SetShown) -> list[str]:
    """Where the set stands, which plugin is bad if one is, and how far each is."""
    lines = [f"{seen.id}  {seen.tenant}/{seen.environment}/{seen.name}  {seen.phase}"]
    if seen.bad:
        lines.append(f"bad      {seen.bad}{f': {seen.reason.message}' if seen.reason else ''}")
    lines += [line for number, one in enumerate(seen.members, 1) for line in _describe_member(number, one)]
    if seen.hash and any(one.approval for one in seen.members):
        lines.append(f"waits    for approval: pluginctl set approve {seen.id} --hash {seen.hash} --comment WHY")
    return lines


def await_set(server: Server, seen: SetShown, timeout: float) -> SetShown:
    """The set once it has ended, looked at for so many seconds at most; else `Stop`."""
    began = monotonic()
    while not seen.phase.is_final:
        if monotonic() - began > timeout:
            said = f"the set did not end within {timeout:g} seconds; it goes on"
            raise Stop(ExitCode.TIMED_OUT, said, f"pluginctl set status {seen.id} shows it")
        sleep(EVERY)
        seen = server.plugin_set(seen.id)
    return seen


def _describe_member(number: int, one: SetMemberShown) -> Iterator[str]:
    stage = f", stage {one.stage.number} of {one.stage.of} with {one.stage.weight} %" if one.stage.number else ""
    yield f"{number:>7}. {one.plugin}  {one.verb} {one.phase}{stage}"
    if one.reason:
        yield f"         {one.reason.code}: {one.reason.message}"
