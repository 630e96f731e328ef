"""Which vulnerability database Trivy has: its name, its age, and proof that it answers.

A database that Trivy did not download itself says in `about.json` beside it what it is called and what it does not assess.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import BaseModel, ValidationError

from blocks.domain.errors import ScanFailed
from blocks.domain.findings import Database
from blocks.scanners.trivy_report import Said

# Any database worth its name knows this vulnerability; one that does not say so is empty, broken or was not asked.
KNOWN = "CVE-2021-44906"
CANARY = """{"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": [
  {"type": "library", "name": "minimist", "version": "1.2.5", "purl": "pkg:npm/minimist@1.2.5"}]}"""
MEND = "`make up` builds the local one; where the network allows, let trivy download its own"


class Stamp(Said):
    """What Trivy says of its database: when it was built, and when Trivy downloaded it (year 1: it did not)."""

    updated_at: datetime
    downloaded_at: datetime


class _About(BaseModel):
    name: str
    unassessed: tuple[str, ...]


def read_database(cache_dir: Path, stamp: Stamp | None, max_age_hours: float) -> Database:
    """The database in Trivy's cache folder, or `ScanFailed` when it is missing or stale; the age comes from Trivy's own metadata."""
    file = cache_dir / "db" / "trivy.db"
    if stamp is None or not file.is_file():
        raise ScanFailed("trivy has no vulnerability database", MEND)
    age = datetime.now(UTC) - stamp.updated_at
    if age > timedelta(hours=max_age_hours):
        hours = age.total_seconds() / 3600
        raise ScanFailed(f"trivy's vulnerability database is {hours:.0f} hours old, {max_age_hours:g} are allowed", MEND)
    about = _read_about(file.with_name("about.json"))
    built_at, digest = stamp.updated_at.isoformat(), _hash_file(file)
    if about:
        return Database(about.name, built_at, digest, official=False, unassessed=about.unassessed)
    # One that Trivy did not download and that does not name itself could be anything.
    official = stamp.downloaded_at.year > 1
    return Database("trivy-db" if official else "unnamed", built_at, digest, official)


def _read_about(file: Path) -> _About | None:
    try:
        return _About.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as problem:
        raise ScanFailed(f"{file.name} beside trivy's database cannot be read", MEND) from problem


def _hash_file(file: Path) -> str:
    with file.open("rb") as content:
        return f"sha256:{hashlib.file_digest(content, 'sha256').hexdigest()}"
