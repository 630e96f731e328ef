"""The same installation as Kubernetes Jobs: only the work pool differs. A Job that dies in the middle is followed by another one.

Tenants called `jobs-…` are configured for the pool `kubernetes` in the local world.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from tests.conftest import World
from tests.e2e.answers import ASK
from tests.e2e.api import FINAL, PATIENCE, Product, locked, slowly
from tests.e2e.conftest import Tenant
from tests.e2e.test_goes_on import has_begun_to_roll_out, versions
from tests.infra import machine

pytestmark = pytest.mark.world
HOME = "plugin-pipeline"
# The world's own secrets, of which none may stand where Jobs are described.
SECRETS = ("prefect_api_auth_string", "database_url", "plugin_database_admin_url")
# Together more than the container may have, each alone less than the run itself, which is then the one to go.
ATE_TOO_MUCH = """
import os, time
open("/proc/1/oom_score_adj", "w").write("1000")
for _ in range(24):
    if not os.fork():
        held = bytearray(96 << 20)
        time.sleep(60)
time.sleep(60)
"""


@pytest.fixture
def other_jobs_tenant(product: Product) -> Iterator[Tenant]:
    """Another one."""
    made = Tenant(product, "jobs")
    yield made
    made.leave()


def jobs_of(product: Product, operation: str) -> list[dict[str, Any]]:
    """Every Job that was made for the operation, the oldest first."""
    said = product.kubectl("get", "jobs", "-n", HOME, "-l", f"plugin-pipeline.io/operation={operation}", "-o", "json")
    return sorted(json.loads(said)["items"], key=lambda job: str(job["metadata"]["creationTimestamp"]))


def pods_of(product: Product, operation: str) -> list[dict[str, Any]]:
    """Every pod that is there for the operation."""
    said = product.kubectl("get", "pods", "-n", HOME, "-l", f"plugin-pipeline.io/operation={operation}", "-o", "json")
    return list(json.loads(said)["items"])


def await_so(look: Callable[[], bool], wanted: str) -> None:
    """Look often: some of what is waited for lasts only a second."""
    ends = time.monotonic() + PATIENCE
    while not look():
        assert time.monotonic() < ends, f"it never came: {wanted}"
        time.sleep(0.05)


def begin(product: Product, tenant: Tenant, plugin: str) -> dict[str, Any]:
    """An installation whose revision is being rolled out by a Job right now, and will be for a while."""
    request = product.request(plugin, tenant.name)
    accepted = product.ask(slowly(request, 15) if plugin == "service" else request)
    tenant.adopt(accepted["id"])
    await_so(lambda: is_that_far(product.see(accepted["id"])), "the rollout")
    return accepted


def is_that_far(seen: Mapping[str, Any]) -> bool:
    """Whether it is being rolled out; one that is over will not be."""
    assert seen["phase"] not in FINAL, seen["operation"]
    return has_begun_to_roll_out(seen)


@pytest.mark.parametrize("plugin", ["backend", pytest.param("frontend", marks=pytest.mark.long)])
def test_a_plugin_is_installed_by_a_job_that_shows_no_secret(
    product: Product, jobs_tenant: Tenant, world: World, plugin: str
) -> None:
    accepted = product.ask(product.request(plugin, jobs_tenant.name))
    jobs_tenant.adopt(accepted["id"])
    seen = product.await_end(accepted)
    assert seen["phase"] == "succeeded", seen["operation"]["reason"]
    assert ASK[plugin](product, seen) == locked(seen)
    (job,) = jobs_of(product, accepted["operation"])
    assert job["metadata"]["labels"]["plugin-pipeline.io/installation"] == accepted["id"]
    pod = job["spec"]["template"]["spec"]
    assert (pod["serviceAccountName"], job["spec"]["backoffLimit"]) == ("apply", 0)
    assert job["spec"]["ttlSecondsAfterFinished"] > 0
    assert job["spec"]["activeDeadlineSeconds"] > 0
    told = json.dumps([job, *pods_of(product, accepted["operation"])])
    for secret in SECRETS:
        password = getattr(world, secret).partition("@")[0].rpartition(":")[2]
        assert len(password) > 20
        assert password not in told


def delete(product: Product, pod: str) -> None:
    product.kubectl("delete", "pod", pod, "-n", HOME, "--wait=false")


def kill(product: Product, pod: str) -> None:
    product.kubectl("delete", "pod", pod, "-n", HOME, "--wait=false", "--force", "--grace-period=0")


def evict(product: Product, pod: str) -> None:
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": HOME}}
    product.kubectl("create", "--raw", f"/api/v1/namespaces/{HOME}/pods/{pod}/eviction", "-f", "-", told=json.dumps(eviction))


def starve(product: Product, pod: str) -> None:
    # the container's end takes the answer with it
    with pytest.raises(AssertionError, match="exit code 137"):
        product.kubectl("exec", pod, "-n", HOME, "--", "python", "-c", ATE_TOO_MUCH)


def assert_ended_once(product: Product, accepted: Mapping[str, Any], before: Mapping[str, str], namespace: str) -> dict[str, Any]:
    """The installation, after the same operation succeeded; what was made before is made once."""
    seen = product.await_end(accepted)
    assert (seen["phase"], seen["operation"]["id"]) == ("succeeded", accepted["operation"]), seen["operation"]
    after = versions(product, namespace)
    assert {name: after.get(name) for name in before} == before
    return seen


@pytest.mark.parametrize("end", [pytest.param(evict, id="evicted"), pytest.param(delete, id="deleted", marks=pytest.mark.long)])
def test_a_pod_that_is_sent_away_harms_nothing(
    product: Product, jobs_tenant: Tenant, end: Callable[[Product, str], None]
) -> None:
    """It has seconds left: either it ends its work in them, or another Job does."""
    accepted = begin(product, jobs_tenant, "service")
    before = versions(product, f"{jobs_tenant.name}-dev")
    (pod,) = pods_of(product, accepted["operation"])
    end(product, pod["metadata"]["name"])
    assert_ended_once(product, accepted, before, f"{jobs_tenant.name}-dev")
    await_so(lambda: is_over(product, pod), "Prefect's page tells that the run is over")


@pytest.mark.parametrize(
    ("end", "plugin", "path"),
    [
        pytest.param(kill, "service", "/hello", id="killed"),
        pytest.param(starve, "backend", "/.plugin-pipeline/release", id="out of memory", marks=pytest.mark.long),
    ],
)
def test_an_operation_outlives_its_pod(
    product: Product, jobs_tenant: Tenant, end: Callable[[Product, str], None], plugin: str, path: str
) -> None:
    """Another Job takes it up and ends it right."""
    accepted = begin(product, jobs_tenant, plugin)
    before, attempt = versions(product, f"{jobs_tenant.name}-dev"), product.see(accepted["id"])["operation"]["attempt"]
    (pod,) = pods_of(product, accepted["operation"])
    end(product, pod["metadata"]["name"])
    seen = assert_ended_once(product, accepted, before, f"{jobs_tenant.name}-dev")
    assert seen["operation"]["attempt"] > attempt
    assert len(jobs_of(product, accepted["operation"])) > 1
    assert product.await_answer(seen, path, 200).status == 200
    await_so(lambda: is_over(product, pod), "Prefect's page tells that the run is over")


def is_over(product: Product, pod: Mapping[str, Any]) -> bool:
    """Whether Prefect knows that the run of this pod is over: its worker watches pods and Jobs."""
    run = pod["metadata"]["labels"]["prefect.io/flow-run-id"]
    return product.prefect.get(f"flow_runs/{run}").json()["state_type"] not in ("PENDING", "RUNNING", "SCHEDULED")


@pytest.mark.long
@pytest.mark.usefixtures("alone")
def test_jobs_outlive_their_worker_and_wait_for_it(product: Product, jobs_tenant: Tenant, other_jobs_tenant: Tenant) -> None:
    """What runs goes on without it; what is asked for meanwhile begins when it is back."""
    accepted = begin(product, jobs_tenant, "service")
    attempt, before = product.see(accepted["id"])["operation"]["attempt"], machine.process("kubernetes-worker")
    machine.kill(str(before["pid"]))
    later = other_jobs_tenant.install(product.request("service", other_jobs_tenant.name))
    seen = product.await_end(accepted)
    assert (seen["phase"], seen["operation"]["attempt"]) == ("succeeded", attempt), seen["operation"]
    assert later["phase"] == "succeeded", later["operation"]
    assert machine.process("kubernetes-worker")["restarts"] > before["restarts"]


@pytest.mark.long
@pytest.mark.usefixtures("alone")
def test_a_job_outlives_prefects_server(product: Product, jobs_tenant: Tenant) -> None:
    accepted = begin(product, jobs_tenant, "service")
    before = versions(product, f"{jobs_tenant.name}-dev")
    machine.kill(str(machine.process("prefect")["pid"]))
    assert_ended_once(product, accepted, before, f"{jobs_tenant.name}-dev")
