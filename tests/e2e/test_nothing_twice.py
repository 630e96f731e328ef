"""The same wish of a second tenant: nothing is resolved, fetched, built or scanned again. Calls are counted where they arrive.

The flow runs in this process, so that the registry and the scanners it is given can count: an npm registry in front of the real one, and
programs in front of the real scanners. Builder, image registry, cluster, databases and gateway are the world's own.
"""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import docker
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.database import open_database
from blocks.catalog.migrate import migrate
from blocks.catalog.requests import Asked, Requests
from blocks.catalog.views import Views
from blocks.domain.journal import Phase
from blocks.domain.manifest import InstallRequest
from blocks.image_registry import open_image_registry
from blocks.package_manager import Pnpm
from blocks.settings import read_settings
from flows.install import install_plugin
from flows.uninstall import uninstall_plugin
from tests.conftest import World
from tests.e2e.folders import make_service
from tests.e2e.forwarding import ForwardingRegistry, open_forwarding

pytestmark = [pytest.mark.world, pytest.mark.usefixtures("alone")]
COUNTING = '#!/bin/sh\necho "{name} $1" >> {calls}\nexec {real} "$@"\n'
LOOKS = frozenset({"trivy image", "trivy fs", "trufflehog filesystem"})
SMALL = {"cpu": {"request": "50m", "limit": "500m"}, "memory": {"request": "64Mi", "limit": "128Mi"}}
TINY = "export const tinyPlugin = { getId: () => 'tiny' };"


@dataclass(frozen=True)
class Counted:
    """How often each outside thing was asked while something was installed."""

    registry: int
    built: int
    looked: Counter[str]


class Bench:
    """A pipeline with a record of its own, and counters before what it asks."""

    def __init__(self, engine: AsyncEngine, registry: ForwardingRegistry, folder: Path) -> None:
        self.registry, self.requests, self.views = registry, Requests(engine), Views(engine)
        self.calls, self.engine = folder / "calls", docker.DockerClient(read_settings().docker_host, timeout=60)
        self.installed: list[UUID] = []
        self.images: set[str] = set()

    async def install(self, request: Mapping[str, Any]) -> Counted:
        """Install for a tenant of its own, which succeeds, and count."""
        asked = InstallRequest.model_validate({**request, "tenant": f"e2e-{secrets.token_hex(4)}"})
        began, before, looked = int(time.time()), self.registry.calls.total(), self._looked()
        wish = await self.requests.request_install(asked, Asked("test"))
        self.installed.append(wish.installation)
        await install_plugin(asked, wish.operation, return_state=True)
        seen = await self.views.installation(wish.installation)
        assert seen is not None
        assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason
        assert seen.revision is not None
        self.images.add(seen.revision.image)
        return Counted(self.registry.calls.total() - before, self._pushed(began, asked), self._looked() - looked)

    async def leave(self) -> None:
        """Take away everything that was installed, and the images, which nobody else runs."""
        await asyncio.gather(*map(self._take_away, self.installed))
        self.engine.close()
        async with open_image_registry(frozenset(read_settings().plain_registries)) as registry:
            for image in self.images:
                await registry.delete(*image.split("@"))

    async def _take_away(self, installation: UUID) -> None:
        wish = await self.requests.request_uninstall(installation, Asked("test"), drop_data=True)
        ended = await uninstall_plugin(wish.operation, return_state=True)
        assert ended.is_completed(), ended.message

    def _pushed(self, since: int, asked: InstallRequest) -> int:
        short = asked.plugin.name.rpartition("/")[2]
        told = self.engine.events(since=since, until=int(time.time()) + 1, decode=True)
        return len([one for one in told if one["Action"] == "push" and short in one["Actor"]["Attributes"]["name"]])

    def _looked(self) -> Counter[str]:
        lines = self.calls.read_text().splitlines() if self.calls.exists() else []
        return Counter(line for line in lines if line in LOOKS)


@pytest.fixture
def registry(world: World) -> Iterator[ForwardingRegistry]:
    """The npm registry of this machine, with one package more and a counter."""
    settings = read_settings()
    upstream = asyncio.run(Pnpm(settings.pnpm, settings.store_dir, settings.extra_ca_bundle).default_registry())
    with open_forwarding(upstream, Path(world.extra_ca_bundle)) as opened:
        yield opened


@pytest.fixture
async def bench(
    world: World, registry: ForwardingRegistry, fresh_postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Bench]:
    """A pipeline with an empty record, an empty storage and counting scanners."""
    programs, plugins = tmp_path / "bin", tmp_path / "plugins"
    (plugins / "hello").mkdir(parents=True)
    for file in Path(world.plugin_dir, "hello").iterdir():
        (plugins / "hello" / file.name).write_text(file.read_text())
    programs.mkdir()
    for name in ("trivy", "trufflehog"):
        real = Path(world.pipeline_bin, name)
        (programs / name).write_text(COUNTING.format(name=name, calls=tmp_path / "calls", real=real))
        (programs / name).chmod(0o755)
    own = {"PIPELINE_BIN": programs, "PLUGIN_DIR": plugins, "STORAGE_DIR": tmp_path / "storage", "DATABASE_URL": fresh_postgresql}
    for name, value in own.items():
        monkeypatch.setenv(name, str(value))
    engine = open_database(fresh_postgresql)
    await migrate(engine)
    made = Bench(engine, registry, tmp_path)
    yield made
    await made.leave()
    await engine.dispose()


@pytest.mark.usefixtures("prefect_server")
@pytest.mark.parametrize("version", ["1.0.0", pytest.param("*", marks=pytest.mark.long)], ids=["an exact version", "a range"])
async def test_package_is_resolved_built_and_scanned_once(bench: Bench, version: str) -> None:
    name = f"@e2e-{secrets.token_hex(4)}/tiny"
    bench.registry.publish(name, "1.0.0", files={"index.js": TINY}, type="module", license="Apache-2.0")
    plugin = {"name": name, "version": version, "runtime": {"type": "frontend"}, "resources": SMALL}
    request = {"plugin": plugin, "source": {"type": "npm", "registry": bench.registry.address}}
    first, second = await bench.install(request), await bench.install(request)
    assert first.registry > 1
    # A range is asked for once more, so that nothing newer is missed; a version stays what it is.
    assert second.registry == (1 if version == "*" else 0)
    assert (first.built, second.built) == (1, 0)
    assert set(first.looked) == LOOKS
    assert not second.looked


@pytest.mark.usefixtures("prefect_server")
async def test_service_is_built_and_scanned_once(bench: Bench, tmp_path: Path) -> None:
    with make_service(tmp_path / "plugins") as service:
        plugin = {"name": service.name, "runtime": {"type": "service"}, "resources": SMALL}
        request = {"plugin": plugin, "source": {"type": "folder", "path": service.name}}
        first, second = await bench.install(request), await bench.install(request)
        service.write("server.mjs", f"{(service.folder / 'server.mjs').read_text()}// changed\n")
        changed = await bench.install(request)
    assert (first.built, second.built, changed.built) == (1, 0, 1)
    assert set(first.looked) == set(changed.looked) == LOOKS
    assert not second.looked
