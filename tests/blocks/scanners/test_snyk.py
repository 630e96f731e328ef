"""Snyk's documented answers read as findings; the real service has never been asked here."""

import json
from pathlib import Path

import pytest

from blocks.domain.errors import ScanFailed, Transient
from blocks.domain.findings import Finding, Kind, Severity
from blocks.domain.release import Materials
from blocks.ports.scanners import Scanner
from blocks.scanners.program import Program
from blocks.scanners.snyk import Snyk
from tests.blocks.scanners.contract import CASES, IMAGE, ProgramContract
from tests.fakes.scanners import FakeProgram

BY = ("snyk",)


def recorded(name: str) -> str:
    """An answer in the shape of Snyk's documentation."""
    return (CASES / "snyk" / f"{name}.json").read_text()


@pytest.fixture
def program(tmp_path: Path) -> FakeProgram:
    """A Snyk that finds nothing."""
    fake = FakeProgram(tmp_path, "snyk")
    fake.answer("--version", "1.1303.1 (standalone)\n")
    fake.answer("container", recorded("clean"))
    return fake


@pytest.fixture
def scanner(program: FakeProgram) -> Snyk:
    """Snyk with a token."""
    return Snyk.with_token(Program(str(program.path), 30), "the-token-itself")


class TestSnyk(ProgramContract):
    """As every program."""

    command, asks_version = "container", "--version"

    @pytest.fixture
    def program(self, program: FakeProgram) -> FakeProgram:
        """The one above."""
        return program

    @pytest.fixture
    def scanner(self, scanner: Snyk) -> Scanner:
        """The one above."""
        return scanner

    @pytest.fixture
    def hurried(self, program: FakeProgram) -> Scanner:
        """With half a second."""
        return Snyk.with_token(Program(str(program.path), 0.5), "the-token-itself")

    def whole(self, materials: Materials) -> tuple[str, str, int]:
        """In the documented shape."""
        return recorded("found"), "", 1


async def test_reads_issues_of_the_system_and_of_applications(scanner: Snyk, program: FakeProgram, materials: Materials) -> None:
    """Once each, under the name that other scanners use."""
    program.answer("container", recorded("found"), "", 1)
    report = await scanner.scan(IMAGE, materials, await scanner.identify())
    assert report.findings == (
        Finding(
            Kind.VULNERABILITY,
            "CVE-2023-45853",
            "zlib",
            Severity.CRITICAL,
            version="1:1.2.13.dfsg-1",
            title="Integer Overflow or Wraparound",
            found_by=BY,
        ),
        Finding(
            Kind.VULNERABILITY,
            "CVE-2021-44906",
            "minimist",
            Severity.CRITICAL,
            version="1.2.5",
            title="Prototype Pollution",
            fixed_in="1.2.6",
            found_by=BY,
        ),
        Finding(Kind.LICENCE, "AGPL-3.0", "copyleft", Severity.HIGH, version="1.0.0", found_by=BY),
    )
    assert report.assessed == (Kind.VULNERABILITY,)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param(
            {"identifiers": {"GHSA": ["GHSA-1"]}}, ("GHSA-1", Severity.CRITICAL, "1.2.6"), id="without a CVE by its GHSA"
        ),
        pytest.param(
            {"identifiers": {}}, ("SNYK-JS-MINIMIST-2429795", Severity.CRITICAL, "1.2.6"), id="without either by its own"
        ),
        pytest.param({"severity": "severe"}, ("CVE-2021-44906", Severity.UNKNOWN, "1.2.6"), id="a new severity is unknown"),
        pytest.param(
            {"nearestFixedInVersion": None}, ("CVE-2021-44906", Severity.CRITICAL, "0.2.4"), id="the first fix there is"
        ),
    ],
)
async def test_reads_an_issue(
    scanner: Snyk, program: FakeProgram, materials: Materials, changes: dict[str, object], expected: tuple[str, Severity, str]
) -> None:
    """With what it has."""
    project = json.loads(recorded("found"))["applications"][0]
    issue = project["vulnerabilities"][0] | changes
    program.answer("container", json.dumps(project | {"vulnerabilities": [issue]}), "", 1)
    (found,) = (await scanner.scan(IMAGE, materials, await scanner.identify())).findings
    assert (found.id, found.severity, found.fixed_in) == expected


@pytest.mark.parametrize(
    ("answer", "code", "error", "reason"),
    [
        pytest.param("refused", 2, ScanFailed, "Authentication failed.*is the token valid", id="a token that is refused"),
        pytest.param("unavailable", 2, Transient, "Status code: 503", id="a service that is away may come back"),
        pytest.param("unsupported", 3, ScanFailed, "Could not detect supported", id="nothing that it could judge"),
        pytest.param("clean", 1, ScanFailed, "contradict", id="found something and names nothing"),
        pytest.param("found", 0, ScanFailed, "contradict", id="found nothing and names something"),
        pytest.param("refused", 0, ScanFailed, "cannot be read", id="an error with exit code 0"),
    ],
)
async def test_answer_that_does_not_answer(
    scanner: Snyk, program: FakeProgram, materials: Materials, *, answer: str, code: int, error: type[Exception], reason: str
) -> None:
    """Is refused, and says whether another try can help."""
    program.answer("container", recorded(answer), "", code)
    with pytest.raises(error, match=reason):
        await scanner.scan(IMAGE, materials, await scanner.identify())


@pytest.mark.parametrize(
    "said", ["[]", '[{"ok": false, "vulnerabilities": []}, {"ok": true, "vulnerabilities": [1]}]'], ids=["none", "odd"]
)
async def test_no_projects_are_no_answer(scanner: Snyk, program: FakeProgram, materials: Materials, said: str) -> None:
    """Nor are half ones."""
    program.answer("container", said)
    with pytest.raises(ScanFailed):
        await scanner.scan(IMAGE, materials, await scanner.identify())


async def test_image_without_packages_is_not_assessed(scanner: Snyk, program: FakeProgram, materials: Materials) -> None:
    """Snyk saw nothing that it could know of."""
    program.answer("container", recorded("clean").replace('"dependencyCount": 88', '"dependencyCount": 0'))
    report = await scanner.scan(IMAGE, materials, await scanner.identify())
    assert report.assessed == ()


async def test_token_goes_by_the_environment_only(scanner: Snyk, program: FakeProgram, materials: Materials) -> None:
    """Never as an argument, and never in what we say."""
    await scanner.scan(IMAGE, materials, await scanner.identify())
    assert program.seen["SNYK_TOKEN"] == "the-token-itself"
    assert "the-token-itself" not in f"{program.calls} {scanner!r}"


async def test_live_service_is_never_remembered(scanner: Snyk) -> None:
    """It may say something else tomorrow."""
    assert not (await scanner.identify()).lasting
