"""What goes into an image is the same bytes for the same files, and nothing of this machine."""

import io
import os
import shutil
import tarfile
from pathlib import Path

import pytest

from blocks.build_context import open_context
from blocks.domain.errors import BuildFailed


def fill(folder: Path, archive: str = "node_modules.tar") -> None:
    """A context with packages, and a Dockerfile that takes them in this form."""
    for name in (
        "Dockerfile",
        "node_modules/a/index.js",
        "node_modules/a/index.js.map",
        "node_modules/a/node_modules/b/index.js",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "Dockerfile").write_text(f"FROM x\nADD {archive} ./\n")
    (folder / "run").write_text("#!/bin/sh")
    (folder / "run").chmod(0o700)
    (folder / "node_modules/.bin").mkdir()
    (folder / "node_modules/.bin/a").symlink_to("../a/index.js")


def packed(folder: Path) -> bytes:
    """The whole archive."""
    with open_context(folder) as context:
        return context.read()


def test_packages_travel_as_one_archive(tmp_path: Path) -> None:
    """Without source maps and links to programs; packages inside packages stay where they are."""
    fill(tmp_path)
    with tarfile.open(fileobj=io.BytesIO(packed(tmp_path))) as outer:
        assert outer.getnames() == ["Dockerfile", "run", "node_modules.tar"]
        with tarfile.open(fileobj=outer.extractfile("node_modules.tar")) as inner:
            files = [entry.name for entry in inner if entry.isfile()]
    assert files == ["node_modules/a/index.js", "node_modules/a/node_modules/b/index.js"]


def test_packages_stay_files_where_nobody_unpacks_them(tmp_path: Path) -> None:
    """As in a service that brings its own."""
    fill(tmp_path, archive="node_modules")
    with tarfile.open(fileobj=io.BytesIO(packed(tmp_path))) as outer:
        assert "node_modules/a/index.js" in outer.getnames()
        assert "node_modules.tar" not in outer.getnames()


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    """Whenever they were written, in whatever order, and whoever may read them."""
    fill(tmp_path / "one")
    shutil.copytree(tmp_path / "one", tmp_path / "two", symlinks=True)
    for path in (tmp_path / "two").rglob("*.js"):
        os.utime(path, (1, 1))
        path.chmod(0o600)
    assert packed(tmp_path / "one") == packed(tmp_path / "two")


def test_everything_can_be_read_by_any_user(tmp_path: Path) -> None:
    """And what may be run stays so; owner and time are nobody's."""
    fill(tmp_path)
    with tarfile.open(fileobj=io.BytesIO(packed(tmp_path))) as outer:
        modes = {entry.name: (entry.mode, entry.uid, entry.mtime) for entry in outer}
    assert modes["run"] == (0o755, 0, 0)
    assert modes["Dockerfile"] == (0o644, 0, 0)


def test_links_do_not_go_in(tmp_path: Path) -> None:
    """They could lead anywhere."""
    (tmp_path / "link").symlink_to("/etc/passwd")
    with pytest.raises(BuildFailed, match="link is neither"):
        packed(tmp_path)
