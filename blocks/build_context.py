"""A folder as the archive that Docker Engine builds from: the same files give the same bytes, whoever owns them and whenever they came.

Packages are tens of thousands of small files. Where the Dockerfile names `node_modules.tar`, they travel as an archive in the archive,
which it unpacks with tar: the engine would otherwise unpack, hash and copy each of them by itself, which takes several times as long.
"""

import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from blocks.domain.errors import BuildFailed
from blocks.domain.recipe import DOCKERFILE, goes_into_image

PACKAGES = "node_modules"


@contextmanager
def open_context(folder: Path) -> Iterator[IO[bytes]]:
    """The archive of what goes into the image, at its beginning; it is gone after the block."""
    apart = PACKAGES if _wants_archive(folder) else ""
    with TemporaryFile() as file, TemporaryFile() as packages:
        with _open_archive(file) as archive:
            for path in _walk(folder, apart):
                _add(archive, path, path.relative_to(folder).as_posix())
            if apart:
                _pack(folder, packages)
                _add_content(archive, packages, tarfile.TarInfo(f"{PACKAGES}.tar"))
        file.seek(0)
        yield file


def _wants_archive(folder: Path) -> bool:
    dockerfile = folder / DOCKERFILE
    return (folder / PACKAGES).is_dir() and dockerfile.is_file() and f"{PACKAGES}.tar" in dockerfile.read_text()


def _pack(folder: Path, packages: IO[bytes]) -> None:
    with _open_archive(packages) as inner:
        for path in (folder / PACKAGES, *_walk(folder / PACKAGES)):
            _add(inner, path, path.relative_to(folder).as_posix())


def _open_archive(file: IO[bytes]) -> tarfile.TarFile:
    return tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT)


def _walk(folder: Path, apart: str = "") -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        # os.walk goes on with what is left in its list
        folders[:] = sorted(name for name in folders if goes_into_image(name) and (name != apart or Path(root) != folder))
        yield from (Path(root, name) for name in folders)
        yield from (Path(root, name) for name in sorted(files) if goes_into_image(name))


def _add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    if path.is_symlink() or not (path.is_file() or path.is_dir()):
        raise BuildFailed(f"{name} is neither a file nor a folder", "links do not go into images")
    entry = tarfile.TarInfo(name)
    if path.is_dir():
        entry.type, entry.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(entry)
        return
    with path.open("rb") as content:
        entry.mode = 0o755 if os.fstat(content.fileno()).st_mode & 0o100 else 0o644
        _add_content(archive, content, entry)


def _add_content(archive: tarfile.TarFile, content: IO[bytes], entry: tarfile.TarInfo) -> None:
    entry.size = content.seek(0, os.SEEK_END)
    content.seek(0)
    archive.addfile(entry, content)
