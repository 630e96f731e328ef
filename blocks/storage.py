"""Artefacts in a local folder, by the hash of what is in them: what one step leaves for another goes through here, not by path."""

import asyncio
import hashlib
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile, mkdtemp

from blocks.domain.errors import IntegrityMismatch, Terminal

# What is temporary is nobody else's; what stands is read by the whole group: runs on this machine and runs in pods share a storage.
SHARED_FILE, SHARED_FOLDER = 0o640, 0o750


class FolderStorage:
    """A folder of files called by their sha256; writing the same twice is writing it once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    async def put(self, content: bytes | str) -> str:
        """Keep the content whole or not at all; its key is `sha256:…`."""
        raw = content.encode() if isinstance(content, str) else content
        key = f"sha256:{hashlib.sha256(raw).hexdigest()}"
        if not await self.has(key):
            await asyncio.to_thread(_write, self._path(key), raw)
        return key

    async def get(self, key: str) -> bytes:
        """The content under the key; `Terminal` if it is not there, `IntegrityMismatch` if somebody changed it."""
        try:
            raw = await asyncio.to_thread(self._path(key).read_bytes)
        except FileNotFoundError as problem:
            raise Terminal(f"the artefact {key} is not in the storage", "start the installation again") from problem
        if f"sha256:{hashlib.sha256(raw).hexdigest()}" != key:
            raise IntegrityMismatch(
                f"the artefact {key} was changed after it was stored", "remove it and start the installation again"
            )
        return raw

    async def has(self, key: str) -> bool:
        """Whether something is stored under the key."""
        return await asyncio.to_thread(self._path(key).is_file)

    async def find_folder(self, key: str) -> Path | None:
        """The folder that was made under the key, if it is there."""
        path = self._path(key, "folders")
        return path if await asyncio.to_thread(path.is_dir) else None

    @asynccontextmanager
    async def make_folder(self, key: str) -> AsyncIterator[Path]:
        """An empty folder to fill; after the block it stands under the key, or, if the block fails, nothing does."""
        path = self._path(key, "folders")
        await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
        growing = Path(await asyncio.to_thread(mkdtemp, dir=path.parent, prefix="growing-"))
        try:
            yield growing
            await asyncio.to_thread(_put_in_place, growing, path)
        finally:
            await asyncio.to_thread(shutil.rmtree, growing, ignore_errors=True)

    def _path(self, key: str, kind: str = "artefacts") -> Path:
        name = key.removeprefix("sha256:")
        if len(name) != 64 or not set(name) <= set("0123456789abcdef"):
            raise Terminal(f"{key!r} is not the key of an artefact")
        return self._folder / kind / name[:2] / name


def _write(path: Path, raw: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(raw)
        file.flush()
        os.fchmod(file.fileno(), SHARED_FILE)
        os.fsync(file.fileno())
    Path(file.name).replace(path)


def _put_in_place(growing: Path, path: Path) -> None:
    growing.chmod(SHARED_FOLDER)
    try:
        growing.rename(path)
    except OSError:
        # Somebody else made the same of the same: theirs is as good.
        if not path.is_dir():
            raise


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write the texts into the folder, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)


def read_file(path: Path) -> str:
    """The text of the file, or nothing if there is none."""
    return path.read_text() if path.is_file() else ""
