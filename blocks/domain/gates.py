"""Quality gates: small rules that object to a scan report, and the judge that asks all of them.

To add a gate: write a frozen dataclass with `title` (what it lets through, as words) and `objections(report)`, each objection with its
remedy; name it in `policy.py` for the environments where it applies; add lines to `tests/cases/gates/`. A gate that cannot know objects.
"""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol

from blocks.domain.errors import GateRefused
from blocks.domain.findings import Finding, Kind, Report, ScanReport, Severity


@dataclass(frozen=True)
class Objection:
    """Why a gate says no, and what a person can do about it; `finding` is what could be waived, if it is about one."""

    text: str
    remedy: str
    finding: str = ""

    def __str__(self) -> str:
        waive = f"; or let it be waived as {self.finding}" if self.finding else ""
        return f"{self.text} (remedy: {self.remedy}{waive})"


class Gate(Protocol):
    """One rule about a scan report."""

    @property
    def title(self) -> str:
        """What the gate lets through, in words for the report."""
        ...

    def objections(self, report: ScanReport) -> list[Objection]:
        """Why the report may not pass; empty when it may."""
        ...


@dataclass(frozen=True)
class Answered:
    """Every named scanner answered."""

    scanners: frozenset[str]

    @property
    def title(self) -> str:
        """Names the scanners."""
        return f"answers of {', '.join(sorted(self.scanners))}"

    def objections(self, report: ScanReport) -> list[Objection]:
        """One for each scanner without an answer, with its reason."""
        reasons = {silence.scanner: silence.reason for silence in (*report.off, *report.silent)}
        return [
            Objection(
                f"{name} gave no answer: {reasons.get(name, 'it was not asked')}", f"make {name} answer, then install again"
            )
            for name in sorted(self.scanners - report.answered)
        ]


@dataclass(frozen=True)
class KindsAssessed:
    """Every named kind was really looked for by somebody."""

    kinds: frozenset[Kind]

    @property
    def title(self) -> str:
        """Names the kinds."""
        return f"looked for {', '.join(sorted(self.kinds))}"

    def objections(self, report: ScanReport) -> list[Objection]:
        """One for each kind that nobody looked for."""
        return [
            Objection(f"nobody looked for a {kind}", f"configure a scanner that assesses a {kind}, or mend the one that should")
            for kind in sorted(self.kinds - report.assessed)
        ]


@dataclass(frozen=True)
class DatabaseAccepted:
    """Every database is its scanner's own, or is accepted by its name."""

    names: frozenset[str]

    @property
    def title(self) -> str:
        """Names what is accepted beside official databases."""
        return " or ".join(["official databases", *(f"the database '{name}'" for name in sorted(self.names))])

    def objections(self, report: ScanReport) -> list[Objection]:
        """One for each database that is neither official nor accepted by name."""
        return [objection for one in report.reports for objection in self._of(one)]

    def _of(self, report: Report) -> Iterator[Objection]:
        used = report.database
        if used is None:
            if Kind.VULNERABILITY in report.assessed:
                yield Objection(f"{report.scanner} does not say which database it used", f"give {report.scanner} its database")
        elif not used.official and used.name not in self.names:
            unassessed = f"; it does not assess {', '.join(used.unassessed)}" if used.unassessed else ""
            yield Objection(
                f"{report.scanner} used the database '{used.name}', which is not accepted here{unassessed}",
                f"let {report.scanner} download its own database",
            )


@dataclass(frozen=True)
class NoSecrets:
    """No secret was found."""

    @property
    def title(self) -> str:
        """What it says."""
        return "no secrets"

    def objections(self, report: ScanReport) -> list[Objection]:
        """One for each secret: detector, file and line."""
        return [
            Objection(
                f"a secret ({one.id}) is in {one.subject}{_line(one)}",
                "remove it from the plugin, revoke it where it is valid, and pass it by secretRefs",
                one.identity,
            )
            for one in _of_kind(report, Kind.SECRET)
        ]


