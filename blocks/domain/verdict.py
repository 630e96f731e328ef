"""The verdict on a scan report that passed its gates: by which gates, and what was accepted with it."""

from dataclasses import dataclass

from blocks.domain.findings import Count, Database, ScanReport, Silence, count_findings
from blocks.domain.gates import admit
from blocks.domain.policy import gates_of


@dataclass(frozen=True)
class Verdict:
    """Why an image may run: `admitted_by` are the gates in words, `accepted` what they let through by name.

    `off` names the scanners that were not asked; `counts` is what was found all the same.
    """

    image: str
    environment: str
    admitted_by: tuple[str, ...]
    accepted: tuple[str, ...]
    off: tuple[Silence, ...]
    counts: tuple[Count, ...]


def reach_verdict(report: ScanReport, environment: str) -> Verdict:
    """The verdict of an environment's gates, or `GateRefused` with every objection at once."""
    gates = gates_of(environment)
    admit(report, gates)
    return Verdict(
        image=report.image,
        environment=environment,
        admitted_by=tuple(gate.title for gate in gates),
        accepted=_accepted(report),
        off=report.off,
        counts=count_findings(report.findings),
    )


def _accepted(report: ScanReport) -> tuple[str, ...]:
    """Whatever a report admits without being clean: databases that are not official, missing answers, what was left out."""
    databases = [_say_database(one.database) for one in report.reports if one.database and not one.database.official]
    silent = [f"no answer of {silence.scanner}: {silence.reason}" for silence in report.silent]
    notes = [f"{one.scanner}: {note}" for one in report.reports for note in one.notes]
    return (*databases, *silent, *notes)


def _say_database(database: Database) -> str:
    unassessed = f", which does not assess {', '.join(database.unassessed)}" if database.unassessed else ""
    return f"the database '{database.name}' of {database.built_at}{unassessed}"
