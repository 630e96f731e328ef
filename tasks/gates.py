"""Judge what the scanners said by the gates of the environment."""

from blocks.domain.findings import ScanReport
from blocks.domain.verdict import Verdict, reach_verdict
from blocks.work import Work
from tasks.kinds import Undo, step


@step(Undo.NEEDLESS)
async def judge(work: Work, report: ScanReport, environment: str) -> Verdict:
    """The verdict, or `GateRefused` with all objections at once, each with its remedy."""
    return reach_verdict(report, environment)
