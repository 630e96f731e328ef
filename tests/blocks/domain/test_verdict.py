"""A verdict says by which gates an image was let through, and what was let through with it."""

from dataclasses import replace

import pytest

from blocks.domain.errors import GateRefused
from blocks.domain.findings import Count, Kind, Severity, Silence
from blocks.domain.verdict import reach_verdict
from tests.blocks.domain.scans import IMAGE, LOCAL, OFF, make_finding, make_report, make_secret, make_trivy, make_trufflehog


def test_verdict_on_a_clean_image_accepts_nothing() -> None:
    """And names the policy's gates, the scanners that are off and no counts."""
    verdict = reach_verdict(make_report(), "prod")
    assert (verdict.image, verdict.environment, verdict.off) == (IMAGE, "prod", OFF)
    assert (verdict.accepted, verdict.counts) == ((), ())
    assert "no secrets" in verdict.admitted_by
    assert "official databases" in verdict.admitted_by


def test_whatever_is_accepted_is_accepted_by_name() -> None:
    """A local database with its age and its gaps, a missing answer with its reason, what a scanner left out, and every finding counted."""
    trivy = make_trivy(make_finding(severity=Severity.HIGH), database=LOCAL)
    report = replace(
        make_report(), reports=(trivy, make_trufflehog(notes=("searched ours only",))), silent=(Silence("snyk", "it is away"),)
    )
    verdict = reach_verdict(report, "dev")
    assert verdict.accepted == (
        "the database 'local advisories' of 2026-11-20T00:00:00+00:00, which does not assess Debian packages",
        "no answer of snyk: it is away",
        "trufflehog: searched ours only",
    )
    assert verdict.counts == (Count(Kind.VULNERABILITY, Severity.HIGH, 1),)
    assert "official databases or the database 'local advisories'" in verdict.admitted_by


def test_database_without_gaps_claims_none() -> None:
    """It is named all the same."""
    verdict = reach_verdict(make_report(database=replace(LOCAL, unassessed=())), "dev")
    assert verdict.accepted == ("the database 'local advisories' of 2026-11-20T00:00:00+00:00",)


def test_refused_image_gets_no_verdict() -> None:
    """Only its objections."""
    with pytest.raises(GateRefused, match="a secret"):
        reach_verdict(make_report(make_secret()), "dev")
