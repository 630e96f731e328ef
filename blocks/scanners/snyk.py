"""Snyk: vulnerabilities of an image, by Snyk's own program and service.

Known only by its documentation and by recorded answers: nobody here has asked the real service. It is off unless a token is configured.
The token goes to the program in its environment, never in an argument or a message.
"""

import re
from dataclasses import dataclass, replace

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from blocks.domain.errors import ScanFailed, Transient
from blocks.domain.findings import Database, Finding, Identity, Kind, Report, Severity
from blocks.domain.release import Image, Materials
from blocks.scanners.program import Answer, Program

NAME = "snyk"
CLEAN, FOUND, FAILED = 0, 1, 2
VERSION = re.compile(r"^\s*(\d+\.\d+\.\d+)")
# The service changes from minute to minute and does not say its version.
SERVICE = Database("Snyk's service", "unknown", "", official=True)
REFUSALS = ("authenticat", "unauthorized", "forbidden", "401", "403", "token")


class _Said(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, frozen=True)


class _Identifiers(BaseModel):
    cve: tuple[str, ...] = ()
    ghsa: tuple[str, ...] = ()

    model_config = ConfigDict(alias_generator=str.upper, frozen=True)


class _Issue(_Said):
    id: str
    title: str = ""
    severity: str = "unknown"
    type: str = ""
    license: str = ""
    package_name: str
    version: str = ""
    identifiers: _Identifiers = _Identifiers()
    fixed_in: tuple[str, ...] = ()
    nearest_fixed_in_version: str | None = None


class _Project(_Said):
    """One answer: the operating system's packages, or one application in the image."""

    ok: bool
    vulnerabilities: tuple[_Issue, ...]
    dependency_count: int = 0
    applications: "tuple[_Project, ...]" = ()


class _Failure(_Said):
    ok: bool
    error: str


_PROJECTS: TypeAdapter[tuple[_Project, ...] | _Project] = TypeAdapter(tuple[_Project, ...] | _Project)


@dataclass(frozen=True)
class Snyk:
    """The Snyk program, with its token as SNYK_TOKEN in the program's environment."""

    program: Program

    @classmethod
    def with_token(cls, program: Program, token: str) -> "Snyk":
        """Snyk on behalf of the token's owner."""
        return cls(replace(program, environment={**program.environment, "SNYK_TOKEN": token, "SNYK_DISABLE_ANALYTICS": "1"}))

    def subject(self, image: Image, materials: Materials) -> str:  # noqa: ARG002  # every scanner is asked the same
        """The image's digest."""
        return image.digest

    async def identify(self) -> Identity:
        """The program's version; never remembered, because the service behind it changes."""
        answer = await self.program.run("--version")
        said = VERSION.match(answer.out)
        if answer.code or said is None:
            raise ScanFailed(f"snyk has no known version: {answer.last_words}", "install the npm package snyk")
        return Identity(NAME, said[1], SERVICE, lasting=False)

    async def scan(self, image: Image, materials: Materials, identity: Identity) -> Report:  # noqa: ARG002
        """What Snyk knows of the image with this digest."""
        answer = await self.program.run("container", "test", image.pinned, "--json")
        projects = _read_projects(answer)
        assessed = (Kind.VULNERABILITY,) if any(project.dependency_count for project in projects) else ()
        findings = tuple(dict.fromkeys(_read_issue(issue) for project in projects for issue in project.vulnerabilities))
        return Report(NAME, identity.version, image.digest, assessed, findings, identity.database)


def _read_projects(answer: Answer) -> tuple[_Project, ...]:
    """Every project of a whole answer, or `ScanFailed` or `Transient`."""
    if answer.code not in (CLEAN, FOUND):
        raise _explain(answer)
    try:
        said = _PROJECTS.validate_json(answer.out)
    except ValidationError as problem:
        raise ScanFailed(
            f"snyk's report cannot be read or is cut off: {answer.last_words}", "try again; if it stays so, report it"
        ) from problem
    roots = said if isinstance(said, tuple) else (said,)
    projects = tuple(one for root in roots for one in (root, *root.applications))
    found = any(project.vulnerabilities for project in projects)
    if not projects or found != (answer.code == FOUND) or any(project.ok and project.vulnerabilities for project in projects):
        raise ScanFailed(
            f"snyk's exit code {answer.code} and its report contradict each other", "try again; if it stays so, report it"
        )
    return projects


def _explain(answer: Answer) -> ScanFailed | Transient:
    """What an exit code means that comes without an answer: 2 is "try again" unless Snyk refuses us, anything else is final."""
    try:
        said = _Failure.model_validate_json(answer.out).error
    except ValidationError:
        said = answer.last_words
    text = f"snyk ended with exit code {answer.code}: {said[:300]}"
    if answer.code == FAILED and not any(word in said.lower() for word in REFUSALS):
        return Transient(text, "Snyk asks to try again")
    return ScanFailed(
        text, "is the token valid, and may it test containers?" if answer.code == FAILED else "its own words say why"
    )


def _read_issue(issue: _Issue) -> Finding:
    known = {severity.value for severity in Severity}
    severity = Severity(issue.severity) if issue.severity in known else Severity.UNKNOWN
    if issue.type == "license":
        return Finding(Kind.LICENCE, issue.license or issue.id, issue.package_name, severity, issue.version, found_by=(NAME,))
    # A CVE is what other scanners call it too, so that one fault found twice is one finding.
    name = next(iter((*issue.identifiers.cve, *issue.identifiers.ghsa, issue.id)))
    fix = issue.nearest_fixed_in_version or next(iter(issue.fixed_in), "")
    return Finding(Kind.VULNERABILITY, name, issue.package_name, severity, issue.version, "", issue.title, fix, (NAME,))
