"""TruffleHog's answers read as findings without the secret, and a search that did not happen is never a pass."""

import secrets
import string
from pathlib import Path

import pytest

from blocks.domain.errors import ScanFailed
from blocks.domain.findings import Finding, Identity, Kind, Severity
from blocks.domain.release import Materials
from blocks.ports.scanners import Scanner
from blocks.scanners.program import Program
from blocks.scanners.trufflehog import Trufflehog
from tests.blocks.scanners.contract import CASES, IMAGE, ProgramContract, ScannerContract
from tests.conftest import World
from tests.fakes.scanners import FakeProgram

IDENTITY = Identity("trufflehog", "3.90.0")


def recorded(name: str, folder: str) -> str:
    """What TruffleHog 3.90.0 wrote about such a folder; the secrets in it are replaced by words."""
    return (CASES / "trufflehog" / name).read_text().replace("@FOLDER@", folder)


@pytest.fixture
def program(tmp_path: Path) -> FakeProgram:
    """A TruffleHog that finds nothing."""
    fake = FakeProgram(tmp_path, "trufflehog")
    fake.answer("--version", "", "trufflehog 3.90.0\n")
    fake.answer("filesystem", "", recorded("clean.err", ""))
    return fake


@pytest.fixture
def scanner(program: FakeProgram) -> Trufflehog:
    """TruffleHog with that program."""
    return Trufflehog(Program(str(program.path), 30))


class TestTrufflehog(ProgramContract):
    """As every program."""

    command, asks_version = "filesystem", "--version"

    @pytest.fixture
    def program(self, program: FakeProgram) -> FakeProgram:
        """The one above."""
        return program

    @pytest.fixture
    def scanner(self, scanner: Trufflehog) -> Scanner:
        """The one above."""
        return scanner

    @pytest.fixture
    def hurried(self, program: FakeProgram) -> Scanner:
        """With half a second."""
        return Trufflehog(Program(str(program.path), 0.5))

    def whole(self, materials: Materials) -> tuple[str, str, int]:
        """Recorded."""
        return recorded("found.out", materials.folder), recorded("found.err", materials.folder), 0


async def test_secret_is_named_by_detector_file_and_line(scanner: Trufflehog, program: FakeProgram, materials: Materials) -> None:
    """And never shown."""
    program.answer("filesystem", recorded("found.out", materials.folder), recorded("found.err", ""))
    report = await scanner.scan(IMAGE, materials, IDENTITY)
    assert report.findings == (
        Finding(Kind.SECRET, "AWS", "config/cloud.env", Severity.CRITICAL, place="2", found_by=("trufflehog",)),
        Finding(Kind.SECRET, "PrivateKey", "keys.txt", Severity.CRITICAL, place="", found_by=("trufflehog",)),
    )
    assert "the-secret-itself" not in repr(report)


@pytest.mark.parametrize(
    ("out", "err", "reason"),
    [
        pytest.param("clean.out", "unread.err", "no such file or directory", id="a place that could not be read"),
        pytest.param("clean.out", "nothing.err", "searched nothing", id="nothing was read"),
        pytest.param("clean.out", "unfinished.err", "did not finish", id="the search did not end"),
        pytest.param("clean.out", "found.err", "found 2 secrets and names 0", id="fewer secrets are named than were found"),
    ],
)
async def test_search_that_did_not_happen_is_no_pass(
    scanner: Trufflehog, program: FakeProgram, materials: Materials, *, out: str, err: str, reason: str
) -> None:
    """TruffleHog ends with exit code 0 in all of these."""
    program.answer("filesystem", recorded(out, materials.folder), recorded(err, materials.folder))
    with pytest.raises(ScanFailed, match=reason):
        await scanner.scan(IMAGE, materials, IDENTITY)


async def test_broken_answer_does_not_show_the_secret(scanner: Trufflehog, program: FakeProgram, materials: Materials) -> None:
    """Neither in the error nor in its cause."""
    program.answer("filesystem", '{"Raw": "the-secret-itself"}\n', recorded("found.err", ""))
    with pytest.raises(ScanFailed, match="cannot be read") as caught:
        await scanner.scan(IMAGE, materials, IDENTITY)
    assert caught.value.__cause__ is None
    assert "the-secret-itself" not in str(caught.value)


