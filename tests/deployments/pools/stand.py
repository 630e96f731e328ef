"""A Prefect server that knows the toys, and a worker's process on it: what the embedded pool is tried with."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psutil
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Cancelling

from deployments.declared import read_declared
from deployments.pools.embedded import POOL

T = TypeVar("T")
ROOT = Path(__file__).parents[3]
TOYS = "tests.deployments.pools.toys"
PATIENCE = 120.0


class Stand:
    """A Prefect server that knows the toys, and what becomes of their runs."""

    def __init__(self, client: SyncPrefectClient, api: str) -> None:
        self._client, self.api = client, api
        pool = read_declared().pools[POOL]
        wanted = WorkPoolCreate(name=POOL, type=pool.type, base_job_template=pool.template)
        client.request("POST", "/work_pools/", json=wanted.model_dump(mode="json"))

    def start(self, toy: str, variables: dict[str, Any] | None = None, **parameters: Any) -> FlowRun:
        """A run of the toy in the embedded pool."""
        flow = self._client.create_flow_from_name(toy.replace("_", "-"))
        deployment = self._client.create_deployment(flow, toy, entrypoint=f"{TOYS}.{toy}", work_pool_name=POOL)
        return self._client.create_flow_run_from_deployment(deployment, parameters=parameters, job_variables=variables)

    def cancel(self, run: FlowRun) -> None:
        """What somebody does on Prefect's page."""
        self._client.set_flow_run_state(run.id, Cancelling(), force=True)

    def state(self, run: FlowRun) -> StateType | None:
        """How Prefect's page says it stands."""
        return self._client.read_flow_run(run.id).state_type

    def ended(self, run: FlowRun) -> StateType | None:
        """How it ended, once it has."""
        final = {StateType.COMPLETED, StateType.FAILED, StateType.CANCELLED, StateType.CRASHED}
        return wait_for(lambda: self.state(run), lambda state: state in final)


def wait_for(look: Callable[[], T], is_it: Callable[[T], bool]) -> T:
    """What is seen as soon as it is so."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        seen = look()
        if is_it(seen):
            return seen
        time.sleep(0.05)
    raise AssertionError(f"it never came: {seen}")


def begun(page: Path) -> psutil.Process:
    """The process that wrote its number beside the page; by now it may be gone."""
    number = Path(f"{page}.pid")
    return psutil.Process(int(wait_for(lambda: number.read_text() if number.exists() else "", bool)))


@contextmanager
def worker(stand: Stand, folder: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """The worker's process, gone at the end with everything that it started."""
    told = {"PREFECT_API_URL": stand.api, "PREFECT_WORKER_QUERY_SECONDS": "0.2", "PREFECT_HOME": str(folder)}
    told |= {"PREFECT_WORKER_ENABLE_CANCELLATION": "true", "PREFECT_WORKER_WEBSERVER_PORT": "0", "PYTHONPATH": str(ROOT)}
    with (folder / "worker.log").open("ab") as log:
        program = [sys.executable, "-m", "deployments.pools"]
        process = subprocess.Popen(program, cwd=ROOT, env=os.environ | told | environment, stdout=log, stderr=log)
    family = [psutil.Process(process.pid)]
    try:
        yield process
    finally:
        if process.poll() is None:
            family += family[0].children(recursive=True)
        for one in family:
            if one.is_running():
                one.kill()
        process.wait()
