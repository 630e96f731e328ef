"""Scanners for tests: a program that answers what it is told, and a scanner that needs none. Both run the scanners' contract tests."""

import shlex
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from blocks.domain.errors import PipelineError
from blocks.domain.findings import Database, Finding, Identity, Kind, Report
from blocks.domain.release import Image, Materials

SCRIPT = """#!/bin/sh
echo "$*" >> {folder}/calls
env >> {folder}/seen
. {folder}/$1
"""


class FakeProgram:
    """A program in a folder that answers by its first argument, and remembers how it was called and with what environment."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.path = folder / f"{name}-program", folder / f"{name}-program" / name
        self.folder.mkdir()
        self.path.write_text(SCRIPT.format(folder=shlex.quote(str(self.folder))))
        self.path.chmod(0o755)

    def answer(self, first: str, out: str = "", err: str = "", code: int = 0) -> None:
        """Answer so from now on when `first` is the first argument."""
        self._write(first, f"cat {self._keep(first, 'out', out)}\ncat {self._keep(first, 'err', err)} >&2\nexit {code}\n")

    def hang(self, first: str) -> None:
        """Say nothing, and start something that says nothing either."""
        self._write(first, f"sleep 600 &\necho $! > {self.folder}/child\nwait\n")

    def die(self, first: str, signal: str) -> None:
        """Say a last word and end by this signal."""
        self._write(first, f"echo 'my last words' >&2\nkill -s {signal} $$\nsleep 600\n")

    @property
    def has_child(self) -> bool:
        """Whether a hanging program has started something."""
        file = self.folder / "child"
        return file.exists() and bool(file.read_text().strip())

    @property
    def child(self) -> int:
        """The process that a hanging program started."""
        return int((self.folder / "child").read_text())

    @property
    def calls(self) -> list[list[str]]:
        """The arguments of every call so far."""
        calls = self.folder / "calls"
        return [line.split() for line in calls.read_text().splitlines()] if calls.exists() else []

    @property
    def seen(self) -> dict[str, str]:
        """The environment of every call so far."""
        return dict(line.split("=", 1) for line in (self.folder / "seen").read_text().splitlines() if "=" in line)

    def _keep(self, first: str, stream: str, text: str) -> str:
        file = self.folder / f"{first}.{stream}"
        file.write_text(text)
        return shlex.quote(str(file))

    def _write(self, first: str, body: str) -> None:
        (self.folder / first).write_text(body)


@dataclass
class FakeScanner:
    """A scanner that says what it is told; `fails` is raised instead of an answer.

    `missing` is raised when it is asked who it is, as by a scanner without its database; `scans` counts how often it was asked to look.
    """

    name: str
    kinds: tuple[Kind, ...] = (Kind.VULNERABILITY,)
    findings: tuple[Finding, ...] = ()
    version: str = "1.0.0"
    database: Database | None = None
    fails: Exception | None = None
    missing: PipelineError | None = None
    lasting: bool = True
    scans: int = 0
    on_scan: Callable[[], Awaitable[object]] | None = None

    def subject(self, image: Image, materials: Materials) -> str:
        """The image's digest."""
        return image.digest

    async def identify(self) -> Identity:
        """What it was told to be."""
        if self.missing:
            raise self.missing
        return Identity(self.name, self.version, self.database, self.lasting)

    async def scan(self, image: Image, materials: Materials, identity: Identity) -> Report:
        """What it was told to find."""
        self.scans += 1
        if self.on_scan:
            await self.on_scan()
        if self.fails:
            raise self.fails
        return Report(self.name, identity.version, image.digest, self.kinds, self.findings, identity.database)
