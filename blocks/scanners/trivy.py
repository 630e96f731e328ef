"""Trivy: vulnerabilities, misconfiguration and licences of an image in the registry and of what it was built from.

Both, because neither is the whole: a bundle for browsers names none of the packages in it, and no lock names the base image's packages.
It works offline on the database in its cache folder. A database that is missing, stale or does not answer is an error, because Trivy may
then say "nothing found" and end with exit code 0.
"""

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import ConfigDict, ValidationError
from pydantic.alias_generators import to_pascal

from blocks.domain.errors import ScanFailed, Transient
from blocks.domain.findings import Identity, Report, merge
from blocks.domain.release import Image, Materials
from blocks.scanners.program import Answer, Program
from blocks.scanners.trivy_database import CANARY, KNOWN, MEND, Stamp, read_database
from blocks.scanners.trivy_report import Said, TrivyReport, read_findings, read_kinds

NAME = "trivy"
OFFLINE = ("--skip-db-update", "--skip-java-db-update", "--skip-version-check", "--offline-scan")
# The cache folder's own cache is locked by one process at a time, and scans run side by side.
APART = ("--format", "json", "--cache-backend", "memory", "--no-progress")
LOOK_FOR = (
    "--scanners",
    "vuln,license",
    "--image-config-scanners",
    "misconfig,secret",
    "--skip-check-update",
    "--image-src",
    "remote",
)
PASSING = (
    "connection refused",
    "connection reset",
    "i/o timeout",
    "deadline exceeded",
    "too many requests",
    "service unavailable",
)


class _Version(Said):
    model_config = ConfigDict(alias_generator=lambda name: "VulnerabilityDB" if name == "database" else to_pascal(name))

    version: str
    database: Stamp | None = None


@dataclass(frozen=True)
class Trivy:
    """The Trivy program with one database folder; `max_age_hours` is how old its database may be."""

    program: Program
    cache_dir: Path
    max_age_hours: float

    def subject(self, image: Image, materials: Materials) -> str:
        """The image's digest, and the hash of what it was built from."""
        return f"{image.digest} of {materials.key}"

    async def identify(self) -> Identity:
        """Trivy's version and the database it would use; `ScanFailed` when either is unknown or the database missing or stale."""
        answer = await self._ask("version", "--format", "json")
        try:
            said = _Version.model_validate_json(answer.out)
        except ValidationError as problem:
            raise ScanFailed(
                f"trivy does not say its version: {answer.last_words}", "`make doctor` says what is missing"
            ) from problem
        version = said.version.removeprefix("v")
        if not version[:1].isdigit():
            raise ScanFailed(f"trivy has the unknown version '{said.version}'", "build it with its version, as `make up` does")
        database = await asyncio.to_thread(read_database, self.cache_dir, said.database, self.max_age_hours)
        return Identity(NAME, version, database)

    async def scan(self, image: Image, materials: Materials, identity: Identity) -> Report:
        """What is known of the image with this digest and of its locked packages, after the database has proved that it answers."""
        await self._prove_database()
        said = await self._report("image", *LOOK_FOR, "--timeout", f"{self.program.timeout:.0f}s", image.pinned)
        if not said.is_about(image):
            raise ScanFailed(f"trivy answered about {said.artifact_name}, not about {image.pinned}")
        folder = await asyncio.to_thread(Path(materials.folder).absolute)
        locked = await self._report("fs", "--scanners", "vuln,license", str(folder))
        results, subject = (*said.results, *locked.results), self.subject(image, materials)
        return Report(NAME, identity.version, subject, read_kinds(results), merge(read_findings(results)), identity.database)

    async def _prove_database(self) -> None:
        with TemporaryDirectory(prefix="canary-") as folder:
            said = await self._report("sbom", "--scanners", "vuln", _write_canary(folder))
        if KNOWN not in {finding.id for finding in read_findings(said.results)}:
            raise ScanFailed(f"trivy's database does not know {KNOWN}, so its silence means nothing", MEND)

    async def _report(self, command: str, *arguments: str) -> TrivyReport:
        answer = await self._ask(command, *OFFLINE, *APART, *arguments)
        try:
            return TrivyReport.model_validate_json(answer.out)
        except ValidationError as problem:
            what = "cannot be read or is cut off" if answer.out.strip() else "is empty"
            raise ScanFailed(f"trivy's report {what}: {answer.last_words}", "try again; if it stays so, report it") from problem

    async def _ask(self, command: str, *arguments: str) -> Answer:
        answer = await self.program.run(command, "--cache-dir", str(self.cache_dir), *arguments)
        if answer.code == 0:
            return answer
        said = f"trivy {command} ended with exit code {answer.code}: {_last_words(answer)}"
        if any(sign in answer.err.lower() for sign in PASSING):
            raise Transient(said, "is the registry reachable?")
        raise ScanFailed(said, "its own last words say why")


def _last_words(answer: Answer) -> str:
    """What Trivy calls fatal, without the log before it."""
    log, fatal, why = answer.err.rpartition("FATAL")
    return replace(answer, err=why if fatal else log or why).last_words.removeprefix("Fatal error").strip()


def _write_canary(folder: str) -> str:
    """A bill of materials that names one package everybody knows to be vulnerable."""
    file = Path(folder, "canary.json")
    file.write_text(CANARY)
    return str(file)
