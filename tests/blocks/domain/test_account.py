"""The account tells what happened and leaves out what did not; the same text wherever it is read."""

from typing import Any
from uuid import UUID

import pytest
from pydantic import TypeAdapter

from blocks.domain.account import Links, give_account
from blocks.domain.findings import Database, Finding, Kind, Report, Severity, Silence
from blocks.domain.journal import Phase, Reason
from blocks.domain.plan import Plan
from blocks.domain.release import Image, PassedOver, Release, Resolution
from blocks.domain.status import InstallationView, OperationView, StepState, StepView
from blocks.domain.verdict import Verdict
from blocks.domain.waivers import Waived

ID = UUID(int=1)
DATABASE = Database("local advisories", "2026-01-01", "sha256:d", official=False, unassessed=("Debian packages",))
RELEASE = Release("hello", "1.0.0", "sha512-abc", "here")
FINDING = Finding(Kind.VULNERABILITY, "CVE-1", "minimist", Severity.LOW)
PLAN = Plan("h", "d", "default-dev", "hello", 1, 1, "i", "h", "u", "/", "/", "/", "", ("Deployment/hello-r1",), ())
RESULTS = {
    "resolve": Resolution(RELEASE, "sha256:l", 12, "it is the newest", (PassedOver("2.0.0", "errors@2 is not published"),)),
    "build": Image("registry/hello", "sha256:i", "key"),
    "scan:trivy": Report("trivy", "0.72", "sha256:i", (Kind.VULNERABILITY,), (FINDING,), DATABASE),
    "scan:trufflehog": Report("trufflehog", "3.90", "sha256:i", (Kind.SECRET,), ()),
    "judge": Verdict(
        "i",
        "dev",
        ("no secrets", "no licence of AGPL-*, SSPL-*"),
        ("local advisories",),
        (Silence("snyk", "no token is configured"),),
        (),
        (Waived("licence:AGPL-3.0:a", "team-search", "only a build tool", 1_800_000_000_000),),
    ),
    "make_plan": PLAN,
}


def seen(results: dict[str, Any], reason: Reason | None = None) -> InstallationView:
    """An installation whose newest operation has these results."""
    steps = [
        StepView(name, StepState.DONE, 0, 1500, TypeAdapter(type(value)).dump_json(value).decode())
        for name, value in results.items()
    ]
    running = StepView("roll_out", StepState.RUNNING, 0)
    operation = OperationView(ID, ID, "install", Phase.APPLYING, "ann", 1, "run", reason, 0, 0, (*steps, running))
    return InstallationView(ID, "default", "dev", "hello", "hello", "default-dev", 0, operation)


@pytest.mark.parametrize(
    "said",
    [
        "# install hello for default/dev: applying",
        "hello 1.0.0, 12 packages locked",
        "integrity `sha512-abc`",
        "passed over 2.0.0: errors@2 is not published",
        "`registry/hello@sha256:i`",
        "| trivy 0.72 | vulnerability | 1 low vulnerability | local advisories of 2026-01-01; does not assess Debian packages |",
        "| trufflehog 3.90 | secret | nothing | its own rules |",
        "- passed: no secrets",
        "- passed: no licence of AGPL-\\*, SSPL-\\*",
        "- accepted: local advisories",
        "- waived: licence:AGPL-3.0:a (team-search answers for it until 2027-01-15: only a build tool)",
        "- off: snyk (no token is configured)",
        "- Deployment/hello-r1",
        "| resolve | done | 1.5 |",
        "| roll_out | running |  |",
        "- plugin: http://plugin",
    ],
)
def test_tells_what_happened(said: str) -> None:
    """Each in its own line."""
    assert said in give_account(seen(RESULTS), Links("http://plugin", "http://api", ""))


def test_leaves_out_what_did_not_happen() -> None:
    """No empty section and no empty link."""
    account = give_account(seen({}), Links("", "http://api", ""))
    headings = [line for line in account.splitlines() if line.startswith("## ")]
    assert headings == ["## Steps", "## Links"]
    assert "plugin: " not in account


@pytest.mark.parametrize("hint", ["see the spelling", ""])
def test_tells_why_it_failed_and_what_to_do(hint: str) -> None:
    """At the top."""
    account = give_account(seen({}, Reason("unresolvable", "no such release", hint)), Links("", "", ""))
    assert "**unresolvable**: no such release" in account
    assert hint in account
