"""Trivy's answers read as findings, and a database that is missing, stale or mute is never a pass."""

import asyncio
import gzip
import json
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from blocks.domain.errors import ScanFailed, Transient
from blocks.domain.findings import Finding, Identity, Kind, Severity
from blocks.domain.release import Image, Materials
from blocks.ports.scanners import Scanner
from blocks.scanners.program import Program
from blocks.scanners.trivy import Trivy
from tests.blocks.scanners.contract import CASES, IMAGE, ProgramContract, ScannerContract
from tests.blocks.scanners.images import pushed
from tests.conftest import World
from tests.fakes.scanners import FakeProgram

FOUND, CLEAN, CANARY = ((CASES / "trivy" / f"{name}.json").read_text() for name in ("found", "clean", "canary"))
NO_LOCK = '{"SchemaVersion": 2, "ArtifactName": "context", "ArtifactType": "filesystem"}'
NEVER = "0001-01-01T00:00:00Z"
BY = ("trivy",)


def stamp(age_hours: float = 1, downloaded: str = NEVER) -> str:
    """What Trivy says of itself with a database of this age."""
    built = (datetime.now(UTC) - timedelta(hours=age_hours)).isoformat()
    said = {"Version": 2, "NextUpdate": built, "UpdatedAt": built, "DownloadedAt": downloaded}
    return json.dumps({"Version": "0.72.0", "VulnerabilityDB": said})


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A cache folder with a small database that names itself."""
    folder = tmp_path / "cache" / "db"
    folder.mkdir(parents=True)
    (folder / "trivy.db").write_bytes(b"advisories")
    (folder / "about.json").write_text('{"name": "local advisories", "unassessed": ["Debian packages"]}')
    return folder.parent


@pytest.fixture
def program(tmp_path: Path) -> FakeProgram:
    """A Trivy that finds nothing but knows the canary."""
    fake = FakeProgram(tmp_path, "trivy")
    fake.answer("version", stamp())
    fake.answer("sbom", CANARY)
    fake.answer("image", CLEAN)
    fake.answer("fs", NO_LOCK)
    return fake


@pytest.fixture
def scanner(program: FakeProgram, database: Path) -> Trivy:
    """Trivy, with a database that may be a day old."""
    return Trivy(Program(str(program.path), 30), database, 24)


class TestTrivy(ProgramContract):
    """As every program."""

    command, asks_version = "image", "version"

    @pytest.fixture
    def program(self, program: FakeProgram) -> FakeProgram:
        """The one above."""
        return program

    @pytest.fixture
    def scanner(self, scanner: Trivy) -> Scanner:
        """The one above."""
        return scanner

    @pytest.fixture
    def hurried(self, program: FakeProgram, database: Path) -> Scanner:
        """With half a second."""
        return Trivy(Program(str(program.path), 0.5), database, 24)

    def whole(self, materials: Materials) -> tuple[str, str, int]:
        """Recorded from Trivy 0.72.0 on a Backstage image, shortened."""
        return FOUND, "", 0


async def test_reads_everything_that_trivy_found(scanner: Trivy, program: FakeProgram, materials: Materials) -> None:
    """Packages under one licence are one finding."""
    program.answer("image", FOUND)
    report = await scanner.scan(IMAGE, materials, await scanner.identify())
    assert report.assessed == (Kind.VULNERABILITY, Kind.MISCONFIGURATION, Kind.LICENCE)
    by_kind = {kind: [finding for finding in report.findings if finding.kind is kind] for kind in Kind}
    (vulnerability,), (rule,), licences = by_kind[Kind.VULNERABILITY], by_kind[Kind.MISCONFIGURATION], by_kind[Kind.LICENCE]
    assert vulnerability == Finding(
        Kind.VULNERABILITY,
        "CVE-2021-44906",
        "minimist",
        Severity.CRITICAL,
        version="1.2.5",
        place="plugin/node_modules/minimist-old/package.json",
        title="Prototype Pollution in minimist",
        fixed_in="1.2.6",
        found_by=BY,
    )
    assert (rule.kind, rule.id, rule.severity, rule.title) == (
        Kind.MISCONFIGURATION,
        "DS-0026",
        Severity.LOW,
        "No HEALTHCHECK defined",
    )
    assert [(one.id, one.severity, one.title) for one in licences] == [
        ("GPL-2.0-only", Severity.HIGH, "packages: 1"),
        ("GPL-2.0-or-later", Severity.HIGH, "packages: 1"),
        ("MIT", Severity.LOW, "packages: 8"),
    ]
    assert licences[-1].subject.endswith(" and 3 more")


def in_lock(said: str) -> str:
    """The packages of an image as those of a lock."""
    packages = [result for result in json.loads(said)["Results"] if result["Target"] == "Node.js"]
    return json.dumps(json.loads(NO_LOCK) | {"Results": packages})


async def test_what_was_bundled_is_found_by_its_lock(scanner: Trivy, program: FakeProgram, materials: Materials) -> None:
    """Nothing in the image names it."""
    program.answer("fs", in_lock(FOUND))
    report = await scanner.scan(IMAGE, materials, await scanner.identify())
    assert "CVE-2021-44906" in {finding.id for finding in report.findings}


async def test_what_is_in_the_image_and_in_the_lock_is_found_once(
    scanner: Trivy, program: FakeProgram, materials: Materials
) -> None:
    """Licences too."""
    program.answer("image", FOUND)
    alone = await scanner.scan(IMAGE, materials, await scanner.identify())
    program.answer("fs", in_lock(FOUND))
    both = await scanner.scan(IMAGE, materials, await scanner.identify())
    assert both.findings == alone.findings


@pytest.mark.parametrize(("said", "code"), [("", 0), ("", 1), (NO_LOCK[:20], 0)], ids=["silent", "failed", "cut off"])
async def test_lock_that_cannot_be_read_is_no_pass(
    scanner: Trivy, program: FakeProgram, materials: Materials, *, said: str, code: int
) -> None:
    """Though the image was read."""
    program.answer("fs", said, "", code)
    with pytest.raises(ScanFailed):
        await scanner.scan(IMAGE, materials, await scanner.identify())


async def test_secret_in_the_image_configuration_is_found_without_itself(
    scanner: Trivy, program: FakeProgram, materials: Materials
) -> None:
    """Trivy's own match is not read."""
    said = json.loads(CLEAN)
    secret = {"RuleID": "github-pat", "Severity": "CRITICAL", "StartLine": 3, "Match": "ENV TOKEN=the-secret-itself"}
    said["Results"].append({"Target": "image config", "Class": "secret", "Secrets": [secret]})
    program.answer("image", json.dumps(said))
    report = await scanner.scan(IMAGE, materials, await scanner.identify())
    (found,) = [finding for finding in report.findings if finding.kind is Kind.SECRET]
    assert (found.id, found.subject, found.place) == ("github-pat", "image config", "3")
    assert "the-secret-itself" not in repr(report)


