"""A process of its own that carries an operation by the real flow."""

import asyncio
import multiprocessing
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect.settings import PREFECT_API_URL, PREFECT_LOGGING_TO_API_ENABLED, temporary_settings

import blocks.work
import tasks.verify
from blocks.domain.manifest import InstallRequest
from blocks.settings import Settings
from blocks.toolchain import Toolchain, open_toolchain
from flows.install import install_plugin
from flows.rollback import rollback_plugin
from flows.switch import switch_plugin
from flows.uninstall import uninstall_plugin
from tests.chaos.mortal import Fate, Mortal
from tests.chaos.outside import open_outside

# A child of a process that has imported everything and started nothing: a worker begins within milliseconds. Each child runs the main
# module again, which is pytest's own program as a rule. SciPy is there too:
# beside so many others its import would outlast a lease of one second.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["pytest", "tests.chaos.worker", "scipy.stats"])


@dataclass(frozen=True)
class Job:
    """What a worker carries and where: its settings by their names, the parts in the test's process, Prefect, and its log.

    In a real world the parts are those of the settings.
    """

    verb: str
    operation: UUID
    request: InstallRequest
    settings: Mapping[str, str]
    far: str
    prefect: str
    log: Path
    is_real: bool = False


def run(job: Job, fate: Fate | None) -> None:
    """Carry the operation in this process as far as it goes."""
    _speak_into(job.log)
    os.environ |= dict(job.settings)
    opened: Any = open_toolchain if job.is_real else partial(open_outside, address=job.far)

    @asynccontextmanager
    async def open_mortal(settings: Settings, operation: UUID) -> AsyncIterator[Toolchain]:
        async with opened(settings, operation) as tools:
            yield Mortal(fate, job.far).wears(tools)

    # The two things that are changed here, in this process alone: what the product opens, and how long it waits for a gateway.
    blocks.work.open_toolchain = open_mortal  # type: ignore[attr-defined]
    if not job.is_real:
        tasks.verify.PAUSES = (0.0,)  # type: ignore[assignment]
    with temporary_settings({PREFECT_API_URL: job.prefect, PREFECT_LOGGING_TO_API_ENABLED: False}):
        asyncio.run(_carry(job))


def spawn(job: Job, fate: Fate | None = None) -> BaseProcess:
    """Start a worker process."""
    process = CONTEXT.Process(target=run, args=(job, fate), daemon=True)
    process.start()
    return process


def warm_up() -> None:
    """The first worker need not wait for the imports of all."""
    process = CONTEXT.Process(target=_speak_into, args=(Path(os.devnull),), daemon=True)
    process.start()
    process.join()
    assert process.exitcode == 0


async def _carry(job: Job) -> None:
    match job.verb:
        case "install" | "update":
            await install_plugin(job.request, job.operation, return_state=True)
        case "rollback":
            await rollback_plugin(job.operation, return_state=True)
        case "uninstall":
            await uninstall_plugin(job.operation, return_state=True)
        case _:
            await switch_plugin(job.operation, return_state=True)


def _speak_into(log: Path) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
