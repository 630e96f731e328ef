"""The three plugins of `infra/local/requests`, installed from an empty memory and again: what each step takes, and what is remembered.

To add a plugin: put its request there and name it in `PLUGINS` with the number of its installations. Everything runs on the real world;
other work on the machine is in the figures, which is why every claim is a ratio of two things measured in the same run.
"""

import asyncio
import json
import os
import platform
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg
import prefect
from sqlalchemy.engine import make_url

from blocks.settings import Settings, read_settings
from tests.bench.figures import Figure
from tests.bench.pods import Pod, watched

# How often each is installed: once cold, and the service more often, because it is quick and every time shows how fast "ready" is seen.
PLUGINS = {"backend": 2, "frontend": 2, "service": 6}
# Seconds that one plugin's installations may take.
LONGEST = 420
ROLL_OUT = "roll_out"


async def measure() -> list[Figure]:
    """Every figure of this file, in the order of the journey."""
    settings = read_settings()
    async with watched(str(settings.kubeconfig)) as ready:
        told = {name: await install(settings, name, times) for name, times in PLUGINS.items()}
    figures = [figure for name, one in told.items() for figure in compare_steps(name, one["runs"])]
    figures += [compare_installations(name, one["runs"]) for name, one in told.items()]
    scans = tuple((together, slowest) for together, slowest in told["backend"]["scans"])
    figures.append(Figure("all scans together ÷ slowest alone", "s", scans, "≤ 1.15"))
    figures.append(measure_notice([run for one in told.values() for run in one["runs"]], ready))
    versions = {"python": platform.python_version(), "prefect": prefect.__version__, "kernel": platform.release()}
    versions |= told["backend"]["versions"]
    return [replace(figure, versions=versions) for figure in figures]


def compare_steps(plugin: str, runs: list[dict[str, Any]]) -> list[Figure]:
    """Wall and processor seconds of each step: ours is the repeated installation, theirs the first; processor is the whole machine's."""
    first, *repeated = ({step["name"]: step for step in run["steps"]} for run in runs)
    return [
        Figure(f"{plugin}: {name}, {what}, again ÷ first", "s", tuple((run[name][what], step[what]) for run in repeated))
        for name, step in first.items()
        for what in ("wall", "processor")
    ]


def compare_installations(plugin: str, runs: list[dict[str, Any]]) -> Figure:
    """Wall seconds of the whole installation, from the same inputs again and the first time."""
    first, *repeated = (run["wall"] for run in runs)
    return Figure(f"{plugin}: second installation ÷ first", "s", tuple((again, first) for again in repeated), "≤ 0.1")


def measure_notice(runs: list[dict[str, Any]], ready: Mapping[Pod, float]) -> Figure:
    """Seconds from the news that the last pod is ready to our record that the revision is ready and routed."""
    pairs = tuple((noticed(run) - last_ready(run, ready), None) for run in runs)
    return Figure("last pod Ready → our Ready", "s", pairs, "≤ 0.2")


def noticed(run: dict[str, Any]) -> float:
    """When the journal says that the revision is rolled out."""
    return float(next(step["ended"] for step in run["steps"] if step["name"] == ROLL_OUT))


def last_ready(run: dict[str, Any], ready: Mapping[Pod, float]) -> float:
    """When the last pod of the installation was seen ready; a pod that was never seen is an error."""
    return max(ready[run["namespace"], pod] for pod in run["pods"])


async def install(settings: Settings, plugin: str, times: int) -> dict[str, Any]:
    """What a process of its own measured, with a memory of its own that is gone afterwards."""
    with TemporaryDirectory(prefix="bench-") as folder:
        async with empty_database(settings.plugin_database_admin_url.get_secret_value()) as database:
            memory = {
                "DATABASE_URL": database,
                "STORAGE_DIR": str(Path(folder, "storage")),
                "STORE_DIR": str(Path(folder, "store")),
                "REGISTRY": f"{settings.registry}/bench-{secrets.token_hex(4)}",
                "PREFECT_API_URL": settings.prefect_api_url,
                "PREFECT_LOGGING_LEVEL": "ERROR",
            }
            return await run_apart(plugin, times, memory)


async def run_apart(plugin: str, times: int, memory: Mapping[str, str]) -> dict[str, Any]:
    """The process's answer; one that fails or takes too long is an error, and its own words have been seen."""
    arguments = (sys.executable, "-m", "tests.bench.one", plugin, str(times))
    process = await asyncio.create_subprocess_exec(*arguments, env=os.environ | memory, stdout=asyncio.subprocess.PIPE)
    try:
        async with asyncio.timeout(LONGEST):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            # An interrupt, so that it still takes away what it installed.
            process.send_signal(signal.SIGINT)
            await process.wait()
    if process.returncode:
        raise RuntimeError(f"measuring {plugin} ended with exit code {process.returncode}")
    answer: dict[str, Any] = json.loads(said.decode().splitlines()[-1])
    return answer


@asynccontextmanager
async def empty_database(admin_url: str) -> AsyncIterator[str]:
    """The address of an empty PostgreSQL database, dropped afterwards."""
    admin, name = make_url(admin_url), f"bench_{secrets.token_hex(6)}"
    server = await asyncpg.connect(admin.set(drivername="postgresql").render_as_string(hide_password=False))
    try:
        await server.execute(f"CREATE DATABASE {name}")
        yield admin.set(drivername="postgresql+asyncpg", database=name).render_as_string(hide_password=False)
    finally:
        await server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await server.close()
