"""Sees to what nobody works on; several keepers may run.

That is operations whose run never began or whose worker died, questions that stood too long, runs that people cancelled on Prefect's
pages, runs that lead nowhere, what was made too late, and what serves and is ill.

Run it with `python -m deployments.keeper`; it stops on SIGTERM. To add a round: write a method and name it in `Keeper.sweep`.
"""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable
from uuid import UUID

from blocks.catalog.audit import Audit
from blocks.catalog.database import open_database
from blocks.catalog.leases import Leases
from blocks.catalog.slots import Slots
from blocks.catalog.starts import Starts
from blocks.catalog.withdrawn import Withdrawals
from blocks.catalog.words import Words
from blocks.domain.approval import Speaker
from blocks.domain.errors import PipelineError
from blocks.domain.pools import Pools
from blocks.settings import Settings, read_settings
from blocks.toolchain import open_seals
from deployments.dispatch import START_TIME, Dispatch, Unregistered
from deployments.health import Rounds, open_rounds
from deployments.heard import hear
from deployments.jobs import describe_jobs
from deployments.late import remove_late
from deployments.register import register

SWEEP_EVERY = 2.0
# A run that is on its way is waited for as long as this, in seconds, before another one is started beside it.
LONGEST_START = 240.0
SEAL_EVERY, SEALED_WITHIN = 60.0, 3600.0
# How long after it was taken back an operation is looked after: a carrier that was stopped for longer is given up.
TIDY_EVERY, TIDIED_WITHIN = 20.0, 3600.0
# Seconds between two looks at whose turn it is to be asked how it is.
LOOK_EVERY = 1.0
# A worker that is so many renewals late is likely dead: the next run is started before the lease has run out.
LATE = 1.75
# A lease that runs out before the next sweep is met this shortly after it did.
JUST_AFTER = 0.02
LOG = logging.getLogger("plugin-pipeline.keeper")
KEEPER = Speaker("keeper", frozenset())
# Nobody signs in on Prefect's pages.
PREFECT_PAGE = Speaker("prefect-ui", frozenset())


