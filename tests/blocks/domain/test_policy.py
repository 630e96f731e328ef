"""What each environment lets through, as a table: `tests/cases/gates/policies.yaml`."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter

from blocks.domain.errors import GateRefused
from blocks.domain.findings import Finding, ScanReport, Silence
from blocks.domain.gates import admit
from blocks.domain.policy import POLICIES, gates_of
from tests.blocks.domain.scans import LOCAL, OFFICIAL, make_report

CASES = yaml.safe_load((Path(__file__).resolve().parents[2] / "cases" / "gates" / "policies.yaml").read_text())
FINDINGS = TypeAdapter(list[Finding])
DATABASES = {"official": OFFICIAL, "local": LOCAL, "unnamed": replace(LOCAL, name="unnamed")}


def read_report(said: dict[str, Any]) -> ScanReport:
    """The report that a case speaks of."""
    findings = FINDINGS.validate_python(said.get("findings", []))
    whole = make_report(*findings, database=DATABASES[said.get("database", "official")])
    silent = said.get("silent", [])
    answers = tuple(report for report in whole.reports if report.scanner not in silent)
    return replace(whole, reports=answers, silent=tuple(Silence(name, "it crashed") for name in silent))


@pytest.mark.parametrize("environment", POLICIES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["rule"])
def test_policy_lets_through(case: dict[str, Any], environment: str) -> None:
    """Or refuses with exactly these objections."""
    try:
        admit(read_report(case["report"]), gates_of(environment))
        objections: tuple[str, ...] = ()
    except GateRefused as refused:
        objections = refused.objections
    assert len(objections) == len(case[environment]), objections
    assert all(said.startswith(expected) for said, expected in zip(objections, case[environment], strict=True)), objections


def test_environment_without_a_policy_admits_nothing() -> None:
    """Nobody wrote one, so nobody said yes."""
    assert gates_of("moon") == ()
    with pytest.raises(GateRefused, match="no gates"):
        admit(make_report(), gates_of("moon"))


def test_every_environment_of_a_request_has_a_policy() -> None:
    """The three that a request may name."""
    assert set(POLICIES) == {"dev", "staging", "prod"}