async def test_searches_what_is_ours(scanner: Trufflehog, program: FakeProgram, materials: Materials) -> None:
    """The context and the packages that it asks for, nothing that those bring with them; and it calls nobody."""
    report = await scanner.scan(IMAGE, materials, IDENTITY)
    call = program.calls[-1]
    folder = Path(materials.folder)
    assert call[-2:] == [str(folder / "package.json"), str(folder / "node_modules" / "hello")]
    assert {"--no-verification", "--no-update"} <= set(call)
    assert report.notes == (
        "searched the build context and the packages it asks for itself, not what those bring with them nor the base image",
    )


async def test_relative_folder_is_found(
    scanner: Trufflehog, program: FakeProgram, materials: Materials, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the program runs in a folder of its own."""
    monkeypatch.chdir(Path(materials.folder).parent)
    await scanner.scan(IMAGE, Materials("key", "context", 1), IDENTITY)
    assert program.calls[-1][-2] == f"{materials.folder}/package.json"


async def test_context_without_a_project_is_searched_whole(scanner: Trufflehog, program: FakeProgram, tmp_path: Path) -> None:
    """As a service with its own Dockerfile."""
    (tmp_path / "service" / "deep").mkdir(parents=True)
    (tmp_path / "service" / "Dockerfile").touch()
    await scanner.scan(IMAGE, Materials("key", str(tmp_path / "service"), 0), IDENTITY)
    assert program.calls[-1][-2:] == [str(tmp_path / "service" / "Dockerfile"), str(tmp_path / "service" / "deep")]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        pytest.param(None, "not on this machine", id="no folder"),
        pytest.param("[]", "package.json cannot be read", id="a project that is no object"),
        pytest.param("{", "package.json cannot be read", id="a project that is cut off"),
    ],
)
async def test_materials_that_cannot_be_searched(scanner: Trufflehog, tmp_path: Path, make: str | None, reason: str) -> None:
    """Are said, with what mends it."""
    folder = tmp_path / "service"
    if make is not None:
        folder.mkdir()
        (folder / "package.json").write_text(make)
    with pytest.raises(ScanFailed, match=reason):
        await scanner.scan(IMAGE, Materials("key", str(folder), 0), IDENTITY)


@pytest.mark.world
class TestRealTrufflehog(ScannerContract):
    """The world's own TruffleHog."""

    @pytest.fixture
    def scanner(self, world: World, tmp_path: Path) -> Scanner:
        """As the settings open it."""
        return Trufflehog(Program(f"{world.pipeline_bin}/trufflehog", 300))

    async def test_finds_a_planted_key(self, scanner: Scanner, materials: Materials) -> None:
        """In our files and in the plugin's, with its line and without itself; what packages bring with them is left out."""
        key = plant(Path(materials.folder, "config.env"))
        plant(Path(materials.folder, "node_modules", "hello", "index.js"))
        plant(Path(materials.folder, "node_modules", "other", "index.js"))
        plant(Path(materials.folder, "node_modules", "hello", "node_modules", "inner", "index.js"))
        report = await scanner.scan(IMAGE, materials, await scanner.identify())
        found = [(finding.id, finding.subject, finding.place) for finding in report.findings]
        assert sorted(found) == [("AWS", "config.env", "2"), ("AWS", "node_modules/hello/index.js", "2")]
        assert key not in repr(report)

    async def test_place_that_vanished_is_no_pass(self, scanner: Scanner, materials: Materials) -> None:
        """A link to nothing is in the context; TruffleHog ends with exit code 0."""
        Path(materials.folder, "package.json").unlink()
        with pytest.raises(ScanFailed, match="searched nothing"):
            await scanner.scan(IMAGE, materials, await scanner.identify())


def plant(file: Path) -> str:
    """Write a key pair as a cloud gives them out into the file; it is made up here, so that no file of ours holds one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    name = "".join(("AK", "IA", *(secrets.choice(string.ascii_uppercase + "234567") for _ in range(16))))
    secret = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(40))
    file.write_text(f"# made up\naws_access_key_id={name}\naws_secret_access_key={secret}\n")
    return secret