class Keeper:
    """One round after another; what goes wrong with one operation is told and keeps no other one waiting."""

    def __init__(self, settings: Settings) -> None:
        self._engine = engine = open_database(settings.database_url)
        self._starts, self._pools = Starts(engine), Pools.read(settings.work_pools)
        self._image, self._kubeconfig = settings.pipeline_image, settings.kubeconfig
        # Operations whose run is on its way, as Prefect said last.
        self._coming = frozenset[UUID]()
        self._dispatch = Dispatch(self._starts, Slots(engine, settings.max_applying), self._pools)
        self._leases, self._words = Leases(engine, settings.lease_ttl), Words(engine, open_seals(settings))
        self._withdrawals = Withdrawals(engine)
        self._audit = Audit(engine, open_seals(settings))
        self._most, self._ttl = settings.max_starts, settings.lease_ttl
        self._early = max(0.0, settings.lease_ttl - LATE * settings.lease_renew)

    async def close(self) -> None:
        """Let the record go."""
        await self._engine.dispose()

    async def sweep(self) -> None:
        """Let every operation go on that can; words come first, because they change what there is to start."""
        await _try("questions that stood too long", self._words.expire())
        await _try("runs cancelled on Prefect's pages", self._hear_cancels())
        await _try("runs that do not begin", self._hear_troubles())
        await _try("operations that wait", self._start_the_idle())
        await _try("workers that fell silent", self._start_beside_the_silent())

    async def pause(self) -> float:
        """Seconds until there is something to see: a lease that is not renewed is met at once, so that its work goes on elsewhere."""
        left = await self._starts.next_expiry()
        if left is None:
            return SWEEP_EVERY
        return min(SWEEP_EVERY, (left - self._early if left > self._early else left) + JUST_AFTER)

    async def seal(self, within: float | None = None) -> None:
        """Seal what writers committed in the last `within` seconds, or ever, and were killed before they could seal it."""
        await _try("entries without a seal", self._audit.catch_up(within))

    async def tidy(self) -> None:
        """Take away what operations made after they had been taken back."""
        await _try("what was made too late", self._remove_late())

    async def _remove_late(self) -> None:
        for name in await remove_late(self._kubeconfig, await self._withdrawals.handed_over(TIDIED_WITHIN)):
            LOG.warning("%s was made by an operation that had been taken back, and is gone again", name)

    async def _hear_cancels(self) -> None:
        carried = await self._starts.on_their_way()
        for run in (await hear(carried)).cancelled:
            # The key makes it one word however often it is heard, even after somebody let the operation go on again.
            word = self._words.cancel(carried[run], PREFECT_PAGE, "cancelled on Prefect's page", key=f"flow-run:{run}")
            await _try(f"cancelling operation {carried[run]}", word)

    async def _hear_troubles(self) -> None:
        waited_for, self._coming = await self._starts.awaited(), frozenset()
        heard = await hear(waited_for)
        self._coming = frozenset(waited_for[run] for run in heard.alive)
        for run, trouble in {**heard.troubles, **await self._ask_cluster(heard.slow | heard.over)}.items():
            # One that is over is not waited for: the first few are followed by another at once, in case it was a worker that went away.
            said = self._starts.say(waited_for[run], run, trouble, over=run in heard.over)
            await _try(f"the trouble of operation {waited_for[run]}", said)

    async def _ask_cluster(self, runs: frozenset[str]) -> dict[str, str]:
        try:
            return await describe_jobs(self._kubeconfig, runs)
        except PipelineError as problem:
            LOG.warning("the cluster does not say why runs do not begin: %s", problem)
            return {}

    async def _start_beside_the_silent(self) -> None:
        # A process takes seconds to start: by the time it is there the lease has run out, or its holder was only slow and it ends quietly.
        for operation in await self._starts.overdue(self._ttl, self._early):
            await _try(f"operation {operation}", self._start(operation))

    async def _start_the_idle(self) -> None:
        hopeless = await self._starts.in_vain(self._most)
        # On a machine that is full another run of what is coming already only makes everything slower; but nobody waits for ever.
        late = self._coming - {*await self._leases.idle(LONGEST_START)}
        for operation in [one for one in await self._leases.idle(START_TIME) if one not in late]:
            go_on = self._freeze(operation) if operation in hopeless else self._start(operation)
            await _try(f"operation {operation}", go_on)

    async def _freeze(self, operation: UUID) -> None:
        reason = f"{self._most} runs were started and none began to work; see the worker's log, mend the cause, then retry"
        await self._words.freeze(operation, KEEPER, reason)

    async def _start(self, operation: UUID) -> None:
        try:
            await self._dispatch(operation)
        except Unregistered:
            for line in await register(self._pools, self._image):
                LOG.info("told Prefect again: %s", line)
            await self._dispatch(operation)


async def _try(what: str, deed: Awaitable[object]) -> None:
    try:
        await deed
    except PipelineError as problem:
        LOG.warning("%s: %s", what, problem)
    except Exception:
        # A mistake of ours with one operation is told whole and must not keep the others waiting.
        LOG.exception("%s", what)


async def keep(settings: Settings, stop: asyncio.Event) -> None:
    """Sweep until told to stop, and beside that see to seals, to what came late and to health: to look long must not keep work waiting."""
    keeper = Keeper(settings)
    async with open_rounds(settings) as rounds:
        await asyncio.gather(_sweep(keeper, stop), _seal(keeper, stop), _tidy(keeper, stop), _look(rounds, stop))
    await keeper.close()


async def _sweep(keeper: Keeper, stop: asyncio.Event) -> None:
    while not stop.is_set():
        await keeper.sweep()
        try:
            pause = await keeper.pause()
        except PipelineError as problem:
            LOG.warning("the record does not answer: %s", problem)
            pause = SWEEP_EVERY
        await _wait(stop, pause)


async def _seal(keeper: Keeper, stop: asyncio.Event) -> None:
    within = None
    while not stop.is_set():
        await keeper.seal(within)
        within = SEALED_WITHIN
        await _wait(stop, SEAL_EVERY)


async def _tidy(keeper: Keeper, stop: asyncio.Event) -> None:
    while not stop.is_set():
        await keeper.tidy()
        await _wait(stop, TIDY_EVERY)


async def _look(rounds: Rounds, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            more = await rounds.look()
        except PipelineError as problem:
            LOG.warning("nobody is asked how it is: %s", problem)
            more = False
        if not more:
            await _wait(stop, LOOK_EVERY)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


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
