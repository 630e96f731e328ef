"""The scanners that the settings configure, and those that are off with the reason.

To add a scanner: write its file as `blocks/ports/scanners.py` says and open it here.
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from blocks.domain.errors import ScanFailed
from blocks.ports.scanners import Scanner
from blocks.scanners.program import Program
from blocks.scanners.snyk import Snyk
from blocks.scanners.trivy import Trivy
from blocks.scanners.trufflehog import Trufflehog
from blocks.settings import Settings


def open_scanners(settings: Settings) -> tuple[Mapping[str, Scanner], Mapping[str, str]]:
    """The scanners by name, and why the others are off; `ScanFailed` when a token is named and cannot be read."""
    scanners: dict[str, Scanner] = {
        "trivy": Trivy(_program(settings, "trivy"), settings.trivy_cache_dir.absolute(), settings.trivy_db_max_age_hours),
        "trufflehog": Trufflehog(_program(settings, "trufflehog")),
    }
    if not settings.snyk_token_ref:
        return scanners, {"snyk": "no token is configured"}
    return {**scanners, "snyk": Snyk.with_token(_program(settings, "snyk"), _read_token(settings))}, {}


def _program(settings: Settings, name: str) -> Program:
    tools = settings.pipeline_bin.absolute() if settings.pipeline_bin else None
    environment = {"PATH": os.pathsep.join([str(tools), os.defpath]) if tools else os.defpath}
    if settings.extra_ca_bundle:
        # One name for programs written in Go, one for those that run on Node.
        environment |= dict.fromkeys(("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"), str(settings.extra_ca_bundle.absolute()))
    path = str(tools / name) if tools else shutil.which(name) or name
    return Program(path, settings.scan_timeout, environment, settings.storage_dir.absolute() / "programs")


def _read_token(settings: Settings) -> str:
    file: Path = settings.secrets_dir / settings.snyk_token_ref
    try:
        return file.read_text().strip()
    except OSError as problem:
        raise ScanFailed(f"snyk's token {settings.snyk_token_ref} cannot be read", "put it into the secrets folder") from problem
