"""Ask every configured scanner about the image, side by side; what was asked before is remembered."""

import asyncio
import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict

from pydantic import TypeAdapter

from blocks.domain.errors import PipelineError, ScanFailed, StandAside
from blocks.domain.findings import Identity, Report, ScanReport, Silence
from blocks.domain.release import Image, Materials
from blocks.ports.scanners import Scanner
from blocks.work import Work
from tasks.kinds import Undo, step

MEMORY = "scan"
_REPORT: TypeAdapter[Report] = TypeAdapter(Report)


@step(Undo.NEEDLESS, keyed=True)
async def scan(work: Work, scanner: str, image: Image, materials: Materials) -> Report:
    """One scanner's answer; the same subject, version and database are never scanned twice.

    Raises `ScanFailed` or `Transient` when there is no answer that can be trusted, also when an older one is remembered: a database
    that has become stale since is no reason to pass.
    """
    tool: Scanner | None = work.tools.scanners.get(scanner)
    if tool is None:
        raise ScanFailed(f"{scanner} is not configured", "configure it, or take it out of the flow")
    identity = await tool.identify()
    key = _key(tool.subject(image, materials), identity)
    kept = await work.tools.artefacts.find(MEMORY, key) if identity.lasting else None
    if kept is not None:
        return _REPORT.validate_json(kept)
    report = await tool.scan(image, materials, identity)
    if identity.lasting:
        await work.tools.artefacts.keep(MEMORY, key, _REPORT.dump_json(report).decode())
    return report


async def scan_all(work: Work, image: Image, materials: Materials) -> ScanReport:
    """What all scanners say; one that fails is silent with its reason, and the gates judge that. A lost lease is passed on."""
    names = sorted(work.tools.scanners)
    said = await asyncio.gather(*(scan(work, name, image, materials) for name in names), return_exceptions=True)
    answers = dict(zip(names, said, strict=True))
    _raise_unexpected(answers.values())
    return ScanReport(
        image=image.pinned,
        reports=tuple(report for report in answers.values() if isinstance(report, Report)),
        silent=tuple(Silence(name, str(problem)) for name, problem in answers.items() if isinstance(problem, PipelineError)),
        off=tuple(Silence(name, reason) for name, reason in sorted(work.tools.off.items())),
    )


def _raise_unexpected(answers: Iterable[Report | BaseException]) -> None:
    """Raise what is not a scanner's failure: a lost lease, a cancelled run, a defect of ours."""
    for answer in answers:
        if isinstance(answer, StandAside) or (isinstance(answer, BaseException) and not isinstance(answer, PipelineError)):
            raise answer


def _key(subject: str, identity: Identity) -> str:
    asked = json.dumps([subject, asdict(identity)], sort_keys=True)
    return f"{identity.scanner}:{hashlib.sha256(asked.encode()).hexdigest()}"
