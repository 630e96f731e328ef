"""How Trivy's JSON report (schema 2) reads as findings."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_pascal

from blocks.domain.findings import Finding, Kind, Severity
from blocks.domain.release import Image

BY = ("trivy",)
NAMED = 5


class Said(BaseModel):
    """A part of Trivy's answer; what is not read here is left alone."""

    model_config = ConfigDict(alias_generator=to_pascal, frozen=True)


class _Rated(Said):
    severity: str = "UNKNOWN"

    @property
    def rating(self) -> Severity:
        """Trivy's word for it; a word that is new to us is not known."""
        known = {severity.value for severity in Severity}
        return Severity(self.severity.lower()) if self.severity.lower() in known else Severity.UNKNOWN


class _Vulnerability(_Rated):
    model_config = ConfigDict(alias_generator=lambda name: "VulnerabilityID" if name == "vulnerability_id" else to_pascal(name))

    vulnerability_id: str
    pkg_name: str
    installed_version: str
    fixed_version: str = ""
    pkg_path: str = ""
    title: str = ""


class _Misconfiguration(_Rated):
    model_config = ConfigDict(alias_generator=lambda name: "ID" if name == "id" else to_pascal(name))

    id: str
    title: str = ""
    status: str = "FAIL"


class _Secret(_Rated):
    model_config = ConfigDict(alias_generator=lambda name: "RuleID" if name == "rule_id" else to_pascal(name))

    rule_id: str
    start_line: int = 0


class _Licence(_Rated):
    name: str
    pkg_name: str = ""
    file_path: str = ""


class _Summary(Said):
    successes: int = 0
    failures: int = 0


class Result(Said):
    """One target inside the image: the packages of a kind, a configuration, licences."""

    target: str
    packages: tuple[dict[str, object], ...] = ()
    vulnerabilities: tuple[_Vulnerability, ...] = ()
    misconf_summary: _Summary = _Summary()
    misconfigurations: tuple[_Misconfiguration, ...] = ()
    secrets: tuple[_Secret, ...] = ()
    licenses: tuple[_Licence, ...] = ()


class _Metadata(Said):
    repo_digests: tuple[str, ...] = ()


class TrivyReport(Said):
    """Trivy's whole answer; another schema is another language."""

    schema_version: Literal[2]
    artifact_name: str
    metadata: _Metadata = _Metadata()
    results: tuple[Result, ...] = ()

    def is_about(self, image: Image) -> bool:
        """Whether the registry gave Trivy the very image that was asked for."""
        return any(name.endswith(f"@{image.digest}") for name in self.metadata.repo_digests)


def read_kinds(results: Sequence[Result]) -> tuple[Kind, ...]:
    """The kinds that Trivy really had something to look at for: packages, checks, licences. Finding nothing to judge is not judging."""
    seen = {
        Kind.VULNERABILITY: any(result.packages for result in results),
        Kind.MISCONFIGURATION: any(result.misconf_summary.successes + result.misconf_summary.failures for result in results),
        Kind.LICENCE: any(result.licenses for result in results),
    }
    return tuple(kind for kind, looked in seen.items() if looked)


def read_findings(results: Sequence[Result]) -> tuple[Finding, ...]:
    """Everything found; packages under one licence are one finding."""
    each = (finding for result in results for finding in _read_result(result))
    return (*each, *_read_licences(licence for result in results for licence in result.licenses))


def _read_result(result: Result) -> Iterator[Finding]:
    for one in result.vulnerabilities:
        yield Finding(
            Kind.VULNERABILITY,
            one.vulnerability_id,
            one.pkg_name,
            one.rating,
            version=one.installed_version,
            place=one.pkg_path or result.target,
            title=one.title,
            fixed_in=one.fixed_version,
            found_by=BY,
        )
    for fault in result.misconfigurations:
        if fault.status == "FAIL":
            yield Finding(
                Kind.MISCONFIGURATION, fault.id, "the image's configuration", fault.rating, title=fault.title, found_by=BY
            )
    for secret in result.secrets:
        place = str(secret.start_line or "")
        yield Finding(Kind.SECRET, secret.rule_id, result.target, Severity.CRITICAL, place=place, found_by=BY)


def _read_licences(licences: Iterable[_Licence]) -> Iterator[Finding]:
    # Hundreds of packages share a licence: one finding each would drown everything else in the journal.
    users: defaultdict[tuple[str, Severity], set[str]] = defaultdict(set)
    for licence in licences:
        users[licence.name, licence.rating].add(licence.pkg_name or licence.file_path)
    for (name, rating), packages in sorted(users.items()):
        named = ", ".join(sorted(packages)[:NAMED])
        more = f" and {len(packages) - NAMED} more" if len(packages) > NAMED else ""
        yield Finding(Kind.LICENCE, name, f"{named}{more}", rating, title=f"packages: {len(packages)}", found_by=BY)