@pytest.mark.parametrize(
    ("without", "missing"),
    [
        pytest.param("Packages", Kind.VULNERABILITY, id="no package was seen: nobody looked for vulnerabilities"),
        pytest.param("MisconfSummary", Kind.MISCONFIGURATION, id="no check was run: nobody looked for misconfiguration"),
        pytest.param("Licenses", Kind.LICENCE, id="no licence was seen: nobody looked at licences"),
    ],
)
async def test_claims_only_what_it_looked_at(
    scanner: Trivy, program: FakeProgram, materials: Materials, without: str, missing: Kind
) -> None:
    """A whole report with nothing in it is no assessment."""
    said = json.loads(CLEAN)
    for result in said["Results"]:
        result.pop(without, None)
    program.answer("image", json.dumps(said))
    report = await scanner.scan(IMAGE, materials, await scanner.identify())
    assert set(report.assessed) == {Kind.VULNERABILITY, Kind.MISCONFIGURATION, Kind.LICENCE} - {missing}


async def test_word_that_trivy_never_used_before_is_unknown(scanner: Trivy, program: FakeProgram, materials: Materials) -> None:
    """And unknown counts as high."""
    program.answer("image", FOUND.replace('"CRITICAL"', '"APOCALYPTIC"'))
    report = await scanner.scan(IMAGE, materials, await scanner.identify())
    assert {one.id: one.severity for one in report.findings}["CVE-2021-44906"] is Severity.UNKNOWN


@pytest.mark.parametrize(
    ("was", "becomes", "reason"),
    [
        pytest.param(IMAGE.digest, f"sha256:{'2' * 64}", "not about", id="about another image"),
        pytest.param('"SchemaVersion": 2', '"SchemaVersion": 3', "cannot be read", id="in another schema"),
        pytest.param(CLEAN, "null", "cannot be read", id="null"),
        pytest.param(CLEAN, "{}", "cannot be read", id="an empty object"),
    ],
)
async def test_answer_that_does_not_answer(
    scanner: Trivy, program: FakeProgram, materials: Materials, *, was: str, becomes: str, reason: str
) -> None:
    """Is refused, with exit code 0 too."""
    program.answer("image", CLEAN.replace(was, becomes))
    with pytest.raises(ScanFailed, match=reason):
        await scanner.scan(IMAGE, materials, await scanner.identify())


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        pytest.param(lambda: '{"Version": "0.72.0"}', "has no vulnerability database", id="none"),
        pytest.param(lambda: stamp(age_hours=25), "25 hours old, 24 are allowed", id="stale"),
        pytest.param(lambda: '{"Version": "0.72.0", "VulnerabilityDB": {}}', "does not say its version", id="without a date"),
    ],
)
async def test_database_must_be_there_and_fresh(
    scanner: Trivy, program: FakeProgram, said: Callable[[], str], reason: str
) -> None:
    """Before anything is scanned or remembered; its age is counted from now, not from when the tests were collected."""
    program.answer("version", said())
    with pytest.raises(ScanFailed, match=reason):
        await scanner.identify()


