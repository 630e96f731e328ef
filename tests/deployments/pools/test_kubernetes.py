"""What Prefect's Kubernetes worker makes of the pool's template: a restricted pod of one kind of run, and nothing secret in it."""

import json
from typing import Any
from uuid import uuid4

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings
from prefect_kubernetes.worker import KubernetesWorkerJobConfiguration

from blocks.domain.pools import Pools
from deployments.declared import read_declared
from deployments.register import register

IMAGE = "registry.test/plugin-pipeline:1"
LABELS = {"plugin-pipeline.io/operation": "o", "plugin-pipeline.io/installation": "i"}
PASSWORD = "name:very-secret"


async def make_job(**variables: Any) -> dict[str, Any]:
    """The Job for a run of which these variables are said, by a worker that knows Prefect's password."""
    pool = read_declared().pools["kubernetes"]
    values = pool.variables_for("plan") | {"labels": LABELS} | variables
    known = {PREFECT_API_URL: "http://prefect.test/api", PREFECT_API_AUTH_STRING: PASSWORD}
    with temporary_settings(known):
        made = await KubernetesWorkerJobConfiguration.from_template_and_values(pool.template_for(IMAGE), values)
        made.prepare_for_flow_run(FlowRun(id=uuid4(), flow_id=uuid4(), name="a-run"))
    job: dict[str, Any] = made.job_manifest
    return job


async def test_a_run_is_of_its_kind_and_says_what_it_is_for() -> None:
    job = await make_job()
    pod = job["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    assert (pod["spec"]["serviceAccountName"], container["image"]) == ("plan", IMAGE)
    assert {"name": "settings", "secret": {"secretName": "run-plan", "defaultMode": 0o440}} in pod["spec"]["volumes"]
    for told in (job["metadata"]["labels"], pod["metadata"]["labels"]):
        assert told.items() >= (LABELS | {"plugin-pipeline.io/kind": "plan"}).items()


async def test_nothing_secret_stands_in_it() -> None:
    """What the worker would hand on is taken away; the run finds it in a file."""
    job = await make_job()
    (container,) = job["spec"]["template"]["spec"]["containers"]
    told = {one["name"]: one["value"] for one in container["env"]}
    assert PASSWORD not in json.dumps(job)
    assert "PREFECT_API_AUTH_STRING" not in told
    assert told["PREFECT_API_URL"] == "http://prefect.test/api"
    assert told["PREFECT_PROFILES_PATH"].startswith("/etc/plugin-pipeline/")
    assert told["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"] == "30"


async def test_it_is_restricted_and_bounded() -> None:
    job = await make_job(memory_limit="3Gi")
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"] == {"cpu": "2", "memory": "3Gi"}
    assert (job["spec"]["backoffLimit"], job["spec"]["activeDeadlineSeconds"], job["spec"]["ttlSecondsAfterFinished"]) == (
        0,
        3600,
        300,
    )
    assert not [one for one in pod["volumes"] if "hostPath" in one]


@pytest.mark.usefixtures("prefect_server")
async def test_every_deployment_has_the_rights_of_its_kind_and_the_pool_the_image() -> None:
    await register(Pools.read("kubernetes"), IMAGE)
    async with get_client() as client:
        template = (await client.read_work_pool("kubernetes")).base_job_template
        kinds = {
            one.name: one.job_variables["kind"] for one in await client.read_deployments() if one.work_pool_name == "kubernetes"
        }
    assert template["variables"]["properties"]["image"]["default"] == IMAGE
    special = {"plan-plugin": "plan", "discover-plugins": "discover"}
    assert kinds == {one.flow: special.get(one.flow, "apply") for one in read_declared().deployments}