@dataclass(frozen=True)
class SeverityAtMost:
    """No vulnerability is worse than `worst`; with `fixable_only`, one that nobody has fixed yet is let through and counted."""

    worst: Severity
    fixable_only: bool = False

    @property
    def title(self) -> str:
        """Names the limit."""
        return f"no vulnerability above {self.worst}{' that has a fix' if self.fixable_only else ''}"

    def objections(self, report: ScanReport) -> list[Objection]:
        """One for each vulnerability above the limit, with the release that mends it."""
        return [
            Objection(
                f"{one.id} ({one.severity}) is in {one.subject} {one.version}".rstrip(),
                f"take {one.subject} {one.fixed_in} or later"
                if one.fixed_in
                else f"do without {one.subject} until there is a fix",
                one.identity,
            )
            for one in _of_kind(report, Kind.VULNERABILITY)
            if one.severity.rank > self.worst.rank and (one.fixed_in or not self.fixable_only)
        ]


@dataclass(frozen=True)
class NoMisconfiguration:
    """No misconfiguration of the image is as bad as `from_severity`, or worse."""

    from_severity: Severity

    @property
    def title(self) -> str:
        """Names the limit."""
        return f"no misconfiguration from {self.from_severity} up"

    def objections(self, report: ScanReport) -> list[Objection]:
        """One for each rule that the image breaks, from the limit up."""
        return [
            Objection(
                f"{one.id} ({one.severity}) in {one.subject}: {one.title}",
                "change the image's recipe so that the rule holds",
                one.identity,
            )
            for one in _of_kind(report, Kind.MISCONFIGURATION)
            if one.severity.rank >= self.from_severity.rank
        ]


@dataclass(frozen=True)
class LicencesAllowed:
    """No package is only to be had under a licence that matches one of the denied patterns (`AGPL-*`)."""

    denied: frozenset[str]

    @property
    def title(self) -> str:
        """Names the denied patterns."""
        return f"no licence of {', '.join(sorted(self.denied))}"

    def objections(self, report: ScanReport) -> list[Objection]:
        """One for each denied licence, with the packages under it."""
        return [
            Objection(
                f"the licence {one.id} of {one.subject} is not allowed",
                "do without these packages, or ask their owners",
                one.identity,
            )
            for one in _of_kind(report, Kind.LICENCE)
            if self._denies(one.id)
        ]

    def _denies(self, expression: str) -> bool:
        """Whether no alternative of an SPDX expression is free of denied licences; a nested one is judged by its worst part."""
        plain = expression.removeprefix("(").removesuffix(")").upper()
        alternatives = [plain.replace("(", " ").replace(")", " ")] if "(" in plain or ")" in plain else plain.split(" OR ")
        return all(any(self._names(word) for word in alternative.split()) for alternative in alternatives)

    def _names(self, licence: str) -> bool:
        return any(fnmatchcase(licence, pattern.upper()) for pattern in self.denied)


def admit(report: ScanReport, gates: Sequence[Gate], waived: AbstractSet[str] = frozenset()) -> tuple[str, ...]:
    """The waived findings that a gate would have objected to, or raise `GateRefused` with all other objections.

    No gates is a refusal.
    """
    if not gates:
        raise GateRefused(("no gates are configured (remedy: write a policy for this environment)",))
    objections = dict.fromkeys(objection for gate in gates for objection in gate.objections(report))
    # What is about no finding is about something that nobody knows, and that nobody can answer for.
    left = dict.fromkeys(str(one) for one in objections if not one.finding or one.finding not in waived)
    if left:
        raise GateRefused(tuple(left))
    return tuple(dict.fromkeys(one.finding for one in objections))


def _of_kind(report: ScanReport, kind: Kind) -> Iterable[Finding]:
    return (finding for finding in report.findings if finding.kind is kind)


def _line(finding: Finding) -> str:
    return f", line {finding.place}" if finding.place else ""
