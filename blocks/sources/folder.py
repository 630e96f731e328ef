"""A service plugin in a folder: one release, whose checksum is that of its files."""

import asyncio
import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from blocks.domain.errors import IntegrityMismatch, Refused, Unresolvable
from blocks.domain.integrity import Checksum
from blocks.domain.plugin_yaml import MANIFEST, PluginYaml, read_plugin_yaml
from blocks.domain.release import Release
from blocks.domain.resolution import Listing, Published
from blocks.ports.sources import Access

LONGEST_MANIFEST = 64 * 1024
MOST_FILES = 10_000
BY_OUR_OWN_HASH = "sha512-"
# What git keeps for itself is no part of a release.
NOT_PART = frozenset({".git"})


class PluginFolder:
    """One folder below the configured plugin folder; more than `limit` bytes in it are refused."""

    def __init__(self, root: Path, path: str, limit: int) -> None:
        self._root, self._path, self._limit = root, path, limit

    @property
    def address(self) -> str:
        """The folder, relative to the configured one."""
        return f"folder:{self._path}"

    @property
    def access(self) -> Access:
        """Nothing: a folder brings all it needs."""
        return Access("")

    async def releases(self, name: str) -> Listing:
        """The one release in the folder; `Unresolvable` if it is another plugin's, `Refused` if the folder may not be read."""
        manifest, integrity = await asyncio.to_thread(self._look)
        if manifest.id != name:
            raise Unresolvable(
                f"the folder {self._path} holds the plugin {manifest.id}, not {name}", "ask for it by the id in plugin.yaml"
            )
        return Listing(name, (Published(manifest.version, integrity, self.address),))

    async def fetch(self, release: Release, target: Path) -> None:
        """Copy the folder to the path; `IntegrityMismatch` if it is no longer what was resolved, and then nothing stays."""
        await asyncio.to_thread(self._copy, release, target)

    async def manifest(self, release: Release) -> str:
        """The text of plugin.yaml, or `IntegrityMismatch` if the folder is no longer what was resolved."""
        text, integrity = await asyncio.to_thread(lambda: (self._read_manifest(), self._hash(self._folder())))
        self._compare(release, integrity)
        return text

    def _look(self) -> tuple[PluginYaml, str]:
        return read_plugin_yaml(self._read_manifest()), self._hash(self._folder())

    def _copy(self, release: Release, target: Path) -> None:
        folder = self._folder()
        try:
            for path in self._files(folder):
                copy = target / path.relative_to(folder)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
                copy.chmod(0o755 if _is_program(path) else 0o644)
            self._compare(release, self._hash(target))
        except BaseException:
            shutil.rmtree(target, ignore_errors=True)
            raise

    def _compare(self, release: Release, integrity: str) -> None:
        if integrity != release.integrity:
            raise IntegrityMismatch(
                f"the folder {self._path} was changed after {release.version} was resolved", "start the installation again"
            )

    def _read_manifest(self) -> str:
        path = self._folder() / MANIFEST
        if not path.is_file():
            raise Unresolvable(f"the folder {self._path} has no {MANIFEST}", "see the sample in tests/cases/plugins/hello")
        if path.stat().st_size > LONGEST_MANIFEST:
            raise Refused(f"{MANIFEST} of {self._path} is larger than {LONGEST_MANIFEST} bytes")
        try:
            return path.read_text()
        except UnicodeDecodeError as problem:
            raise Unresolvable(f"{MANIFEST} of {self._path} is not text in UTF-8") from problem

    def _folder(self) -> Path:
        root = self._root.resolve()
        folder = (root / self._path).resolve()
        if not folder.is_relative_to(root):
            raise Refused(f"{self._path} leads out of the configured plugin folder", "name a folder inside it")
        if not folder.is_dir():
            raise Unresolvable(
                f"there is no folder {self._path} among the configured plugins", "PLUGIN_DIR is the folder that holds them"
            )
        return folder

    def _files(self, folder: Path) -> Iterator[Path]:
        """Every file in a fixed order, none of them leading out of the folder, all together within the limits."""
        size = 0
        for number, path in enumerate(sorted(folder.rglob("*"))):
            if NOT_PART & set(path.relative_to(folder).parts):
                continue
            if path.is_symlink():
                raise Refused(f"{path.relative_to(folder)} in {self._path} is a symbolic link", "put the file itself there")
            if not path.is_dir() and not path.is_file():
                raise Refused(f"{path.relative_to(folder)} in {self._path} is neither a file nor a folder")
            if path.is_file():
                size += path.stat().st_size
                if size > self._limit or number > MOST_FILES:
                    raise Refused(
                        f"{self._path} holds more than {self._limit} bytes or {MOST_FILES} files", "MAX_ARCHIVE_MB is the limit"
                    )
                yield path

    def _hash(self, folder: Path) -> str:
        whole = Checksum(BY_OUR_OWN_HASH)
        for path in self._files(folder):
            mode = "755" if _is_program(path) else "644"
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            whole.add(f"{path.relative_to(folder).as_posix()}\0{mode}\0{content}\n".encode())
        return str(whole)


def _is_program(path: Path) -> bool:
    return bool(path.stat().st_mode & 0o100)
