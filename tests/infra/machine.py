"""The machine as an administrator sees it: the world's scripts, its supervisor, its processes, and what is left of them."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
STATE = Path("/var/lib/plugin-pipeline")
# Beside the world's folder, for the time in which an empty world is tried; inventory.sh does not count it among the world's.
KEPT = STATE.with_name("kept-while-testing")
AS_ROOT: tuple[str, ...] = () if os.geteuid() == 0 else ("sudo", "-n")
# How long anything may take on a busy machine before a test gives it up, in seconds, and how often it looks.
PATIENCE, LOOK_EVERY = 180.0, 0.3
# What other clones need of this one; the rest is papers and tests.
PARTS = ("blocks", "deployments", "flows", "infra", "tasks", "tests/cases")


def run(*command: str | Path, path: str = "") -> subprocess.CompletedProcess[str]:
    """What a command says, with another PATH if one is given; how it ended is for the caller to judge."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    if path:
        environment["PATH"] = path
    words = [str(word) for word in command]
    return subprocess.run(words, capture_output=True, text=True, timeout=5 * PATIENCE, check=False, env=environment)


def administer(*command: str) -> str:
    """What a command says that only root may run; it ended well."""
    done = run(*AS_ROOT, *command)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def script(name: str, *arguments: str, clone: Path = ROOT) -> str:
    """What a script of the world prints; it ended well."""
    done = run(clone / "infra/local" / name, *arguments)
    assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"
    return done.stdout


def eventually(what: Callable[[], bool], wanted: str) -> None:
    """Wait until it is so, or fail with what was wanted."""
    ends = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < ends, f"not in {PATIENCE:.0f} s: {wanted}"
        time.sleep(LOOK_EVERY)


def kept() -> dict[str, tuple[int, int]]:
    """What the supervisor keeps running: the number of each process, and how often it was started again."""
    asked = administer("curl", "-sf", "--unix-socket", str(STATE / "run/supervisor.sock"), "http://supervisor/processes")
    return {one["name"]: (one["pid"], one["restarts"]) for one in json.loads(asked)["data"]}


def process(name: str) -> dict[str, Any]:
    """What the supervisor knows of one of its processes."""
    asked = administer("curl", "-sf", "--unix-socket", str(STATE / "run/supervisor.sock"), f"http://supervisor/process/{name}")
    seen: dict[str, Any] = json.loads(asked)
    return seen


def kill(*pids: str) -> bool:
    """End processes without a word, and say whether there was nobody to end; one that has gone meanwhile is as dead as asked."""
    run(*AS_ROOT, "kill", "-9", *pids)
    return not pids


def marked() -> list[str]:
    """Every process that carries the world's mark, the supervisor among them."""
    look = f"grep -lzsxF -- PIPELINE_WORLD={STATE} /proc/[0-9]*/environ || true"
    return [line.split("/")[2] for line in administer("bash", "-c", look).split()]


def inventory() -> set[str]:
    """What a world could leave on this machine, one fact a line."""
    return set(administer(str(ROOT / "infra/local/inventory.sh")).splitlines())


def copy_clone(target: Path) -> Path:
    """Another clone of this very code, which borrows this one's virtual environment."""
    for part in PARTS:
        shutil.copytree(ROOT / part, target / part, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    (target / ".venv").symlink_to(ROOT / ".venv")
    return target
