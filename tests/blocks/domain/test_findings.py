"""What several scanners found is one list: every finding once, worst first."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocks.domain.findings import Count, Finding, Kind, ScanReport, Severity, count_findings, merge
from tests.blocks.domain.scans import IMAGE, make_finding, make_report, make_secret, make_trivy, make_trufflehog

FINDINGS = st.builds(
    Finding,
    kind=st.sampled_from(Kind),
    id=st.sampled_from(["a", "b"]),
    subject=st.sampled_from(["x", "y"]),
    severity=st.sampled_from(Severity),
    version=st.sampled_from(["", "1"]),
    place=st.sampled_from(["", "1", "2"]),
    fixed_in=st.sampled_from(["", "2"]),
    found_by=st.sampled_from([("snyk",), ("trivy",)]),
)


@pytest.mark.parametrize(
    ("milder", "worse"),
    [
        pytest.param(Severity.LOW, Severity.MEDIUM, id="low is milder than medium"),
        pytest.param(Severity.MEDIUM, Severity.HIGH, id="medium is milder than high"),
        pytest.param(Severity.HIGH, Severity.CRITICAL, id="high is milder than critical"),
        pytest.param(Severity.MEDIUM, Severity.UNKNOWN, id="unknown is worse than medium"),
        pytest.param(Severity.UNKNOWN, Severity.CRITICAL, id="unknown is milder than critical"),
    ],
)
def test_severities_are_ordered(milder: Severity, worse: Severity) -> None:
    """And what nobody rated counts as high."""
    assert milder.rank < worse.rank


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(make_finding(severity=Severity.HIGH), id="rated differently"),
        pytest.param(make_finding(place="elsewhere"), id="in another place"),
        pytest.param(make_finding(fixed_in=""), id="without a fix"),
        pytest.param(make_finding(title="in other words"), id="in other words"),
    ],
)
def test_same_fault_found_twice_is_one_finding(other: Finding) -> None:
    """The worse severity holds, the fix that one of them knows stays, and both are named."""
    theirs = replace(other, found_by=("snyk",))
    for order in ((make_finding(), theirs), (theirs, make_finding())):
        (one,) = merge(order)
        assert (one.severity, one.fixed_in, one.found_by) == (Severity.CRITICAL, "1.2.6", ("snyk", "trivy"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(make_finding(), make_finding(id="CVE-2020-7598"), id="another fault"),
        pytest.param(make_finding(), make_finding(subject="mkdirp"), id="another package"),
        pytest.param(make_finding(), make_finding(version="0.0.8"), id="another version of the package"),
        pytest.param(make_finding(), make_finding(Kind.LICENCE), id="another kind"),
        pytest.param(make_secret(), make_secret(place="9"), id="another secret in the same file"),
    ],
)
def test_different_findings_stay_apart(one: Finding, other: Finding) -> None:
    """So that mending one does not hide the other."""
    assert len(merge([one, other])) == 2


def test_identity_outlives_versions_and_lines() -> None:
    """So that what is new can be told from what only moved."""
    assert make_finding(version="1.2.4", place="a").identity == make_finding(version="1.2.5", place="b").identity


def test_worst_comes_first_then_the_name() -> None:
    """Whatever the order in which they were found."""
    found = [make_finding(id="b", severity=Severity.LOW), make_finding(id="c"), make_finding(id="a", severity=Severity.LOW)]
    assert [one.id for one in merge(found)] == ["c", "a", "b"]


@given(st.lists(FINDINGS, max_size=12))
def test_merging_loses_nothing(found: list[Finding]) -> None:
    """Every identity, every finder and the worst of every severity are still there, and merging again changes nothing."""
    merged = merge(found)
    assert {one.identity for one in merged} == {one.identity for one in found}
    assert {name for one in merged for name in one.found_by} == {name for one in found for name in one.found_by}
    assert max((one.severity.rank for one in merged), default=0) == max((one.severity.rank for one in found), default=0)
    assert merge(merged) == merged
    assert merge(reversed(merged)) == merged


def test_counts_by_kind_and_severity() -> None:
    """Worst first; what there is none of is not named."""
    found = [make_finding(), make_finding(severity=Severity.LOW), make_finding(severity=Severity.LOW), make_secret()]
    assert count_findings(found) == (
        Count(Kind.SECRET, Severity.CRITICAL, 1),
        Count(Kind.VULNERABILITY, Severity.CRITICAL, 1),
        Count(Kind.VULNERABILITY, Severity.LOW, 2),
    )
    assert count_findings([]) == ()


def test_report_says_who_answered_and_what_was_looked_for() -> None:
    """Over all scanners."""
    report = make_report(make_finding(), make_secret())
    assert report.answered == {"trivy", "trufflehog"}
    assert report.assessed == set(Kind)
    assert [one.kind for one in report.findings] == [Kind.SECRET, Kind.VULNERABILITY]


def test_report_of_nobody_says_nothing() -> None:
    """It is neither clean nor assessed."""
    nobody = ScanReport(IMAGE, ())
    assert (nobody.answered, nobody.assessed, nobody.findings) == (frozenset(), frozenset(), ())


def test_scanners_that_agree_say_it_once() -> None:
    """In the whole report."""
    theirs = make_trivy(make_finding(found_by=("snyk",)), scanner="snyk")
    report = ScanReport(IMAGE, (make_trivy(make_finding()), theirs, make_trufflehog()))
    (one,) = report.findings
    assert one.found_by == ("snyk", "trivy")
