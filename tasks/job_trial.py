"""The Jobs of a plan's stages, tried when it is made: what the cluster will never take is told then, and not in the middle."""

from collections.abc import Mapping
from typing import Any

from blocks.domain.errors import Refused
from blocks.domain.objects.analysis_job import Run, describe_run, is_let_in
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.phases import Phase
from blocks.domain.plan import objects_of
from blocks.domain.stages import jobs_of
from blocks.work import Work
from tasks.preview import raise_objections, try_all


async def try_jobs(work: Work, hashed: Mapping[str, Any]) -> tuple[Object, ...]:
    """The pods of the Jobs that run together at a stage, which the cluster would take; otherwise `Refused` with all that it says."""
    names, workload = hashed["names"], objects_of(hashed)[Phase.WORKLOAD]
    runs = [Run(one.name, one.job, 1) for one in jobs_of(hashed) if one.job]
    if runs and not is_let_in(workload):
        told = f"the Job of {runs[0].metric} has no proxy of Linkerd's, so the plugin would not let it in"
        raise Refused(told, "ask the revision by http instead")
    jobs = [describe_run(workload, f"{names['slug']}-r{hashed['revision']}", names["host"], one) for one in runs]
    raise_objections((await try_all(work, jobs)).values(), of_room=False)
    return tuple(one["spec"]["template"]["spec"] for one in jobs)
