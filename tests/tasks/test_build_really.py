"""The three runtimes from the real registry to a container that answers and says which release it really runs.

With the plugin left out of the image, the same questions get other answers: nothing claims a release that is not there.
"""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import docker
import httpx
import pytest
from playwright.async_api import async_playwright
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.domain.manifest import InstallRequest
from blocks.domain.release import Image, Resolution
from blocks.image_builder import DockerBuilder
from blocks.image_registry import open_image_registry
from blocks.settings import Settings
from tests.conftest import World
from tests.tasks.made import Making, open_making, open_record
from tests.tasks.running import Running, Way, free_port, running

pytestmark = pytest.mark.world
BACKEND = {"plugin": {"name": "@backstage/plugin-proxy-backend", "runtime": {"type": "backend"}}}
FRONTEND = {"plugin": {"name": "@backstage/plugin-catalog", "runtime": {"type": "frontend"}}}
SERVICE = {"plugin": {"name": "hello", "runtime": {"type": "service"}}, "source": {"type": "folder", "path": "hello"}}
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """A record of this test's own."""
    async with open_record(tmp_path) as opened:
        yield opened


@pytest.fixture
def docker_engine(world: World) -> Iterator[docker.DockerClient]:
    """The world's Docker Engine."""
    client = docker.DockerClient(base_url=world.docker_host, timeout=300)
    yield client
    client.close()


@pytest.fixture
async def making(world: World, engine: AsyncEngine, tmp_path: Path) -> AsyncIterator[Making]:
    """An operation with the real builder and registries, and the world's store of packages; its images are taken away."""
    settings = Settings()
    repositories: set[str] = set()
    async with (
        open_making(engine, tmp_path, InstallRequest.model_validate(SERVICE)) as making,
        open_image_registry(frozenset({settings.registry})) as registry,
    ):
        packages = type(making.tools.packages)(settings.pnpm, settings.store_dir, settings.extra_ca_bundle)
        builder = DockerBuilder(settings.docker_host, {"NODE_IMAGE": settings.node_image, "BASE_IMAGE": settings.base_image})
        apart = settings.model_copy(update={"registry": f"{settings.registry}/tests/{tmp_path.name.replace('_', '-')}"})
        making.tools = SimpleNamespace(
            **{**vars(making.tools), "settings": apart, "registry": registry, "images": builder, "packages": packages}
        )
        making.tools.artefacts = Noting(making.tools.artefacts, repositories)
        yield making
        for repository in repositories:
            for tag in await registry.tags(repository):
                await registry.delete(repository, await registry.digest(repository, tag) or "")


class Noting:
    """The record, which notes down where images went."""

    def __init__(self, record: Any, repositories: set[str]) -> None:
        self._record, self._repositories = record, repositories

    def __getattr__(self, name: str) -> Any:
        return getattr(self._record, name)

    async def keep(self, kind: str, key: str, text: str) -> None:
        if kind == "image":
            self._repositories.add(key.split(maxsplit=1)[0])
        await self._record.keep(kind, key, text)


async def made(making: Making, body: dict[str, Any]) -> tuple[Resolution, Image]:
    """The release that was chosen, and its image."""
    making.asked = InstallRequest.model_validate(body)
    resolution = await making.resolve()
    return resolution, await making.build(resolution, await making.fetch(resolution))


def app_config(folder: Path, database: str, port: int) -> Path:
    """The configuration of a backend, with its password in a file, and a proxy to the backend itself."""
    url = make_url(database)
    (folder / "password").write_text(url.password or "")
    connection = {"host": url.host, "port": url.port, "user": url.username, "database": url.database}
    config = {
        "backend": {
            "baseUrl": f"http://127.0.0.1:{port}",
            "listen": {"host": "127.0.0.1", "port": port},
            "database": {
                "client": "pg",
                "pluginDivisionMode": "schema",
                "connection": connection | {"password": {"$file": "/etc/plugin/password"}},
            },
        },
        "proxy": {
            "endpoints": {
                "/itself": {"target": f"http://127.0.0.1:{port}/.backstage", "credentials": "dangerously-allow-unauthenticated"}
            }
        },
    }
    (folder / "app-config.yaml").write_text(json.dumps(config))
    folder.chmod(0o755)
    return folder


async def test_a_backend_plugin_answers(
    making: Making, docker_engine: docker.DockerClient, fresh_postgresql: str, tmp_path: Path
) -> None:
    """On its own route, with its release on every answer; with the plugin left out there is no answer at all."""
    resolution, image = await made(making, BACKEND)
    release, port, folder = resolution.release, free_port(), tmp_path / "etc"
    folder.mkdir()
    files = {"/etc/plugin": app_config(folder, fresh_postgresql, port)}
    with running(docker_engine, image, Way(port, files)) as backend:
        assert backend.wait_for("/.backstage/health/v1/readiness").json() == {"status": "ok"}
        answer = backend.wait_for("/api/proxy/itself/health/v1/liveness")
        assert answer.json() == {"status": "ok"}
        assert answer.headers["x-plugin-release"] == f"{release.name}@{release.version}"
        assert backend.wait_for("/.plugin-pipeline/release").json() == {"name": release.name, "version": release.version}
    with running(docker_engine, image, Way(port, files, (f"/plugin/node_modules/{release.name}",))) as without:
        assert without.container.wait(timeout=120)["StatusCode"] != 0
        assert f"Cannot find module '{release.name}'" in without.words()


async def test_a_frontend_plugin_answers(making: Making, docker_engine: docker.DockerClient) -> None:
    """Chromium loads the bundle and shows the plugin's own id and version; without the bundle nothing is claimed."""
    resolution, image = await made(making, FRONTEND)
    release, port = resolution.release, free_port()
    with running(docker_engine, image, Way(port)) as frontend:
        frontend.wait_for("/ready")
        assert frontend.wait_for("/health").headers["x-plugin-release"] == f"{release.name}@{release.version}"
        assert frontend.wait_for("/release").json() == {"name": release.name, "version": release.version}
        assert f'plugin_info{{name="{release.name}",version="{release.version}"}} 1' in frontend.wait_for("/metrics").text
        entry = frontend.wait_for("/plugin-manifest.json").json()["entry"]
        assert "javascript" in frontend.wait_for(entry).headers["content-type"]
        assert await shown(frontend) == ("catalog", f"{release.name}@{release.version}")
        assert httpx.get(f"{frontend.address}/..%2f..%2fetc/passwd").status_code == 404
    with running(docker_engine, image, Way(port, emptied=("/plugin/public",))) as without:
        assert "x-plugin-release" not in without.wait_for("/health").headers
        assert [httpx.get(f"{without.address}{path}").status_code for path in ("/ready", "/release", "/")] == [503, 404, 404]


async def shown(frontend: Running) -> tuple[str, str]:
    """The plugin's id and release as the page shows them."""
    async with async_playwright() as browsers:
        browser = await browsers.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        page = await browser.new_page()
        await page.goto(f"{frontend.address}/", timeout=120_000)
        await page.wait_for_selector("body[data-state]", timeout=120_000)
        texts = await page.inner_text("#plugin-id"), await page.inner_text("#plugin-release")
        await browser.close()
        return texts


async def test_a_service_answers(making: Making, docker_engine: docker.DockerClient) -> None:
    """With its version on the route that its manifest names first."""
    resolution, image = await made(making, SERVICE)
    with running(docker_engine, image, Way(free_port())) as service:
        answer = service.wait_for("/hello")
        assert answer.headers["x-plugin-release"] == f"hello@{resolution.release.version}"
        assert answer.json()["version"] == resolution.release.version
