"""How a child of the fork server is started, waited for and counted out: what Prefect's executor wants of a process starter."""

import asyncio
import multiprocessing
from collections.abc import Callable, Mapping
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.process import BaseProcess

import anyio
from anyio.abc import TaskStatus
from prefect.client.schemas.objects import FlowRun
from prefect.runner._control_channel import ControlChannel
from prefect.runner._process_manager import ProcessHandle

from deployments.pools.child import be_ready, run_engine


class Forking:
    """The one fork server of this process."""

    def __init__(self) -> None:
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([run_engine.__module__])

    async def warm(self) -> None:
        """Return when the fork server has imported everything, so that the first run starts as fast as the next."""
        await asyncio.to_thread(lambda: self.fork(be_ready).join())

    def fork(self, target: Callable[..., None], *args: object) -> ForkServerProcess:
        """A child that has begun to run `target`; takes milliseconds once the server is warm.

        Always on the same thread as `ended`: to start a child looks after all others too, and of two threads that ask for one child's exit
        code only one is told; the other takes it for a crash.
        """
        child = self._context.Process(target=target, args=args)
        child.start()
        return child


async def ended(child: BaseProcess) -> None:
    """Return when the child is over and its exit code is known; nothing polls and no thread waits."""
    await anyio.wait_readable(child.sentinel)
    child.join()


class ForkStarter:
    """Starts one flow run in a child; Prefect's executor registers the child, cancels it and tells how it ended."""

    def __init__(self, forking: Forking, channel: ControlChannel, environment: Mapping[str, str], folder: str) -> None:
        self._forking, self._channel, self._environment, self._folder = forking, channel, dict(environment), folder

    async def start(self, flow_run: FlowRun, task_status: TaskStatus[ProcessHandle] = anyio.TASK_STATUS_IGNORED) -> None:
        """Fork, hand the child over, and return when it is over."""
        port, token = self._channel.register(flow_run.id)
        told = self._environment | {"PREFECT__CONTROL_PORT": str(port), "PREFECT__CONTROL_TOKEN": token}
        try:
            child = self._forking.fork(run_engine, told, self._folder)
        except BaseException:
            self._channel.unregister(flow_run.id)
            raise
        task_status.started(ProcessHandle(child))  # type: ignore[arg-type]
        await ended(child)
