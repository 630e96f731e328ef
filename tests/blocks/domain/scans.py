"""Findings and reports made short, with the defaults that most tests want: everything was looked for and nothing was found."""

from dataclasses import replace
from typing import Any

from blocks.domain.findings import Database, Finding, Kind, Report, ScanReport, Severity, Silence

IMAGE = f"registry.test:5000/plugins/hello@sha256:{'1' * 64}"
OFFICIAL = Database("trivy-db", "2026-11-20T00:00:00+00:00", "sha256:db", official=True)
LOCAL = Database("local advisories", "2026-11-20T00:00:00+00:00", "sha256:db", official=False, unassessed=("Debian packages",))
TRIVY_KINDS = (Kind.VULNERABILITY, Kind.MISCONFIGURATION, Kind.LICENCE)
OFF = (Silence("snyk", "no token is configured"),)


def make_finding(kind: Kind = Kind.VULNERABILITY, **changes: Any) -> Finding:
    """A critical vulnerability with a fix, or what is asked for."""
    usual = Finding(kind, "CVE-2021-44906", "minimist", Severity.CRITICAL, version="1.2.5", fixed_in="1.2.6", found_by=("trivy",))
    return replace(usual, **changes)


def make_secret(**changes: Any) -> Finding:
    """A cloud key in a file."""
    usual = Finding(Kind.SECRET, "AWS", "config.env", Severity.CRITICAL, place="2", found_by=("trufflehog",))
    return replace(usual, **changes)


def make_trivy(*findings: Finding, **changes: Any) -> Report:
    """Trivy's answer."""
    return replace(Report("trivy", "0.72.0", "sha256:image", TRIVY_KINDS, findings, OFFICIAL), **changes)


def make_trufflehog(*findings: Finding, **changes: Any) -> Report:
    """TruffleHog's answer."""
    return replace(Report("trufflehog", "3.90.0", "sha256:inputs", (Kind.SECRET,), findings), **changes)


def make_report(*findings: Finding, database: Database | None = OFFICIAL, **changes: Any) -> ScanReport:
    """What both say; each finding is said by whoever looks for its kind."""
    secrets = [finding for finding in findings if finding.kind is Kind.SECRET]
    others = [finding for finding in findings if finding.kind is not Kind.SECRET]
    reports = (make_trivy(*others, database=database), make_trufflehog(*secrets))
    return replace(ScanReport(IMAGE, reports, off=OFF), **changes)
