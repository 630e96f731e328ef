"""Why a run that is a Job does not begin, asked of an API server in memory."""

import json
from pathlib import Path
from typing import Any

import pytest

from blocks.domain.errors import Unreachable
from deployments.jobs import RUN, describe_jobs
from tests.fakes.cluster import FakeCluster, open_fake_cluster

PODS = Path(__file__).parents[1] / "cases" / "pods"
ROOM = "no room: Error creating: exceeded quota: quota, requested: pods=1"


def make_job(cluster: FakeCluster, run: str) -> None:
    """One whose pods are made by the test."""
    body: dict[str, Any] = {"kind": "Job", "metadata": {"name": f"job-{run}", "namespace": "runs", "labels": {RUN: run}}}
    body |= {"spec": {"suspend": True}}
    cluster.store.create(("jobs", "runs", f"job-{run}"), body, "prefect")


def make_pod(cluster: FakeCluster, run: str, case: str) -> None:
    (pod, *_) = json.loads((PODS / f"{case}.json").read_text())["pods"]
    about = pod["metadata"] | {"name": f"pod-{run}", "namespace": "runs", "labels": {RUN: run}}
    cluster.store.create(("pods", "runs", f"pod-{run}"), pod | {"kind": "Pod", "metadata": about}, "job-controller")


def make_event(cluster: FakeCluster, run: str) -> None:
    about = {"kind": "Job", "name": f"job-{run}", "namespace": "runs"}
    body = {"kind": "Event", "metadata": {"name": f"event-{run}", "namespace": "runs"}, "regarding": about}
    body |= {"reason": "FailedCreate", "note": "Error creating: exceeded quota: quota, requested: pods=1"}
    cluster.store.create(("events", "runs", f"event-{run}"), body, "job-controller")


async def test_the_cluster_says_why(tmp_path: Path) -> None:
    async with open_fake_cluster() as cluster:
        for run in ("full", "lost", "fine"):
            make_job(cluster, run)
        make_event(cluster, "full")
        make_pod(cluster, "lost", "no-such-image")
        make_pod(cluster, "fine", "running")
        told = await describe_jobs(cluster.kubeconfig(tmp_path), ["full", "lost", "fine", "embedded"])
    assert told.keys() == {"full", "lost"}
    assert f"its run does not begin: there is {ROOM}" in told["full"]
    assert "cannot pull its image" in told["lost"]


async def test_nothing_is_asked_where_nobody_waits(tmp_path: Path) -> None:
    assert await describe_jobs(tmp_path / "no such kubeconfig", []) == {}


async def test_a_cluster_that_is_away_says_nothing(tmp_path: Path) -> None:
    async with open_fake_cluster() as cluster:
        kubeconfig = cluster.kubeconfig(tmp_path)
    with pytest.raises(Unreachable):
        await describe_jobs(kubeconfig, ["one"])
