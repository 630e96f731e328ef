"""Each gate objects to what it is there for, says what mends it, and lets the rest through."""

import pytest

from blocks.domain.errors import GateRefused
from blocks.domain.findings import Database, Kind, ScanReport, Severity, Silence
from blocks.domain.gates import (
    Answered,
    DatabaseAccepted,
    Gate,
    KindsAssessed,
    LicencesAllowed,
    NoMisconfiguration,
    NoSecrets,
    SeverityAtMost,
    admit,
)
from tests.blocks.domain.scans import IMAGE, LOCAL, make_finding, make_report, make_secret, make_trivy, make_trufflehog

CLEAN = make_report()
BOTH = Answered(frozenset({"trivy", "trufflehog"}))
SILENT = ScanReport(IMAGE, (make_trufflehog(),), silent=(Silence("trivy", "the database is stale"),))
NAMELESS = Database("unnamed", "yesterday", "sha256:x", official=False)
AGPL = LicencesAllowed(frozenset({"AGPL-*"}))


def licensed(expression: str) -> ScanReport:
    """A package under this licence."""
    return make_report(make_finding(Kind.LICENCE, id=expression, subject="left-pad", severity=Severity.LOW, fixed_in=""))


def rated(severity: Severity, fixed_in: str = "1.2.6") -> ScanReport:
    """A vulnerability of this severity."""
    return make_report(make_finding(severity=severity, fixed_in=fixed_in))


def broken(severity: Severity) -> ScanReport:
    """A misconfiguration of this severity."""
    title = "Image user should not be 'root'"
    return make_report(make_finding(Kind.MISCONFIGURATION, id="DS-0002", subject="the image", severity=severity, title=title))


@pytest.mark.parametrize(
    ("gate", "report", "objections"),
    [
        pytest.param(BOTH, CLEAN, [], id="all answered"),
        pytest.param(BOTH, SILENT, ["trivy gave no answer: the database is stale"], id="silence is not a pass"),
        pytest.param(
            Answered(frozenset({"snyk"})), CLEAN, ["snyk gave no answer: no token is configured"], id="off is not a pass"
        ),
        pytest.param(
            Answered(frozenset({"clair"})), CLEAN, ["clair gave no answer: it was not asked"], id="never asked is not a pass"
        ),
        pytest.param(KindsAssessed(frozenset(Kind)), CLEAN, [], id="all kinds looked for"),
        pytest.param(
            KindsAssessed(frozenset(Kind)),
            ScanReport(IMAGE, (make_trivy(assessed=(Kind.LICENCE, Kind.VULNERABILITY)),)),
            ["nobody looked for a misconfiguration", "nobody looked for a secret"],
            id="a kind that nobody looked for is not a pass",
        ),
        pytest.param(DatabaseAccepted(frozenset()), CLEAN, [], id="an official database"),
        pytest.param(DatabaseAccepted(frozenset({LOCAL.name})), make_report(database=LOCAL), [], id="accepted by name"),
        pytest.param(
            DatabaseAccepted(frozenset()),
            make_report(database=LOCAL),
            ["trivy used the database 'local advisories', which is not accepted here; it does not assess Debian packages"],
            id="a local database that nobody accepts",
        ),
        pytest.param(
            DatabaseAccepted(frozenset({LOCAL.name})),
            make_report(database=NAMELESS),
            ["trivy used the database 'unnamed', which is not accepted here"],
            id="another one than the accepted",
        ),
        pytest.param(
            DatabaseAccepted(frozenset({LOCAL.name})),
            make_report(database=None),
            ["trivy does not say which database it used"],
            id="vulnerabilities looked up in nothing",
        ),
        pytest.param(NoSecrets(), CLEAN, [], id="no secrets"),
        pytest.param(
            NoSecrets(),
            make_report(make_secret(), make_secret(subject="id.pem", id="PrivateKey", place="")),
            ["a secret (AWS) is in config.env, line 2", "a secret (PrivateKey) is in id.pem"],
            id="every secret is named",
        ),
        pytest.param(SeverityAtMost(Severity.HIGH), rated(Severity.HIGH), [], id="as bad as allowed"),
        pytest.param(SeverityAtMost(Severity.HIGH), rated(Severity.UNKNOWN), [], id="unknown counts as high: allowed with high"),
        pytest.param(
            SeverityAtMost(Severity.MEDIUM),
            rated(Severity.UNKNOWN),
            ["CVE-2021-44906 (unknown) is in minimist 1.2.5"],
            id="unknown counts as high: refused with medium",
        ),
        pytest.param(
            SeverityAtMost(Severity.HIGH),
            rated(Severity.CRITICAL, fixed_in=""),
            ["CVE-2021-44906 (critical) is in minimist 1.2.5"],
            id="worse than allowed, without a fix",
        ),
        pytest.param(
            SeverityAtMost(Severity.HIGH, fixable_only=True), rated(Severity.CRITICAL, ""), [], id="no fix, and that is accepted"
        ),
        pytest.param(
            SeverityAtMost(Severity.HIGH, fixable_only=True),
            rated(Severity.CRITICAL),
            ["CVE-2021-44906 (critical) is in minimist 1.2.5"],
            id="a fix that was not taken",
        ),
        pytest.param(NoMisconfiguration(Severity.HIGH), broken(Severity.MEDIUM), [], id="a milder rule broken"),
        pytest.param(
            NoMisconfiguration(Severity.HIGH),
            broken(Severity.HIGH),
            ["DS-0002 (high) in the image: Image user should not be 'root'"],
            id="a rule broken",
        ),
        pytest.param(AGPL, licensed("MIT"), [], id="an allowed licence"),
        pytest.param(
            AGPL, licensed("AGPL-3.0-only"), ["the licence AGPL-3.0-only of left-pad is not allowed"], id="a denied licence"
        ),
        pytest.param(AGPL, licensed("agpl-3.0"), ["the licence agpl-3.0 of left-pad is not allowed"], id="in small letters"),
        pytest.param(AGPL, licensed("(MIT OR AGPL-3.0)"), [], id="one alternative is allowed"),
        pytest.param(
            AGPL,
            licensed("MIT AND AGPL-3.0"),
            ["the licence MIT AND AGPL-3.0 of left-pad is not allowed"],
            id="both hold, and one is denied",
        ),
        pytest.param(
            AGPL,
            licensed("(MIT OR ISC) AND AGPL-3.0"),
            ["the licence (MIT OR ISC) AND AGPL-3.0 of left-pad is not allowed"],
            id="a nested expression is judged by its worst part",
        ),
    ],
)
def test_gate_objects(gate: Gate, report: ScanReport, objections: list[str]) -> None:
    """To these and to nothing else, each with a remedy."""
    found = gate.objections(report)
    assert [objection.text for objection in found] == objections
    assert all(objection.remedy for objection in found)


