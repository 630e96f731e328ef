"""What a Job that was run as a metric says of the revision: how its container ended, and what it said last.

That it ended well or not is the answer. That it never began, had too little time or memory, or went with its node is none: then nothing
was measured.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from blocks.domain.analysis import Metric
from blocks.domain.diagnosis import Sight, Trouble, diagnose_job
from blocks.domain.job_check import JobCheck
from blocks.domain.metrics import Question, sample_of
from blocks.domain.objects.analysis_job import Run
from blocks.domain.rollout import Sample, Verdict

# Characters of its last words that people are told at most.
TOLD = 200
# What keeps a pod from beginning.
NEVER_BEGINS = {Trouble.QUOTA, Trouble.FORBIDDEN, Trouble.IMAGE, Trouble.CONTAINER, Trouble.MOUNT, Trouble.UNSCHEDULABLE}


def next_run(metric: Metric, check: JobCheck, stage: int, before: Sequence[Sample]) -> Run | None:
    """The run that is to be looked at, after these samples of the stage; None where one has said what there is to know.

    What could not be measured is tried again, and so is what was bad and forgiven.
    """
    taken = [one for one in before if one.name == metric.name]
    answers = (Verdict.GOOD, Verdict.BAD) if metric.dry_run else (Verdict.GOOD,)
    return None if taken and taken[-1].verdict in answers else Run(metric.name, check, stage, len(taken))


def judge_job(asked: tuple[Metric, JobCheck], question: Question, job: Mapping[str, Any], sight: Sight) -> Sample | None:
    """What the Job says; None while it runs, and as long as what keeps it from running may pass."""
    metric, check = asked
    if _condition(job, "Complete"):
        return sample_of(metric, question, Verdict.GOOD, f"{metric.name}: the Job succeeded")
    if failed := _condition(job, "Failed"):
        return _judge_failed(asked, question, failed, _ended(sight.pods))
    found = diagnose_job(sight)
    if found is None or found.trouble not in NEVER_BEGINS or _age(job, question.instant) < min(found.patience, check.deadline):
        return None
    return sample_of(metric, question, Verdict.ERROR, f"{metric.name}: its Job cannot run: {found.sentence}")


def _judge_failed(
    asked: tuple[Metric, JobCheck], question: Question, failed: Mapping[str, Any], ended: Mapping[str, Any]
) -> Sample:
    """What a Job says that did not succeed."""
    metric, check = asked
    if failed.get("reason") == "DeadlineExceeded":
        told = f"{metric.name}: its Job did not end within {check.deadline} s"
        return sample_of(metric, question, Verdict.ERROR, told)
    if ended.get("reason") == "OOMKilled":
        told = f"{metric.name}: its Job was killed because it used more memory than its limit"
        return sample_of(metric, question, Verdict.ERROR, told)
    if not ended:
        told = f"{metric.name}: its Job failed before its container ended: {failed.get('message', 'no message')}"
        return sample_of(metric, question, Verdict.ERROR, told)
    words = str(ended.get("message", "")).strip()[-TOLD:]
    told = f"{metric.name}: the Job ended with exit code {ended['exitCode']}"
    said = f"{told}; its last words: {words}" if words else told
    return sample_of(metric, question, Verdict.BAD, said, ended["exitCode"], 0)


def _condition(job: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    conditions = job.get("status", {}).get("conditions", ())
    return next((one for one in conditions if one["type"] == kind and one["status"] == "True"), {})


def _ended(pods: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """How the container of one of the pods ended that was not well, or nothing if none did."""
    statuses = (one for pod in pods for one in pod.get("status", {}).get("containerStatuses", ()))
    ends = (one.get("state", {}).get("terminated") or {} for one in statuses)
    return next((one for one in ends if one.get("exitCode")), {})


def _age(job: Mapping[str, Any], instant: float) -> float:
    return instant - datetime.fromisoformat(job["metadata"]["creationTimestamp"]).timestamp()
