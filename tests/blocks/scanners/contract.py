"""What holds for every scanner. To test a new one: subclass `ScannerContract`, and `ProgramContract` if it is a program."""

import asyncio
import os
from abc import ABC, abstractmethod
from pathlib import Path

import pytest

from blocks.domain.errors import ScanFailed, Transient
from blocks.domain.findings import Report
from blocks.domain.release import Image, Materials
from blocks.ports.scanners import Scanner
from tests.fakes.scanners import FakeProgram

CASES = Path(__file__).resolve().parents[2] / "cases" / "scanner_output"
IMAGE = Image("registry.test:5000/plugins/hello", f"sha256:{'1' * 64}", "inputs")


@pytest.fixture
def materials(tmp_path: Path) -> Materials:
    """A build context with one file of ours and one package."""
    folder = tmp_path / "context"
    (folder / "node_modules" / "hello").mkdir(parents=True)
    (folder / "node_modules" / "other").mkdir()
    (folder / "package.json").write_text('{"dependencies": {"hello": "1.0.0"}}')
    return Materials("sha256:key", str(folder), 1)


class ScannerContract(ABC):
    """A scanner says who it is and answers about its subject."""

    @pytest.fixture
    def image(self) -> Image:
        """The image to look at; a recorded answer is about this one."""
        return IMAGE

    @pytest.fixture
    @abstractmethod
    def scanner(self, tmp_path: Path) -> Scanner:
        """A scanner that finds nothing bad."""

    async def test_says_who_it_is(self, scanner: Scanner) -> None:
        """The same twice, with a version."""
        identity = await scanner.identify()
        assert identity.version
        assert identity == await scanner.identify()

    async def test_answer_is_about_the_subject(self, scanner: Scanner, materials: Materials, image: Image) -> None:
        """By the version and with the database that it said it has, and it says what it looked for."""
        identity = await scanner.identify()
        report = await scanner.scan(image, materials, identity)
        assert report.subject == scanner.subject(image, materials)
        assert (report.scanner, report.version, report.database) == (identity.scanner, identity.version, identity.database)
        assert report.assessed
        assert all(finding.found_by == (identity.scanner,) for finding in report.findings)


class ProgramContract(ScannerContract):
    """A scanner that is a program never passes an image because the program fell silent."""

    command: str
    asks_version: str

    @pytest.fixture
    @abstractmethod
    def program(self, tmp_path: Path) -> FakeProgram:
        """The program of `scanner`, whose answers may be changed."""

    async def scan(self, scanner: Scanner, materials: Materials) -> Report:
        """The whole way, as the step goes it."""
        return await scanner.scan(IMAGE, materials, await scanner.identify())

    @pytest.mark.parametrize("signal", ["SEGV", "ABRT"])
    async def test_crash_is_no_answer(self, scanner: Scanner, program: FakeProgram, materials: Materials, signal: str) -> None:
        """Its last words are in the error."""
        program.die(self.command, signal)
        with pytest.raises(ScanFailed, match=f"SIG{signal}: my last words"):
            await self.scan(scanner, materials)

    @pytest.mark.parametrize("signal", ["KILL", "TERM"])
    async def test_end_from_outside_may_pass(
        self, scanner: Scanner, program: FakeProgram, materials: Materials, signal: str
    ) -> None:
        """As when the machine ran out of memory."""
        program.die(self.command, signal)
        with pytest.raises(Transient, match=f"SIG{signal}"):
            await self.scan(scanner, materials)

    async def test_silence_is_no_answer(self, scanner: Scanner, program: FakeProgram, materials: Materials) -> None:
        """Even with exit code 0."""
        program.answer(self.command)
        with pytest.raises(ScanFailed):
            await self.scan(scanner, materials)

    @pytest.mark.parametrize("part", [0.3, 0.6, 0.9], ids=["early", "in the middle", "late"])
    async def test_cut_off_answer_is_no_answer(
        self, scanner: Scanner, program: FakeProgram, materials: Materials, part: float
    ) -> None:
        """Wherever it is cut off."""
        out, err, code = self.whole(materials)
        program.answer(self.command, out[: int(len(out) * part)], err[: int(len(err) * part)], code)
        with pytest.raises(ScanFailed):
            await self.scan(scanner, materials)

    @abstractmethod
    def whole(self, materials: Materials) -> tuple[str, str, int]:
        """A whole answer with findings: both streams and the exit code."""

    async def test_odd_exit_code_is_no_answer(self, scanner: Scanner, program: FakeProgram, materials: Materials) -> None:
        """Even with a whole answer; what the program said is in the error."""
        out, err, _ = self.whole(materials)
        program.answer(self.command, out, f"{err}it went wrong", 9)
        with pytest.raises(ScanFailed, match="exit code 9"):
            await self.scan(scanner, materials)

    @pytest.mark.parametrize("said", ["", "dev", "{}", '{"Version": "dev"}'], ids=["none", "dev", "empty object", "dev in JSON"])
    async def test_unknown_version_is_no_scanner(self, scanner: Scanner, program: FakeProgram, said: str) -> None:
        """What it would say means nothing."""
        program.answer(self.asks_version, said)
        with pytest.raises(ScanFailed, match="version"):
            await scanner.identify()

    async def test_missing_program_is_said(self, scanner: Scanner, program: FakeProgram) -> None:
        """With what mends it."""
        program.path.unlink()
        with pytest.raises(ScanFailed, match=r"cannot be started: No such file or directory.*make doctor"):
            await scanner.identify()

    async def test_program_that_hangs_is_ended(self, hurried: Scanner, program: FakeProgram) -> None:
        """With everything it started; another try may help."""
        program.hang(self.asks_version)
        # On a busy machine half a second may be over before it has started anything.
        while not program.has_child:
            with pytest.raises(Transient, match=r"gave no answer in 0\.5 seconds"):
                await hurried.identify()
        assert await has_ended(program.child)

    @pytest.fixture
    @abstractmethod
    def hurried(self, program: FakeProgram) -> Scanner:
        """The same scanner, with half a second for each call."""


async def has_ended(process: int) -> bool:
    """Whether the process ends: a signal that was sent has an effect only when the machine finds the time."""
    for _ in range(1000):
        if not _is_running(process):
            return True
        await asyncio.sleep(0.03)
    return False


def _is_running(process: int) -> bool:
    """Whether the process lives; one that ended and waits to be collected does not."""
    try:
        os.kill(process, 0)
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
