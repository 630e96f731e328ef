"""The three plugins of `infra/local/requests`, installed from an empty memory and again: what each step takes, and what is remembered.

To add a plugin: put its request there and name it in `PLUGINS` with the number of its installations. Everything runs on the real world;
other work on the machine is in the figures, which is why every claim is a ratio of two things measured in the same run.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from blocks.settings import Settings, read_settings
from tests.bench.apart import empty_memory, run_apart
from tests.bench.figures import Figure
from tests.bench.pods import Pod, watched

# How often each is installed: once cold, and the service more often, because it is quick and every time shows how fast "ready" is seen.
PLUGINS = {"backend": 2, "frontend": 2, "service": 6}
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
    return [replace(figure, versions=told["backend"]["versions"]) for figure in figures]


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
    async with empty_memory(settings) as memory:
        answer: dict[str, Any] = await run_apart(memory, "tests.bench.one", plugin, str(times))
        return answer
