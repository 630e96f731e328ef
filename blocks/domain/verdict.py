"""The verdict on a scan report that passed its gates: by which gates, and what was accepted with it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from blocks.domain.findings import Count, Database, ScanReport, Silence, count_findings
from blocks.domain.gates import admit
from blocks.domain.policy import gates_of
from blocks.domain.waivers import Waived, longest


@dataclass(frozen=True)
class Verdict:
    """Why an image may run: `admitted_by` are the gates in words, `accepted` what they let through by name.

    `off` names the scanners that were not asked; `counts` is what was found all the same; `waived` what a gate would have objected to,
    had nobody answered for it.
    """

    image: str
    environment: str
    admitted_by: tuple[str, ...]
    accepted: tuple[str, ...]
    off: tuple[Silence, ...]
    counts: tuple[Count, ...]
    waived: tuple[Waived, ...] = ()

    def told(self) -> dict[str, Any]:
        """The verdict as a plan holds it; one that rests on no waiver says nothing of waivers."""
        whole = asdict(self)
        return whole if self.waived else {name: value for name, value in whole.items() if name != "waived"}


def reach_verdict(report: ScanReport, environment: str, standing: Iterable[Waived] = ()) -> Verdict:
    """The verdict of an environment's gates, or `GateRefused` with every objection at once; `standing` are the waivers that count."""
    gates, waivers = gates_of(environment), longest(standing)
    used = admit(report, gates, waivers.keys())
    return Verdict(
        image=report.image,
        environment=environment,
        admitted_by=tuple(gate.title for gate in gates),
        accepted=_accepted(report),
        off=report.off,
        counts=count_findings(report.findings),
        waived=tuple(waivers[finding] for finding in used),
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
