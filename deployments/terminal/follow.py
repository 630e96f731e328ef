"""Waiting for an operation: it is looked at again and again until it has ended, and nothing that is done here can stop it."""

from collections.abc import Iterator
from dataclasses import dataclass
from time import monotonic, sleep
from uuid import UUID

from blocks.domain.journal import Phase
from deployments.api.shapes import InstallationShown
from deployments.terminal.exits import ExitCode, Stop
from deployments.terminal.server import Server

EVERY = 0.5
# Seconds for which a server that does not answer is asked again: long enough for a restart.
PATIENCE = 30.0


@dataclass(frozen=True)
class Wait:
    """What is waited for, for how many seconds at most, and which end is the one that was wanted."""

    installation: UUID
    operation: UUID
    timeout: float
    wanted: Phase = Phase.SUCCEEDED


def follow(server: Server, wait: Wait) -> Iterator[InstallationShown]:
    """The installation as it changes, last as it stood when the operation had ended; raises `Stop` when that is not seen in time."""
    began = answered = monotonic()
    while True:
        try:
            seen = look(server, wait)
            answered = monotonic()
            yield seen
            if seen.phase.is_final:
                return
        except Stop as stop:
            if stop.code is not ExitCode.UNREACHABLE or monotonic() - answered > PATIENCE:
                raise
        if monotonic() - began > wait.timeout:
            raise timed_out(wait)
        sleep(EVERY)


def look(server: Server, wait: Wait) -> InstallationShown:
    """The installation with the operation that is waited for, even if a later one has begun since."""
    seen = server.installation(wait.installation, traffic=True)
    if seen.operation.id == wait.operation:
        return seen
    operation = server.operation(wait.installation, wait.operation)
    return seen.model_copy(update={"operation": operation, "phase": operation.phase})


def judge_end(phase: Phase, wanted: Phase) -> ExitCode:
    """What the exit code says about an operation that has ended in this phase."""
    return ExitCode.OK if phase is wanted else ExitCode.FAILED


def timed_out(wait: Wait) -> Stop:
    """The end of a wait that was long enough."""
    said = f"the operation did not end within {wait.timeout:g} seconds; it goes on"
    return Stop(ExitCode.TIMED_OUT, said, f"pluginctl status {wait.installation} --follow shows it")


def interrupted(wait: Wait) -> Stop:
    """The end of a wait that somebody had enough of."""
    said = "the operation goes on without you"
    return Stop(ExitCode.INTERRUPTED, said, f"pluginctl status {wait.installation} --follow shows it")
