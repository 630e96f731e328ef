"""The real pnpm against a registry on 127.0.0.1: what is not published is a gap, what is forged is refused, and no script ever runs."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from blocks.domain.errors import IntegrityMismatch, PipelineError, Refused, Terminal, Transient
from blocks.domain.manifest import Runtime
from blocks.domain.recipe import LOCK_FILE, Recipe, write_project
from blocks.domain.resolution import Gap, Published, Search
from blocks.image_builder import read_template
from blocks.package_manager import Pnpm
from blocks.ports.sources import Access, Locked
from tests.blocks.scanners.contract import has_ended
from tests.conftest import World
from tests.fakes.authority import make_authority
from tests.fakes.npm_registry import FakeRegistry, Fault, open_registry

pytestmark = pytest.mark.world
SHARED = Recipe("test", tuple(entry for entry in read_template(Runtime.BACKEND) if entry[0] != "package.json"))


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    """A registry in which `mid` 1.0.1 needs what is not published."""
    with open_registry() as opened:
        opened.publish("leaf", "1.0.0")
        opened.publish("mid", "1.0.0", dependencies={"leaf": "^1.0.0"})
        opened.publish("mid", "1.0.1", dependencies={"leaf": "^2.0.0"})
        opened.publish("top", "1.0.0", dependencies={"mid": "^1.0.0"})
        yield opened


@pytest.fixture
def pnpm(world: World, tmp_path: Path) -> Pnpm:
    """The world's pnpm with a store of its own."""
    return Pnpm(world.pnpm, tmp_path / "store")


def project(name: str, *left_out: tuple[str, str]) -> dict[str, str]:
    """A project that needs release 1.0.0 of the package."""
    search = Search(Published("1.0.0", "", ""), left_out=tuple((*one, "") for one in left_out))
    return write_project(SHARED, name, search)


async def locked(pnpm: Pnpm, registry: FakeRegistry, name: str) -> dict[str, str]:
    """The project with its lock."""
    outcome = await pnpm.lock(project(name), Access(registry.address, registry.token))
    assert isinstance(outcome, Locked)
    return project(name) | {LOCK_FILE: outcome.lock}


async def test_names_the_gap_and_who_needs_it(pnpm: Pnpm, registry: FakeRegistry) -> None:
    """From the root to the release that is at fault."""
    outcome = await pnpm.lock(project("top"), Access(registry.address))
    assert outcome == Gap("leaf@^2.0.0", (("top", "1.0.0"), ("mid", "1.0.1")))


async def test_takes_the_next_older_release_of_what_is_left_out(pnpm: Pnpm, registry: FakeRegistry) -> None:
    """Wherever it stands in the tree."""
    outcome = await pnpm.lock(project("top", ("mid", "1.0.1")), Access(registry.address))
    assert isinstance(outcome, Locked)
    assert "mid@1.0.0" in outcome.lock
    assert "1.0.1" not in outcome.lock


RANGES = ["^1.0.0", "~1.0.0", "1.0.0 - 1.0.1", "*", "1.x", ">=1.0.0 <2", "1.0.0 || 1.0.1"]


@pytest.mark.parametrize("declared", RANGES)
async def test_never_takes_what_is_left_out(pnpm: Pnpm, registry: FakeRegistry, declared: str) -> None:
    """However the range is written, and also if nothing remains: pnpm must then say so, and not take the newest after all."""
    registry.publish("any", "1.0.0", dependencies={"mid": declared})
    outcome = await pnpm.lock(project("any", ("mid", "1.0.0"), ("mid", "1.0.1")), Access(registry.address))
    assert isinstance(outcome, Gap)
    assert outcome.chain == (("any", "1.0.0"),)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        pytest.param(Fault.FORBIDDEN, Refused, id="403 is refused"),
        pytest.param(Fault.TOO_MANY, Transient, id="429 may recover"),
        pytest.param(Fault.BROKEN, Transient, id="500 may recover"),
        pytest.param(Fault.TRUNCATED, Transient, id="half a body may become whole"),
        pytest.param(Fault.NONSENSE, Transient, id="nonsense may end"),
    ],
)
async def test_says_why_it_cannot_lock(pnpm: Pnpm, registry: FakeRegistry, fault: Fault, error: type[PipelineError]) -> None:
    """With pnpm's own words."""
    registry.fail("leaf", fault)
    with pytest.raises(error, match="leaf"):
        await pnpm.lock(project("leaf"), Access(registry.address))


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        pytest.param(Fault.NOT_FOUND, Terminal, id="404 does not recover"),
        pytest.param(Fault.BROKEN, Transient, id="500 may recover"),
        pytest.param(Fault.TRUNCATED, Transient, id="half an archive may become whole"),
        pytest.param(Fault.NONSENSE, IntegrityMismatch, id="something else is not taken"),
    ],
)
async def test_says_why_it_cannot_install(
    pnpm: Pnpm, registry: FakeRegistry, tmp_path: Path, fault: Fault, error: type[PipelineError]
) -> None:
    """With pnpm's own words."""
    files = await locked(pnpm, registry, "leaf")
    registry.fail("leaf/-/leaf-1.0.0.tgz", fault)
    with pytest.raises(error, match="leaf"):
        await pnpm.install(files, Access(registry.address), tmp_path / "context")


