"""The embedded work pool: one process that runs each flow run in a child of its own, forked from a server that has imported everything.

Run it with `python -m deployments.pools`. A run that goes wrong harms no other one; what is cancelled on Prefect's page is really
ended. On SIGTERM it takes no new run, gives those on their way `worker_grace` seconds, and then kills what is left: their leases run out
and others go on with their operations.
"""

import asyncio
import contextlib
import logging
import signal
from pathlib import Path
from typing import Any
from uuid import UUID

import anyio
from anyio.abc import TaskStatus
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.responses import WorkerFlowRunResponse
from prefect.flows import load_flow_from_flow_run
from prefect.runner._flow_run_executor import FlowRunExecutor, FlowRunExecutorContext
from prefect.workers.base import BaseJobConfiguration, BaseVariables, BaseWorker, BaseWorkerResult

from blocks.settings import read_settings
from deployments.pools.forking import Forking, ForkStarter

ROOT = Path(__file__).resolve().parent.parent.parent
POOL = "embedded"
LOG = logging.getLogger("plugin-pipeline.worker")


class EmbeddedResult(BaseWorkerResult):
    """How a child ended: its pid and its exit code."""


class EmbeddedWorker(BaseWorker[BaseJobConfiguration, BaseVariables, EmbeddedResult]):
    """Runs flow runs in forked children."""

    type = POOL
    job_configuration = BaseJobConfiguration
    job_configuration_variables = BaseVariables
    _display_name = "Embedded"
    _description = "Runs each flow run in a child process that is forked with everything imported."

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._forking, self._taking = Forking(), True
        self._executors, self._over = FlowRunExecutorContext(), asyncio.Event()

    async def setup(self) -> None:
        """Be ready to fork before the first run is asked for."""
        await self._forking.warm()
        await super().setup()
        # One for all runs: each would open its own subscription to Prefect's cancellations.
        await self._exit_stack.enter_async_context(self._executors)

    async def run(
        self, flow_run: FlowRun, configuration: BaseJobConfiguration, task_status: TaskStatus[int] | None = None
    ) -> EmbeddedResult:
        """Run it in a child and return how that ended."""
        executor = self._executors.create_executor(
            flow_run, self._starter(configuration), resolve_flow=self._flow, propose_submitting=False
        )
        outcome: list[int] = []
        async with anyio.create_task_group() as group:
            handle = await group.start(_execute, executor, outcome)
            if task_status is not None:
                task_status.started(handle.pid)
        (code,) = outcome
        if code:
            await self._end_cancelling(flow_run)
        return EmbeddedResult(status_code=code, identifier=str(handle.pid))

    async def _end_cancelling(self, flow_run: FlowRun) -> None:
        """A run that ended by itself while it was being cancelled is cancelled; Prefect would only find that out after five minutes."""
        seen = await self.client.read_flow_run(flow_run.id)
        if seen.state and seen.state.is_cancelling():
            await self._mark_flow_run_as_cancelled(seen)

    async def drain(self, grace: float) -> None:
        """Take no new run, let those on their way end, and kill what has not after `grace` seconds; returns when none is left."""
        self._taking = False
        self._over.clear()
        with anyio.move_on_after(grace):
            await self._all_over()
        for run in self._executors.process_manager.flow_run_ids():
            LOG.warning("flow run %s did not end within %s s and is killed; another worker goes on with it", run, grace)
            await self._executors.process_manager.kill(run, force=True)
        await self._all_over()

    async def _all_over(self) -> None:
        if self.limiter.borrowed_tokens:
            await self._over.wait()

    def _release_limit_slot(self, flow_run_id: UUID) -> None:
        super()._release_limit_slot(flow_run_id)
        if not self.limiter.borrowed_tokens:
            self._over.set()

    async def _get_scheduled_flow_runs(self) -> list[WorkerFlowRunResponse]:
        return await super()._get_scheduled_flow_runs() if self._taking else []

    def _starter(self, configuration: BaseJobConfiguration) -> ForkStarter:
        told = {name: value for name, value in configuration.env.items() if value is not None}
        return ForkStarter(self._forking, self._executors.control_channel, told, str(ROOT))

    async def _flow(self, flow_run: FlowRun) -> Any:
        return await load_flow_from_flow_run(flow_run)


async def _execute(
    executor: FlowRunExecutor, outcome: list[int], *, task_status: TaskStatus[Any] = anyio.TASK_STATUS_IGNORED
) -> None:
    done = await executor.submit(task_status=task_status)
    outcome.append(1 if done is None or done.status_code is None else done.status_code)


async def work() -> None:
    """Work until SIGTERM or SIGINT."""
    settings, stop = read_settings(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    worker = EmbeddedWorker(work_pool_name=POOL, name=POOL, limit=settings.worker_limit)
    working = asyncio.create_task(worker.start(with_healthcheck=True, printer=LOG.info))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not working.done():
        await worker.drain(settings.worker_grace)
        working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working


def main() -> None:
    """Work as the environment says."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    asyncio.run(work())
