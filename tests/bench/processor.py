"""Processor time of the whole machine over time, so that a step's share can be told whoever did its work: us, Docker, a scanner, a pod."""

import asyncio
import os
import time
from bisect import bisect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

EVERY = 0.05
TICKS = os.sysconf("SC_CLK_TCK")


class Meter:
    """Samples of (time, processor seconds used since boot)."""

    def __init__(self) -> None:
        self._at: list[float] = []
        self._used: list[float] = []

    async def sample(self) -> None:
        """Sample until cancelled."""
        while True:
            self._at.append(time.time())
            self._used.append(_used())
            await asyncio.sleep(EVERY)

    def spent(self, start: float, end: float) -> float:
        """Processor seconds that the machine spent between two times (seconds since 1970), to within a sample's distance."""
        last = len(self._at) - 1
        return self._used[min(bisect(self._at, end), last)] - self._used[min(bisect(self._at, start), last)]


@asynccontextmanager
async def metered() -> AsyncIterator[Meter]:
    """A meter that samples while the block runs."""
    meter = Meter()
    sampling = asyncio.create_task(meter.sample())
    await asyncio.sleep(0)
    try:
        yield meter
    finally:
        sampling.cancel()


def _used() -> float:
    user, nice, system, _, _, interrupts, soft, *_ = map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:])
    return (user + nice + system + interrupts + soft) / TICKS
