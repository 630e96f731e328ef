"""The account of one installation, as Markdown: what was resolved, built, scanned, judged, made, and how long each step took.

It is made from the journal's results alone, so that the Prefect artifact, the API and the terminal tell the same story.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydantic import TypeAdapter

from blocks.domain.findings import Count, Report, count_findings
from blocks.domain.plan import Plan
from blocks.domain.release import Image, Resolution
from blocks.domain.status import InstallationView, StepView
from blocks.domain.verdict import Verdict

T = TypeVar("T")


@dataclass(frozen=True)
class Links:
    """Where a reader can go on: the plugin itself, the installation in the API, the flow run in the Prefect UI."""

    plugin: str
    installation: str
    flow_run: str


def give_account(view: InstallationView, links: Links) -> str:
    """The whole account; sections whose steps have not happened are left out."""
    results = {step.name: step.result for step in view.operation.steps if step.result != "null"}
    sections = [_heading(view), *_resolved(results), *_built(results), *_scanned(results), *_judged(results), *_made(results)]
    return "\n\n".join([*sections, _times(view.operation.steps), _where(links)]) + "\n"


def _heading(view: InstallationView) -> str:
    operation = view.operation
    said = f"# {operation.verb} {view.plugin} for {view.tenant}/{view.environment}: {operation.phase}"
    if operation.reason is None:
        return said
    hint = f"\n\n{operation.reason.hint}" if operation.reason.hint else ""
    return f"{said}\n\n**{operation.reason.code}**: {operation.reason.message}{hint}"


def _resolved(results: Mapping[str, str]) -> Iterator[str]:
    for found in _read(results, "resolve", Resolution):
        release = found.release
        passed = "".join(f"\n- passed over {one.version}: {one.reason}" for one in found.passed_over)
        yield (
            f"## Resolved\n{release.name} {release.version}, {found.packages} packages locked.\n\n"
            f"- integrity `{release.integrity}`\n- {_plain(found.why)}{passed}"
        )


def _built(results: Mapping[str, str]) -> Iterator[str]:
    for image in _read(results, "build", Image):
        yield f"## Image\n`{image.pinned}`"


def _scanned(results: Mapping[str, str]) -> Iterator[str]:
    rows = [row for name in results if name.startswith("scan:") for row in map(_scan_row, _read(results, name, Report))]
    if rows:
        yield "\n".join(["## Scans", "| scanner | looked for | found | looked up in |", "| --- | --- | --- | --- |", *rows])


def _scan_row(report: Report) -> str:
    looked = ", ".join(report.assessed)
    known = report.database
    unassessed = f"; does not assess {', '.join(known.unassessed)}" if known and known.unassessed else ""
    source = f"{known.name} of {known.built_at}{unassessed}" if known else "its own rules"
    return f"| {report.scanner} {report.version} | {looked} | {_say_counts(count_findings(report.findings))} | {source} |"


def _say_counts(counts: tuple[Count, ...]) -> str:
    return ", ".join(f"{count.number} {count.severity} {count.kind}" for count in counts) or "nothing"


def _judged(results: Mapping[str, str]) -> Iterator[str]:
    for verdict in _read(results, "judge", Verdict):
        lines = [f"- passed: {_plain(gate)}" for gate in verdict.admitted_by]
        lines += [f"- accepted: {_plain(one)}" for one in verdict.accepted]
        lines += [f"- waived: {_plain(str(one))}" for one in verdict.waived]
        lines += [f"- off: {one.scanner} ({one.reason})" for one in verdict.off]
        yield "\n".join(["## Verdict: admitted", *lines])


def _made(results: Mapping[str, str]) -> Iterator[str]:
    for plan in _read(results, "make_plan", Plan):
        yield "\n".join([f"## Objects in {plan.namespace}", *(f"- {one}" for one in plan.objects)])


def _times(steps: tuple[StepView, ...]) -> str:
    rows = [f"| {step.name} | {step.state} | {'' if step.seconds is None else f'{step.seconds:.1f}'} |" for step in steps]
    return "\n".join(["## Steps", "| step | state | seconds |", "| --- | --- | ---: |", *rows])


def _where(links: Links) -> str:
    named = (("plugin", links.plugin), ("installation", links.installation), ("flow run", links.flow_run))
    return "\n".join(["## Links", *(f"- {name}: {address}" for name, address in named if address)])


def _plain(words: str) -> str:
    """The words without what Markdown takes for emphasis: a range and a licence's pattern have asterisks of their own."""
    return words.replace("*", "\\*")


def _read(results: Mapping[str, str], step: str, shape: type[T]) -> Iterator[T]:
    """The step's result, if there is one."""
    if step in results:
        yield TypeAdapter(shape).validate_json(results[step])
