"""All scanners are asked side by side, none twice about the same, and one that fails is silent with its reason; in real flows."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.domain.errors import LeaseLost, ScanFailed, Transient
from blocks.domain.findings import Database, Report, ScanReport, Silence
from blocks.domain.release import Image, Materials
from blocks.work import Work
from tasks.scan import scan, scan_all
from tests.blocks.domain.scans import OFFICIAL, make_finding
from tests.fakes.scanners import FakeScanner
from tests.tasks.scanned import IMAGE, MATERIALS, open_operation, tell

pytestmark = pytest.mark.usefixtures("prefect_server")
NEWER = replace(OFFICIAL, digest="sha256:newer")


async def ask(work: Work, image: Image = IMAGE, materials: Materials = MATERIALS) -> Report:
    """Trivy's answer."""
    return await tell(lambda: scan(work, "trivy", image, materials))


async def ask_all(work: Work) -> ScanReport:
    """What everybody says."""
    return await tell(lambda: scan_all(work, IMAGE, MATERIALS))


async def test_same_subject_is_scanned_once(engine: AsyncEngine) -> None:
    """Another operation gets the answer that is remembered, whole."""
    scanner = FakeScanner("trivy", findings=(make_finding(),), database=OFFICIAL)
    first = await ask(await open_operation(engine, scanner))
    second = await ask(await open_operation(engine, scanner))
    assert first == second
    assert first.findings == (make_finding(),)
    assert scanner.scans == 1


@pytest.mark.parametrize(
    ("version", "database", "digest", "lasting"),
    [
        pytest.param("1.0.1", OFFICIAL, IMAGE.digest, True, id="another version of the scanner"),
        pytest.param("1.0.0", NEWER, IMAGE.digest, True, id="another database"),
        pytest.param("1.0.0", OFFICIAL, f"sha256:{'2' * 64}", True, id="another image"),
        pytest.param("1.0.0", OFFICIAL, IMAGE.digest, False, id="a service that changes by itself"),
    ],
)
async def test_what_may_have_changed_is_scanned_again(
    engine: AsyncEngine, *, version: str, database: Database, digest: str, lasting: bool
) -> None:
    """What was remembered does not answer that."""
    scanner = FakeScanner("trivy", database=OFFICIAL)
    await ask(await open_operation(engine, scanner))
    scanner.version, scanner.database, scanner.lasting = version, database, lasting
    report = await ask(await open_operation(engine, scanner), replace(IMAGE, digest=digest))
    assert scanner.scans == 2
    assert (report.version, report.database, report.subject) == (version, database, digest)


async def test_memory_is_no_way_around_a_stale_database(engine: AsyncEngine) -> None:
    """An answer that is remembered is not given once the scanner could not give it any more."""
    scanner = FakeScanner("trivy", database=OFFICIAL)
    await ask(await open_operation(engine, scanner))
    scanner.missing = ScanFailed("the database is stale")
    with pytest.raises(ScanFailed, match="stale"):
        await ask(await open_operation(engine, scanner))


async def test_failure_is_never_remembered(engine: AsyncEngine) -> None:
    """The next operation asks anew."""
    scanner = FakeScanner("trivy", fails=ScanFailed("it crashed"))
    with pytest.raises(ScanFailed, match="it crashed"):
        await ask(await open_operation(engine, scanner))
    scanner.fails = None
    assert (await ask(await open_operation(engine, scanner))).scanner == "trivy"


async def test_scanner_that_nobody_configured_is_said(engine: AsyncEngine) -> None:
    """It is not skipped."""
    with pytest.raises(ScanFailed, match="trivy is not configured"):
        await ask(await open_operation(engine))


# Seconds after which something that would never end is given up.
NEVER = 240


async def test_all_are_asked_side_by_side(engine: AsyncEngine) -> None:
    """Each waits until the other has begun: one after the other they would never end."""
    meeting = asyncio.Barrier(2)
    both = [FakeScanner(name, on_scan=meeting.wait) for name in ("trivy", "trufflehog")]
    work = await open_operation(engine, *both)
    async with asyncio.timeout(NEVER):
        report = await ask_all(work)
    assert report.answered == {"trivy", "trufflehog"}
    assert report.image == IMAGE.pinned
    assert report.off == (Silence("snyk", "no token is configured"),)
    assert set((await work.look()).results) == {"scan:trivy", "scan:trufflehog"}


async def test_one_that_fails_does_not_lose_the_others(engine: AsyncEngine) -> None:
    """It is silent, with its own reason."""
    broken = FakeScanner("trivy", fails=ScanFailed("its report is cut off", "try again"))
    report = await ask_all(await open_operation(engine, broken, FakeScanner("trufflehog")))
    assert report.answered == {"trufflehog"}
    assert report.silent == (Silence("trivy", "its report is cut off (try again)"),)


async def test_one_that_may_recover_is_asked_again(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four times in all; then it is silent."""
    monkeypatch.setattr(scan._once_task, "retry_delay_seconds", [0, 0, 0])
    away = FakeScanner("trivy", fails=Transient("the registry is away"))
    report = await ask_all(await open_operation(engine, away))
    assert away.scans == 4
    assert report.silent == (Silence("trivy", "the registry is away"),)


@pytest.mark.parametrize(
    "problem",
    [
        pytest.param(LeaseLost("another worker has it"), id="a lost lease"),
        pytest.param(ZeroDivisionError("a defect of ours"), id="a defect of ours"),
    ],
)
async def test_what_is_no_failure_of_a_scanner_is_passed_on(engine: AsyncEngine, problem: Exception) -> None:
    """It is not taken for silence; the others have ended by then."""
    other = FakeScanner("trufflehog")
    work = await open_operation(engine, FakeScanner("trivy", fails=problem), other)
    with pytest.raises(type(problem)):
        await ask_all(work)
    assert "scan:trufflehog" in (await work.look()).results