async def test_refuses_a_registry_that_lies(pnpm: Pnpm, registry: FakeRegistry, tmp_path: Path) -> None:
    """Its archive is not what it promised."""
    registry.publish("liar", "1.0.0", lie=True)
    with pytest.raises(IntegrityMismatch):
        await pnpm.install(await locked(pnpm, registry, "liar"), Access(registry.address), tmp_path / "context")


async def test_lays_out_plain_folders(pnpm: Pnpm, registry: FakeRegistry, tmp_path: Path) -> None:
    """Without a link in them, so that they can be copied into an image."""
    registry.publish("top", "1.0.0", dependencies={"mid": "1.0.0"})
    await pnpm.install(await locked(pnpm, registry, "top"), Access(registry.address), tmp_path / "context")
    packages = tmp_path / "context/node_modules"
    assert {"leaf", "mid", "top"} <= {path.name for path in packages.iterdir()}
    assert not [path for path in packages.rglob("*") if path.is_symlink()]


async def test_does_not_fetch_twice(pnpm: Pnpm, registry: FakeRegistry, tmp_path: Path) -> None:
    """The store is shared by all plugins."""
    files = await locked(pnpm, registry, "leaf")
    for folder in ("one", "two"):
        await pnpm.install(files, Access(registry.address), tmp_path / folder)
    assert registry.calls["leaf/-/leaf-1.0.0.tgz"] == 1


async def test_no_script_ever_runs(pnpm: Pnpm, registry: FakeRegistry, tmp_path: Path) -> None:
    """Neither a package's own nor one that its files would ask for."""
    mark = tmp_path / "it ran"
    scripts = dict.fromkeys(("preinstall", "install", "postinstall", "prepare", "prepublish"), f"touch '{mark}'")
    registry.publish("eager", "1.0.0", scripts=scripts, files={"binding.gyp": "{}", "install.js": "process.exit(1)"})
    await pnpm.install(await locked(pnpm, registry, "eager"), Access(registry.address), tmp_path / "context")
    manifest = json.loads((tmp_path / "context/node_modules/eager/package.json").read_text())
    assert manifest["scripts"] == scripts
    assert not mark.exists()


async def test_the_token_opens_a_private_registry_and_stays_nowhere(pnpm: Pnpm, registry: FakeRegistry, tmp_path: Path) -> None:
    """Not in the context, not in the lock."""
    registry.token = "s3cret"
    with pytest.raises(Refused):
        await pnpm.lock(project("leaf"), Access(registry.address))
    files = await locked(pnpm, registry, "leaf")
    await pnpm.install(files, Access(registry.address, "s3cret"), tmp_path / "context")
    written = [path.read_bytes() for path in (tmp_path / "context").rglob("*") if path.is_file()]
    assert not [text for text in [*written, *(text.encode() for text in files.values())] if b"s3cret" in text]


async def test_a_lock_that_does_not_fit_the_project_is_refused(pnpm: Pnpm, registry: FakeRegistry, tmp_path: Path) -> None:
    """What is laid out is what was locked."""
    files: Mapping[str, str] = {**project("mid"), LOCK_FILE: (await locked(pnpm, registry, "leaf"))[LOCK_FILE]}
    with pytest.raises(PipelineError):
        await pnpm.install(files, Access(registry.address), tmp_path / "context")


async def test_knows_the_registry_that_the_machine_is_configured_for(pnpm: Pnpm) -> None:
    """An address."""
    assert (await pnpm.default_registry()).startswith("http")


async def test_says_when_it_is_not_installed(tmp_path: Path, registry: FakeRegistry) -> None:
    """And how to mend that."""
    with pytest.raises(Terminal, match=r"pnpm\.sh"):
        await Pnpm(tmp_path / "no-pnpm", tmp_path / "store").lock(project("leaf"), Access(registry.address))


async def test_ends_with_its_caller(tmp_path: Path, registry: FakeRegistry) -> None:
    """Whatever it has started ends too."""
    program, mark = tmp_path / "pnpm", tmp_path / "pids"
    program.write_text(f"#!/bin/sh\nsleep 60 &\necho $! $$ >{mark}.new\nmv {mark}.new {mark}\nwait\n")
    program.chmod(0o755)
    locking = asyncio.create_task(Pnpm(program, tmp_path / "store").lock(project("leaf"), Access(registry.address)))
    async with asyncio.timeout(60):
        while not mark.exists():
            await asyncio.sleep(0.01)
    locking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await locking
    assert [await has_ended(int(pid)) for pid in mark.read_text().split()] == [True, True]


async def test_the_extra_bundle_is_trusted(world: World, tmp_path: Path) -> None:
    """By pnpm too, and only where it is configured."""
    bundle, context = make_authority(tmp_path)
    with open_registry(tls=context) as registry:
        registry.publish("leaf", "1.0.0")
        outcome = await Pnpm(world.pnpm, tmp_path / "store", bundle).lock(project("leaf"), Access(registry.address))
        assert isinstance(outcome, Locked)
        with pytest.raises(Transient, match="certificate"):
            await Pnpm(world.pnpm, tmp_path / "other").lock(project("leaf"), Access(registry.address))
