"""Processes whose clock is wrong, or jumps when a test says so; what only ever counts on stays right (libfaketime)."""

import asyncio
import json
import multiprocessing
import time
from multiprocessing.process import BaseProcess
from pathlib import Path
from uuid import UUID

import pytest

from blocks.catalog.database import open_database
from blocks.catalog.leases import Leases
from blocks.domain.errors import LeaseLost
from tests.chaos.worker import Job, run

# Begun from scratch, because the library must be there before the program is.
CONTEXT = multiprocessing.get_context("spawn")
LIBRARY = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
ROOT = Path(__file__).parents[2]
HOUR = 3600


class Clock:
    """The clock of the processes that are started from now on."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._file = folder / "clock"
        self.jump(0)
        monkeypatch.setenv("FAKETIME_TIMESTAMP_FILE", str(self._file))
        monkeypatch.setenv("FAKETIME_NO_CACHE", "1")
        monkeypatch.setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        self._monkeypatch = monkeypatch

    def jump(self, seconds: int) -> None:
        """From now on it is wrong by so many seconds."""
        following = self._file.with_suffix(".next")
        following.write_text(f"{seconds:+d}s")
        following.replace(self._file)

    def start(self, process: BaseProcess) -> None:
        """Let the process begin with this clock, and nobody else."""
        with self._monkeypatch.context() as only_now:
            only_now.setenv("LD_PRELOAD", LIBRARY)
            only_now.syspath_prepend(ROOT)
            process.start()


def carry_by_clock(job: Job, told: Path) -> None:
    """Carry an operation, and tell when that began and ended by this process's clock."""
    began = time.time()
    run(job, None)
    told.write_text(json.dumps([began, time.time()]))


def take_by_clock(database_url: str, operation: UUID, told: Path) -> None:
    """Try to take a lease, and tell the time by this process's clock and whether it was free."""
    told.write_text(json.dumps([time.time(), asyncio.run(_take(database_url, operation))]))


async def _take(database_url: str, operation: UUID) -> bool:
    engine = open_database(database_url)
    try:
        await Leases(engine, 60).acquire(operation, "a stranger")
    except LeaseLost:
        return False
    else:
        return True
    finally:
        await engine.dispose()
