"""Why runs that are Kubernetes Jobs do not begin, in the cluster's own words: Prefect only knows that no pod came."""

from collections.abc import Iterable
from pathlib import Path

from blocks.cluster.live import open_cluster
from blocks.domain.diagnosis import Sight, diagnose_job
from blocks.ports.cluster import Cluster, View

# What Prefect's worker puts on the Job and the pod of a run.
RUN = "prefect.io/flow-run-id"


async def describe_jobs(kubeconfig: Path | None, runs: Iterable[str]) -> dict[str, str]:
    """What is the matter with those of these flow runs that are Jobs, a sentence each; raises what the cluster raises."""
    asked = sorted(runs)
    if not asked:
        return {}
    async with open_cluster(kubeconfig) as cluster:
        told = {run: await _describe(cluster, run) for run in asked}
    return {run: sentence for run, sentence in told.items() if sentence}


async def _describe(cluster: Cluster, run: str) -> str:
    pods, events = await cluster.find(View("Pod", labels={RUN: run})), []
    if not pods:
        for job in await cluster.find(View("Job", labels={RUN: run})):
            about = {"regarding.kind": "Job", "regarding.name": job["metadata"]["name"]}
            events += await cluster.find(View("Event", job["metadata"]["namespace"], fields=about))
    found = diagnose_job(Sight(None, pods, events))
    return f"its run does not begin: {found.summary}; {found.resolution}" if found else ""
