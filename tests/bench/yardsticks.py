"""The programs that our times are held against: built once, from the modules that `infra/tools` pins, and run beside the world."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

LOCAL = Path(__file__).parents[2] / "infra" / "local"
NAMES = ("helm", "argo-rollouts")


@dataclass(frozen=True)
class Yardsticks:
    """Helm, the controller of Argo Rollouts, and the folder with the definitions of its kinds."""

    helm: str
    controller: str
    kinds: Path


async def build() -> Yardsticks:
    """Where they are; what is not there yet is built, which takes some minutes the first time."""
    await run(str(LOCAL / "build.sh"), *NAMES)
    told = await run("bash", "-c", f'source "{LOCAL}/tools.sh" && echo "$BIN" && echo "$ARGO_CRDS"')
    programs, kinds = told.splitlines()
    return Yardsticks(f"{programs}/helm", f"{programs}/rollouts-controller", Path(kinds))


async def run(program: str, *arguments: str, kubeconfig: str | None = None) -> str:
    """What it prints; one that fails is an error with its last words."""
    own = os.environ | ({"KUBECONFIG": kubeconfig} if kubeconfig else {})
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(program, *arguments, env=own, stdout=pipe, stderr=pipe)
    said, complained = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{program} {' '.join(arguments)} ended with {process.returncode}: {complained.decode()[-1000:]}")
    return said.decode()


@asynccontextmanager
async def running(program: str, *arguments: str) -> AsyncIterator[None]:
    """While the block runs, the program does; what it says is not kept."""
    process = await asyncio.create_subprocess_exec(
        program, *arguments, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield
        if process.returncode is not None:
            raise RuntimeError(f"{program} ended by itself with {process.returncode}")
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
