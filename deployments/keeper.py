"""Take up again what nobody works on: operations whose run never began, or whose worker died. Several keepers may run.

Run it with `python -m deployments.keeper`; it stops on SIGTERM.
"""

import asyncio
import contextlib
import logging
import signal

from blocks.catalog.database import open_database
from blocks.catalog.leases import Leases
from blocks.catalog.operations import Operations
from blocks.domain.errors import PipelineError
from blocks.settings import Settings, read_settings
from deployments.dispatch import dispatch

SWEEP_EVERY = 2.0
# A run that was started needs this long at most to take its lease (a worker's poll and a Python start on a busy machine).
START_TIME = 60.0
LOG = logging.getLogger("plugin-pipeline.keeper")


async def sweep(operations: Operations, leases: Leases) -> int:
    """Start a run for each operation that waits for one; returns how many were started."""
    started = 0
    for operation in await leases.idle(START_TIME):
        try:
            await dispatch(operations, operation)
            started += 1
        except PipelineError as problem:
            LOG.warning("operation %s waits: %s", operation, problem)
    return started


async def keep(settings: Settings, stop: asyncio.Event) -> None:
    """Sweep until told to stop."""
    engine = open_database(settings.database_url)
    operations, leases = Operations(engine), Leases(engine, settings.lease_ttl)
    while not stop.is_set():
        try:
            await sweep(operations, leases)
        except PipelineError as problem:
            LOG.warning("no sweep: %s", problem)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), SWEEP_EVERY)
    await engine.dispose()


async def main() -> None:
    """Keep until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await keep(read_settings(), stop)


if __name__ == "__main__":
    asyncio.run(main())
