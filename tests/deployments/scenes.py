"""What follows on a stage once a run is started, and an installation that serves there."""

import codecs
import contextlib
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from blocks.domain.journal import Kind, Reason
from deployments.cli import run
from deployments.terminal.exits import ExitCode
from tests.deployments.conftest import PlayedRecord, Stage

Scenes = list[Callable[[], None]]
ROOT = Path(__file__).resolve().parents[2]


def succeeds(record: PlayedRecord, operation: UUID) -> Scenes:
    """An installation that goes well, in three looks."""

    def go_on() -> None:
        record.tell(operation, "resolve", Kind.DONE)
        record.tell(operation, "build", Kind.INTENDED)

    def end() -> None:
        record.tell(operation, "build", Kind.DONE)
        record.succeed(operation)

    return [lambda: record.tell(operation, "resolve", Kind.INTENDED), go_on, end]


def fails(record: PlayedRecord, operation: UUID) -> Scenes:
    """An installation that finds no release."""
    reason = Reason("unresolvable", "there is no release 99", "ask for 2.0.8")
    return [lambda: record.tell(operation, "resolve", Kind.INTENDED), lambda: record.withdraw(operation, reason)]


def put(stage: Stage, capsys: pytest.CaptureFixture[str], request_file: str) -> dict[str, Any]:
    """An installation that serves."""
    stage.plan = lambda record, operation: [lambda: record.succeed(operation)]
    assert run(["install", "-f", request_file, "--wait", "--json"]) == ExitCode.OK
    installed: dict[str, Any] = json.loads(capsys.readouterr().out)
    return installed


def type_in_terminal(arguments: Sequence[str], typed: str = "") -> tuple[int, str]:
    """The exit code of a command in a terminal of its own where this is typed, and all that was to be seen there."""
    ours, theirs = pty.openpty()
    os.write(ours, typed.encode())
    command, looks = [sys.executable, "-m", "deployments.cli", *arguments], {"TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT, env=os.environ | looks) as process:
        os.close(theirs)
        told = "".join(read_terminal(ours))
    return process.returncode, told


def read_terminal(ours: int) -> Iterator[str]:
    """What is written until the other side is closed, which a terminal says with an error."""
    with os.fdopen(ours, "rb", buffering=0) as terminal, contextlib.suppress(OSError):
        decode = codecs.getincrementaldecoder("utf-8")().decode
        while piece := terminal.read(4096):
            yield decode(piece)