async def test_database_file_must_be_there(scanner: Trivy, database: Path) -> None:
    """Metadata alone is no database."""
    (database / "db" / "trivy.db").unlink()
    with pytest.raises(ScanFailed, match="has no vulnerability database"):
        await scanner.identify()


@pytest.mark.parametrize(
    "said", [CLEAN, json.dumps({"SchemaVersion": 2, "ArtifactName": "canary.json"})], ids=["other things", "nothing"]
)
async def test_database_that_does_not_know_what_everybody_knows_is_mute(
    scanner: Trivy, program: FakeProgram, materials: Materials, said: str
) -> None:
    """Trivy itself would report nothing found with exit code 0."""
    program.answer("sbom", said)
    with pytest.raises(ScanFailed, match=r"does not know CVE-2021-44906"):
        await scanner.scan(IMAGE, materials, await scanner.identify())


async def test_local_database_says_its_name_and_what_it_does_not_assess(scanner: Trivy) -> None:
    """It is never official."""
    found = (await scanner.identify()).database
    assert found is not None
    assert (found.name, found.official, found.unassessed) == ("local advisories", False, ("Debian packages",))
    assert found.digest.startswith("sha256:")


@pytest.mark.parametrize(
    ("downloaded", "name", "official"),
    [
        pytest.param("2026-11-20T20:00:00.123456789Z", "trivy-db", True, id="downloaded by trivy is official"),
        pytest.param(NEVER, "unnamed", False, id="of unknown origin is not"),
    ],
)
async def test_database_without_a_name(
    scanner: Trivy, program: FakeProgram, database: Path, *, downloaded: str, name: str, official: bool
) -> None:
    """Is what Trivy says of its origin."""
    (database / "db" / "about.json").unlink()
    program.answer("version", stamp(downloaded=downloaded))
    found = (await scanner.identify()).database
    assert found is not None
    assert (found.name, found.official) == (name, official)


async def test_name_that_cannot_be_read_is_no_name(scanner: Trivy, database: Path) -> None:
    """It does not become an official one by being broken."""
    (database / "db" / "about.json").write_text("{")
    with pytest.raises(ScanFailed, match=r"about\.json"):
        await scanner.identify()


async def test_changed_database_is_another_identity(scanner: Trivy, database: Path) -> None:
    """So that nothing judged by the old one is remembered."""
    before = await scanner.identify()
    (database / "db" / "trivy.db").write_bytes(b"more advisories")
    assert await scanner.identify() != before


@pytest.mark.parametrize(
    ("err", "error"),
    [
        pytest.param("INFO x\nFATAL\tFatal error\tGET manifests: MANIFEST_UNKNOWN", ScanFailed, id="no such image is final"),
        pytest.param(
            "FATAL\tFatal error\tdial tcp: connect: connection refused", Transient, id="a registry that is away may come back"
        ),
    ],
)
async def test_failure_says_whether_another_try_can_help(
    scanner: Trivy, program: FakeProgram, materials: Materials, err: str, error: type[Exception]
) -> None:
    """With what Trivy called fatal, not with its log."""
    program.answer("image", "", err, 1)
    with pytest.raises(error, match=r"exit code 1: (GET manifests|dial tcp)"):
        await scanner.scan(IMAGE, materials, await scanner.identify())


async def test_asks_by_digest_and_offline(scanner: Trivy, program: FakeProgram, materials: Materials) -> None:
    """And from no cache that another scan could lock."""
    await scanner.scan(IMAGE, materials, await scanner.identify())
    image, folder = program.calls[-2:]
    assert (image[-1], folder[-1]) == (IMAGE.pinned, materials.folder)
    offline = {"--skip-db-update", "--skip-java-db-update", "--offline-scan", "memory"}
    assert offline <= set(folder)
    assert offline | {"--skip-check-update", "remote"} <= set(image)