@pytest.mark.parametrize(
    ("report", "remedy"),
    [
        pytest.param(rated(Severity.CRITICAL), "take minimist 1.2.6 or later", id="with a fix: take it"),
        pytest.param(rated(Severity.CRITICAL, ""), "do without minimist until there is a fix", id="without one: do without"),
    ],
)
def test_vulnerability_says_what_mends_it(report: ScanReport, remedy: str) -> None:
    """By the release that does."""
    (objection,) = SeverityAtMost(Severity.HIGH).objections(report)
    assert objection.remedy == remedy
    assert str(objection).endswith(f"(remedy: {remedy}; or let it be waived as vulnerability:CVE-2021-44906:minimist)")


@pytest.mark.parametrize(
    ("gate", "title"),
    [
        pytest.param(BOTH, "answers of trivy, trufflehog", id="answered"),
        pytest.param(KindsAssessed(frozenset({Kind.SECRET, Kind.LICENCE})), "looked for licence, secret", id="kinds"),
        pytest.param(DatabaseAccepted(frozenset()), "official databases", id="official databases"),
        pytest.param(DatabaseAccepted(frozenset({"x"})), "official databases or the database 'x'", id="accepted databases"),
        pytest.param(NoSecrets(), "no secrets", id="secrets"),
        pytest.param(SeverityAtMost(Severity.HIGH), "no vulnerability above high", id="severity"),
        pytest.param(SeverityAtMost(Severity.LOW, fixable_only=True), "no vulnerability above low that has a fix", id="fixable"),
        pytest.param(NoMisconfiguration(Severity.HIGH), "no misconfiguration from high up", id="misconfiguration"),
        pytest.param(AGPL, "no licence of AGPL-*", id="licences"),
    ],
)
def test_gate_says_what_it_lets_through(gate: Gate, title: str) -> None:
    """With its limits, so that a verdict tells which policy it was."""
    assert gate.title == title


def test_no_gates_is_a_refusal() -> None:
    """Even of a clean report."""
    with pytest.raises(GateRefused, match="no gates are configured"):
        admit(CLEAN, [])


def test_all_objections_come_at_once() -> None:
    """From every gate, each once, in the order of the gates."""
    report = make_report(make_finding(), make_secret())
    gates = (NoSecrets(), SeverityAtMost(Severity.HIGH), SeverityAtMost(Severity.MEDIUM))
    with pytest.raises(GateRefused) as refused:
        admit(report, gates)
    assert [text.split(" (remedy")[0] for text in refused.value.objections] == [
        "a secret (AWS) is in config.env, line 2",
        "CVE-2021-44906 (critical) is in minimist 1.2.5",
    ]


def test_clean_report_passes_every_gate() -> None:
    """And that says nothing."""
    admit(
        CLEAN,
        (BOTH, KindsAssessed(frozenset(Kind)), DatabaseAccepted(frozenset()), NoSecrets(), SeverityAtMost(Severity.LOW), AGPL),
    )
    assert CLEAN.findings == ()
