"""What scanners say of an image: findings, what they were looked up in, and what was not looked at.

To add a kind of finding: name it in `Kind`; a scanner claims it in `Report.assessed` only when it really looked.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import reduce


class Kind(StrEnum):
    """What a finding is about."""

    VULNERABILITY = "vulnerability"
    MISCONFIGURATION = "misconfiguration"
    LICENCE = "licence"
    SECRET = "secret"  # noqa: S105  # the name of a kind, not a secret


class Severity(StrEnum):
    """How bad a finding is, in the words of most scanners."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"
    UNKNOWN = "unknown"

    @property
    def rank(self) -> int:
        """A number that grows with the harm; what nobody rated counts as high, because not knowing is never a pass."""
        return ("low", "medium", "high", "critical").index("high" if self is Severity.UNKNOWN else self.value)


@dataclass(frozen=True)
class Finding:
    """One thing found: `id` is a CVE, a rule, a licence or a detector; `subject` the package or file it is about.

    `place` is a line or a path. A secret's finding never holds the secret.
    """

    kind: Kind
    id: str
    subject: str
    severity: Severity
    version: str = ""
    place: str = ""
    title: str = ""
    fixed_in: str = ""
    found_by: tuple[str, ...] = ()

    @property
    def identity(self) -> str:
        """The same from one scan to the next, whatever version or line it moved to."""
        return f"{self.kind}:{self.id}:{self.subject}"

    def merged(self, other: "Finding") -> "Finding":
        """Both as one: the worse severity, the first fix named, everybody who found it."""
        worse = max(self.severity, other.severity, key=lambda severity: severity.rank)
        names = tuple(sorted({*self.found_by, *other.found_by}))
        return replace(self, severity=worse, fixed_in=self.fixed_in or other.fixed_in, found_by=names)


@dataclass(frozen=True)
class Database:
    """What a scanner looked its answers up in; `unassessed` names what it knows nothing of.

    `official` is true only when it is known to be the scanner's own. `built_at` is the text that the scanner says.
    """

    name: str
    built_at: str
    digest: str
    official: bool
    unassessed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Identity:
    """What an answer depends on beside the subject; one that is not `lasting` (a live service) is never remembered."""

    scanner: str
    version: str
    database: Database | None = None
    lasting: bool = True


@dataclass(frozen=True)
class Report:
    """One scanner's answer about one subject; `notes` say what it left out on purpose."""

    scanner: str
    version: str
    subject: str
    assessed: tuple[Kind, ...]
    findings: tuple[Finding, ...]
    database: Database | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Silence:
    """A scanner that gave no answer, and why."""

    scanner: str
    reason: str


@dataclass(frozen=True)
class Count:
    """How many findings of one kind have one severity."""

    kind: Kind
    severity: Severity
    number: int


@dataclass(frozen=True)
class ScanReport:
    """What all scanners said of one image; `silent` were asked and did not answer, `off` were not asked."""

    image: str
    reports: tuple[Report, ...]
    silent: tuple[Silence, ...] = ()
    off: tuple[Silence, ...] = ()

    @property
    def answered(self) -> frozenset[str]:
        """The scanners that answered."""
        return frozenset(report.scanner for report in self.reports)

    @property
    def assessed(self) -> frozenset[Kind]:
        """The kinds that at least one scanner really looked for."""
        return frozenset(kind for report in self.reports for kind in report.assessed)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding once, worst first."""
        return merge(finding for report in self.reports for finding in report.findings)


def merge(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Every finding once, whoever found it: worst first, then by identity. Two secrets of one file stay two."""
    same: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        apart = finding.place if finding.kind is Kind.SECRET else ""
        same.setdefault((finding.identity, finding.version, apart), []).append(finding)
    merged = (reduce(Finding.merged, group) for group in same.values())
    return tuple(sorted(merged, key=lambda one: (-one.severity.rank, one.identity, one.version, one.place)))


def count_findings(findings: Iterable[Finding]) -> tuple[Count, ...]:
    """How many of each kind and severity, worst first; what there is none of is not named."""
    numbers = Counter((finding.kind, finding.severity) for finding in findings)
    counts = (Count(kind, severity, number) for (kind, severity), number in numbers.items())
    return tuple(sorted(counts, key=lambda count: (count.kind, -count.severity.rank, count.severity)))
