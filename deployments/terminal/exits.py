"""How a command ends: an exit code for programs, a sentence for people."""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from types import MappingProxyType


class ExitCode(IntEnum):
    """What the exit code of `pluginctl` says."""

    OK = 0
    FAILED = 1
    WRONG_USE = 2
    NOT_FOUND = 3
    NOT_ALLOWED = 4
    UNREACHABLE = 5
    TIMED_OUT = 6
    CONFLICT = 7
    INTERRUPTED = 130


class PlanCode(IntEnum):
    """What the exit code of `pluginctl plan` says when there is a plan, as others of its kind say it."""

    NOTHING = 0
    CHANGES = 2


MEANING: Mapping[ExitCode, str] = MappingProxyType(
    {
        ExitCode.OK: "done; with --wait or --follow: the operation came to the end that was wanted",
        ExitCode.FAILED: "the operation failed; nothing of it is left, or it is frozen and says why",
        ExitCode.WRONG_USE: "wrong use: an argument, a file, or a field of the request; from plan: there are changes",
        ExitCode.NOT_FOUND: "there is no such installation, or it is not yours to see",
        ExitCode.NOT_ALLOWED: "no valid token, or a token that does not allow this",
        ExitCode.UNREACHABLE: "the server is not reached, or cannot answer now",
        ExitCode.TIMED_OUT: "the operation did not end in time; it goes on",
        ExitCode.CONFLICT: "it does not fit how the installation stands: busy, not installed, needed by others, another plan",
        ExitCode.INTERRUPTED: "interrupted; an operation that was begun goes on",
    }
)


class Stop(Exception):
    """The command ends here: exit code, sentence, hint, and more lines by choice."""

    def __init__(self, code: ExitCode, message: str, hint: str = "", lines: Sequence[str] = ()) -> None:
        super().__init__(code, message, hint, tuple(lines))
        self.code, self.message, self.hint, self.lines = code, message, hint, tuple(lines)

    def __str__(self) -> str:
        hint = [f"  {self.hint}"] if self.hint else []
        return "\n".join([self.message, *(f"  {line}" for line in self.lines), *hint])


def explain_codes() -> str:
    """The table of exit codes, for `--help`."""
    return "Exit codes:\n\n" + "\n\n".join(f"{code.value}: {MEANING[code]}" for code in ExitCode)
