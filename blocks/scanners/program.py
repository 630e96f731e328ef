"""The one place that runs a scanner's program and says what it means when there is no answer."""

import asyncio
import hashlib
import json
import os
import signal
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import BinaryIO

from blocks.domain.errors import ScanFailed, Transient

LAST_LINES = 4
LONGEST_LINE = 400
# Who sends these stands outside of the scanner: the machine runs out of memory, or somebody stops it. Another try can help.
FROM_OUTSIDE = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass(frozen=True)
class Answer:
    """What a program left behind: its exit code and its two streams as text."""

    code: int
    out: str
    err: str

    @property
    def last_words(self) -> str:
        """The last lines that it wrote for people; never its answer, in which a secret could stand."""
        lines = [line.strip()[:LONGEST_LINE] for line in self.err.splitlines() if line.strip()]
        return " | ".join(lines[-LAST_LINES:]) or "it said nothing"


@dataclass(frozen=True)
class Program:
    """A scanner's program; `timeout` in seconds. It sees no environment but what is given here, so that no stray setting weakens it.

    In the folder `memory`, if there is one, stands what it said about itself.
    """

    path: str
    timeout: float
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    memory: Path | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """What people call it."""
        return Path(self.path).name

    async def run(self, *arguments: str) -> Answer:
        """The program's answer, whatever its exit code; it runs in an empty folder, which is its home as well.

        Raises `ScanFailed` when it cannot be started or crashes, `Transient` when it does not end in time or is ended from outside.
        """
        with TemporaryDirectory(prefix="scan-") as room:
            code = await self._finish(arguments, Path(room))
            return self._believed(Answer(code, _read(Path(room, "out")), _read(Path(room, "err"))))

    async def about_itself(self, *arguments: str) -> Answer:
        """What the program says about itself; asked once for each file that it is, because the start alone can take a second."""
        kept = await asyncio.to_thread(self._place, arguments)
        known = await asyncio.to_thread(_recall, kept) if kept else None
        if known:
            return known
        answer = await self.run(*arguments)
        if kept and not answer.code:
            await asyncio.to_thread(_remember, kept, answer)
        return answer

    def _place(self, arguments: Sequence[str]) -> Path | None:
        """Where the answer of exactly this file is kept; another file under the same name has another place."""
        if self.memory is None:
            return None
        try:
            seen = Path(self.path).stat()
        except OSError:
            return None  # to start it says why
        about = json.dumps([self.path, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, *arguments])
        return self.memory / f"{self.name}-{hashlib.sha256(about.encode()).hexdigest()[:16]}.json"

    async def _finish(self, arguments: Sequence[str], room: Path) -> int:
        starting = asyncio.ensure_future(self._start(arguments, room))
        try:
            # Given up in the middle of a start, the program may already have begun: it is awaited, and then ended.
            process = await asyncio.shield(starting)
            async with asyncio.timeout(self.timeout):
                return await process.wait()
        except TimeoutError as late:
            raise Transient(f"{self.name} gave no answer in {self.timeout:g} seconds", "set SCAN_TIMEOUT higher") from late
        finally:
            await _end(starting)

    async def _start(self, arguments: Sequence[str], room: Path) -> Process:
        with _open_streams(room) as (out, err):
            home = str(room / "home")
            environment = {"PATH": os.defpath, "HOME": home, "TMPDIR": home, **self.environment}
            try:
                return await asyncio.create_subprocess_exec(
                    self.path,
                    *arguments,
                    stdin=DEVNULL,
                    stdout=out,
                    stderr=err,
                    cwd=home,
                    env=environment,
                    start_new_session=True,
                )
            except OSError as problem:
                raise ScanFailed(
                    f"{self.name} cannot be started: {problem.strerror}", "`make doctor` says what is missing"
                ) from problem

    def _believed(self, answer: Answer) -> Answer:
        if answer.code >= 0:
            return answer
        ended = signal.Signals(-answer.code)
        said = f"{self.name} was ended by {ended.name}: {answer.last_words}"
        if ended in FROM_OUTSIDE:
            raise Transient(said, "is there enough memory?")
        raise ScanFailed(said, "it crashed: report its last words to its makers")


async def _end(starting: asyncio.Future[Process]) -> None:
    """Leave nothing running, neither the program nor what it started."""
    with suppress(ScanFailed, ProcessLookupError):
        process = await starting
        try:
            os.killpg(process.pid, signal.SIGKILL)
        finally:
            await process.wait()


@contextmanager
def _open_streams(room: Path) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Files for what the program says; not pipes, because whatever it leaves running could hold a pipe open for ever."""
    (room / "home").mkdir()
    with (room / "out").open("wb") as out, (room / "err").open("wb") as err:
        yield out, err


def _recall(place: Path) -> Answer | None:
    try:
        return Answer(**json.loads(place.read_text()))
    except (OSError, ValueError, TypeError):
        return None  # not there, or not whole: it is asked again


def _remember(place: Path, answer: Answer) -> None:
    # A place where nothing can be kept costs a second each time, and no more.
    with suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile("w", dir=place.parent, delete=False) as new:
            new.write(json.dumps(asdict(answer)))
        Path(new.name).replace(place)


def _read(file: Path) -> str:
    return file.read_text(errors="replace")
