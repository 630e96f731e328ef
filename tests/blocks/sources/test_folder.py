"""A folder as a source: its files are its checksum, and nothing leads out of it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from blocks.domain.errors import PipelineError, Refused, Unresolvable
from blocks.domain.release import Release
from blocks.ports.sources import ReleaseSource
from blocks.sources.folder import PluginFolder
from tests.blocks.sources.contract import SourceContract, listed

HELLO = Path(__file__).parents[2] / "cases/plugins/hello"
LIMIT = 1_000_000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A plugin folder with a copy of the sample in it."""
    shutil.copytree(HELLO, tmp_path / "plugins/hello")
    return tmp_path / "plugins"


@pytest.fixture
def source(root: Path) -> PluginFolder:
    """The source for the sample."""
    return PluginFolder(root, "hello", LIMIT)


class TestFolder(SourceContract):
    """The promises of every source."""

    @pytest.fixture
    async def spoiled(self, root: Path, source: PluginFolder) -> tuple[ReleaseSource, Release]:
        """A file was changed after the release was listed."""
        release = await listed(source)
        (root / "hello/server.mjs").write_text("console.log('something else')")
        return source, release


async def test_copies_the_folder_as_it_is(root: Path, source: PluginFolder, tmp_path: Path) -> None:
    """With what may be run marked so, and without what git keeps for itself."""
    (root / "hello/.git").mkdir()
    (root / "hello/.git/config").write_text("git's own")
    (root / "hello/bin").mkdir()
    (root / "hello/bin/run").write_text("#!/bin/sh")
    (root / "hello/bin/run").chmod(0o700)
    await source.fetch(await listed(source), tmp_path / "copy")
    copied = {path.relative_to(tmp_path / "copy").as_posix() for path in (tmp_path / "copy").rglob("*") if path.is_file()}
    assert copied == {"plugin.yaml", "server.mjs", "bin/run"}
    assert (tmp_path / "copy/bin/run").stat().st_mode & 0o777 == 0o755


async def test_gives_its_manifest(source: PluginFolder) -> None:
    """As it was written."""
    assert await source.manifest(await listed(source)) == (HELLO / "plugin.yaml").read_text()


def link_out(folder: Path) -> None:
    """A link to a file outside."""
    (folder / "passwords").symlink_to("/etc/passwd")


def link_folder(folder: Path) -> None:
    """A link to a folder outside."""
    (folder / "all").symlink_to("/etc")


def swell(folder: Path) -> None:
    """More bytes than the limit."""
    (folder / "large").write_bytes(bytes(LIMIT + 1))


def lose_manifest(folder: Path) -> None:
    """No plugin.yaml."""
    (folder / "plugin.yaml").unlink()


def garble(folder: Path) -> None:
    """A plugin.yaml that is no text."""
    (folder / "plugin.yaml").write_bytes(b"\xff\xfe\x00")


def swell_manifest(folder: Path) -> None:
    """A plugin.yaml of a megabyte."""
    (folder / "plugin.yaml").write_bytes(b"#" * 1_000_000)


@pytest.mark.parametrize(
    ("spoil", "error", "said"),
    [
        pytest.param(link_out, Refused, "symbolic link", id="links to files"),
        pytest.param(link_folder, Refused, "symbolic link", id="links to folders"),
        pytest.param(swell, Refused, "more than", id="too many bytes"),
        pytest.param(lose_manifest, Unresolvable, "has no plugin.yaml", id="no manifest"),
        pytest.param(garble, Unresolvable, "not text", id="a manifest that is no text"),
        pytest.param(swell_manifest, Refused, "larger than", id="a huge manifest"),
    ],
)
async def test_refuses(
    root: Path, source: PluginFolder, spoil: Callable[[Path], None], error: type[PipelineError], said: str
) -> None:
    """Before anything is copied."""
    spoil(root / "hello")
    with pytest.raises(error, match=said):
        await source.releases("hello")


@pytest.mark.parametrize("path", ["..", "../outside", "hello/../../outside"])
async def test_does_not_leave_the_plugin_folder(root: Path, path: str) -> None:
    """By no way."""
    (root.parent / "outside").mkdir()
    with pytest.raises(Refused, match="leads out"):
        await PluginFolder(root, path, LIMIT).releases("hello")


async def test_a_linked_folder_does_not_lead_out_either(root: Path) -> None:
    """The link is followed before it is judged."""
    (root / "linked").symlink_to("/etc")
    with pytest.raises(Refused, match="leads out"):
        await PluginFolder(root, "linked", LIMIT).releases("hello")


async def test_says_when_there_is_no_such_folder(root: Path) -> None:
    """With its name."""
    with pytest.raises(Unresolvable, match="no folder missing"):
        await PluginFolder(root, "missing", LIMIT).releases("hello")
