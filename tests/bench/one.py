"""`python -m tests.bench.one backend 2`: install that plugin so many times from an empty memory and say as JSON how long each step took.

A process of its own, because the memory is chosen by settings: `journeys.py` gives it an empty database, storage, package store and
registry path. The first installation is cold, the next ones repeat it in other tenants. Everything it installed is taken away.
"""

import asyncio
import json
import secrets
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.database import open_database
from blocks.catalog.migrate import migrate
from blocks.catalog.requests import Asked, Requests
from blocks.catalog.views import Views
from blocks.domain.journal import Phase
from blocks.domain.manifest import InstallRequest
from blocks.domain.release import Image, Materials
from blocks.domain.status import OperationView
from blocks.image_registry import open_image_registry
from blocks.ports.scanners import Scanner
from blocks.scanners.configured import open_scanners
from blocks.settings import Settings, read_settings
from blocks.sources.known import trust
from flows.install import install_plugin
from flows.uninstall import uninstall_plugin
from tests.bench.processor import Meter, metered

REQUESTS = Path(__file__).parents[2] / "infra" / "local" / "requests"
ROUNDS = 3


@dataclass(frozen=True)
class Step:
    """One step: when it ended, in seconds since 1970, and the wall and processor seconds it took."""

    name: str
    ended: float
    wall: float
    processor: float


@dataclass(frozen=True)
class Run:
    """One installation, from the call of the flow to its end; the pods by which it became ready."""

    wall: float
    processor: float
    namespace: str
    pods: tuple[str, ...]
    steps: tuple[Step, ...]


async def measure(name: str, times: int) -> dict[str, Any]:
    """The installations of one plugin and, of its image, pairs of (all scanners together, the slowest alone) in seconds."""
    settings = read_settings()
    engine = open_database(settings.database_url)
    await migrate(engine)
    body = json.loads((REQUESTS / f"{name}.json").read_text())
    ended: list[OperationView] = []
    try:
        async with metered() as meter:
            runs = [await install(engine, body, meter, ended) for _ in range(times)]
        pairs = await compare_scans(settings, ended[0]) if name == "backend" else []
        return {"runs": [asdict(run) for run in runs], "scans": pairs, "versions": await read_versions(settings)}
    finally:
        await clean(settings, engine, ended)
        await engine.dispose()


async def read_versions(settings: Settings) -> dict[str, str]:
    """The scanners' versions, as they say them."""
    scanners, _ = open_scanners(settings)
    return {name: (await scanner.identify()).version for name, scanner in scanners.items()}


async def install(engine: AsyncEngine, body: dict[str, Any], meter: Meter, ended: list[OperationView]) -> Run:
    """One installation in a tenant of its own; it must succeed."""
    request = InstallRequest.model_validate(body | {"tenant": f"bench-{secrets.token_hex(4)}"})
    began = time.time()
    seen = await installed(engine, request)
    over = time.time()
    ended.append(seen)
    steps = tuple(
        Step(step.name, step.ended_at / 1000, step.seconds or 0, meter.spent(step.started_at / 1000, step.ended_at / 1000))
        for step in seen.steps
        if step.ended_at
    )
    return Run(over - began, meter.spent(began, over), result(seen, "make_plan")["namespace"], pods_of(seen), steps)


async def compare_scans(settings: Settings, seen: OperationView) -> list[tuple[float, float]]:
    """All scanners side by side, and each alone, of the same image; our memory of answers has no part in it."""
    scanners, _ = open_scanners(settings)
    image, materials = Image(**result(seen, "build")), Materials(**result(seen, "fetch"))
    pairs = []
    for _ in range(ROUNDS):
        alone = [await seconds([scanner], image, materials) for scanner in scanners.values()]
        pairs.append((await seconds([*scanners.values()], image, materials), max(alone)))
    return pairs


async def seconds(scanners: list[Scanner], image: Image, materials: Materials) -> float:
    """How long these scanners take when they are asked at once."""
    began = time.perf_counter()
    await asyncio.gather(*(ask(scanner, image, materials) for scanner in scanners))
    return time.perf_counter() - began


async def ask(scanner: Scanner, image: Image, materials: Materials) -> None:
    """One scanner's answer, as `tasks/scan.py` gets it."""
    await scanner.scan(image, materials, await scanner.identify())


async def installed(engine: AsyncEngine, request: InstallRequest) -> OperationView:
    """The operation that installed it, in this process; it must have succeeded."""
    asked = await Requests(engine).request_install(request, Asked("bench"))
    await install_plugin(request, asked.operation)
    seen = await Views(engine).operation(asked.operation)
    assert seen is not None
    assert seen.phase is Phase.SUCCEEDED, seen
    return seen


async def uninstalled(engine: AsyncEngine, installation: UUID) -> None:
    """What was installed is gone with its data, in this process; what never served is left as it is."""
    seen = await Views(engine).installation(installation)
    if seen and seen.revision:
        asked = await Requests(engine).request_uninstall(installation, Asked("bench"), drop_data=True)
        await uninstall_plugin(asked.operation)
        await refuse_leftovers(engine, asked.operation)


async def clean(settings: Settings, engine: AsyncEngine, ended: list[OperationView]) -> None:
    """Uninstall everything with its data, and remove the images from the registry."""
    for seen in ended:
        await uninstalled(engine, seen.installation)
    images = {(made["repository"], made["digest"]) for seen in ended if (made := result(seen, "build"))}
    async with open_image_registry(frozenset(settings.plain_registries), trust(settings.extra_ca_bundle)) as registry:
        for repository, digest in images:
            await registry.delete(repository, digest)


async def refuse_leftovers(engine: AsyncEngine, operation: UUID) -> None:
    """An uninstallation that did not succeed is said, not forgotten."""
    seen = await Views(engine).operation(operation)
    assert seen is not None
    assert seen.phase is Phase.SUCCEEDED, seen


def result(seen: OperationView, step: str) -> dict[str, Any]:
    """What the step returned, or nothing if it was not reached."""
    found: dict[str, Any] = next((json.loads(one.result) or {} for one in seen.steps if one.name == step), {})
    return found


def pods_of(seen: OperationView) -> tuple[str, ...]:
    """The pods that were ready."""
    return tuple(result(seen, "roll_out")["pods"])


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(measure(sys.argv[1], int(sys.argv[2])))))