@pytest.mark.world
class TestRealTrivy(ScannerContract):
    """The world's own Trivy, registry and database."""

    @pytest.fixture
    def scanner(self, world: World, tmp_path: Path) -> Scanner:
        """With the database of the world."""
        return Trivy(Program(f"{world.pipeline_bin}/trivy", 300), Path(world.trivy_cache_dir), 24 * 7)

    async def test_finds_what_is_bundled_by_its_lock(self, scanner: Scanner, materials: Materials, world: World) -> None:
        """The image holds nothing but a file."""
        lock = (CASES / "trivy" / "pnpm-lock.yaml").read_text()
        Path(materials.folder, "pnpm-lock.yaml").write_text(lock)
        async with pushed(world.registry, {"plugin/bundle.js": "//"}) as image:
            report = await scanner.scan(image, materials, await scanner.identify())
        assert "CVE-2021-44906" in {finding.id for finding in report.findings}

    @pytest.fixture
    async def image(self, world: World) -> AsyncIterator[Image]:
        """An image with one vulnerable package, in the world's registry, and gone afterwards."""
        package = '{"name": "minimist", "version": "1.2.5", "license": "MIT"}'
        async with pushed(world.registry, {"plugin/node_modules/minimist/package.json": package}) as image:
            yield image

    async def test_image_that_is_not_there_is_no_pass(self, scanner: Scanner, materials: Materials, image: Image) -> None:
        """The registry's own words are in the reason."""
        gone = replace(image, digest=f"sha256:{'0' * 64}")
        with pytest.raises(ScanFailed, match="MANIFEST_UNKNOWN"):
            await scanner.scan(gone, materials, await scanner.identify())

    async def test_finds_a_known_vulnerability(self, scanner: Scanner, materials: Materials, image: Image) -> None:
        """And the licence and the image's misconfiguration beside it; the database names itself."""
        report = await scanner.scan(image, materials, await scanner.identify())
        assert set(report.assessed) == {Kind.VULNERABILITY, Kind.MISCONFIGURATION, Kind.LICENCE}
        found = {(finding.id, finding.subject): finding for finding in report.findings}
        assert {("CVE-2021-44906", "minimist"), ("MIT", "minimist")} <= found.keys()
        assert "1.2.6" in found["CVE-2021-44906", "minimist"].fixed_in
        assert report.subject == scanner.subject(image, materials)
        assert report.database is not None
        assert report.database.official or (report.database.name == "local advisories" and report.database.unassessed)

    async def test_scans_side_by_side(self, scanner: Scanner, materials: Materials, image: Image) -> None:
        """None waits for another's lock, and all say the same."""
        identity = await scanner.identify()
        first, *others = await asyncio.gather(*(scanner.scan(image, materials, identity) for _ in range(3)))
        assert others == [first, first]

    async def test_missing_database_is_no_pass(self, world: World, materials: Materials, image: Image, tmp_path: Path) -> None:
        """Neither when asked who it is nor when scanning."""
        bare = Trivy(Program(f"{world.pipeline_bin}/trivy", 300), tmp_path, 24)
        with pytest.raises(ScanFailed, match="has no vulnerability database"):
            await bare.identify()
        with pytest.raises(ScanFailed, match="exit code 1"):
            await bare.scan(image, materials, Identity("trivy", "0.72.0"))

    async def test_broken_database_is_no_pass(self, world: World, materials: Materials, image: Image, tmp_path: Path) -> None:
        """One with fresh metadata and nothing in it."""
        (tmp_path / "db").mkdir()
        shutil.copy(Path(world.trivy_cache_dir, "db", "metadata.json"), tmp_path / "db")
        (tmp_path / "db" / "trivy.db").touch()
        bare = Trivy(Program(f"{world.pipeline_bin}/trivy", 300), tmp_path, 24 * 7)
        with pytest.raises(ScanFailed):
            await bare.scan(image, materials, await bare.identify())

    async def test_database_without_advisories_is_no_pass(
        self, world: World, materials: Materials, image: Image, tmp_path: Path
    ) -> None:
        """What a failed build of trivy-db left behind: Trivy itself takes it and reports nothing found with exit code 0."""
        (tmp_path / "db").mkdir()
        shutil.copy(Path(world.trivy_cache_dir, "db", "metadata.json"), tmp_path / "db")
        kept = (CASES / "trivy" / "no-advisories.db.gz").read_bytes()
        (tmp_path / "db" / "trivy.db").write_bytes(gzip.decompress(kept))
        bare = Trivy(Program(f"{world.pipeline_bin}/trivy", 300), tmp_path, 24 * 7)
        with pytest.raises(ScanFailed, match=r"does not know CVE-2021-44906"):
            await bare.scan(image, materials, await bare.identify())
