"""Flows that do nothing for anybody: what a worker's children are tried with."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from prefect import flow
from prefect.logging import get_run_logger


@flow
async def tell(page: str) -> None:
    """Write down what this process is."""
    about = {
        "pid": os.getpid(),
        "warm": "tasks.rollout" in sys.modules,
        "word": os.environ.get("WORD"),
        "folder": str(Path.cwd()),
    }
    logger = get_run_logger()
    Path(page).write_text(json.dumps(about | {"verbose": logger.isEnabledFor(10)}))


@flow
async def go_on(page: str, seconds: float) -> None:
    """Say that it has begun, take so long, and say that it has ended."""
    Path(f"{page}.pid").write_text(str(os.getpid()))
    await asyncio.sleep(seconds)
    Path(page).write_text("ended")


@flow
async def fall() -> None:
    """Die as a process does that ran out of memory."""
    os.kill(os.getpid(), signal.SIGKILL)
