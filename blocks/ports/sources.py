"""What resolve and fetch need from outside: sources that list and deliver releases, a package manager, a store of artefacts.

To add a source: write a class with `releases` and `fetch` in `blocks/sources/`, give its request a model in `blocks/domain/manifest.py`,
and name both in `blocks/sources/known.py`. It must pass `tests/blocks/sources/contract.py`.
"""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from blocks.domain.manifest import Source
from blocks.domain.release import Release
from blocks.domain.resolution import Gap, Listing


@dataclass(frozen=True)
class Access:
    """An npm registry and, for a private one, the token that opens it; the token is never shown."""

    address: str
    token: str = field(default="", repr=False)


@dataclass(frozen=True)
class Locked:
    """A project whose whole tree is published: `lock` is the text of the lock file."""

    lock: str


class ReleaseSource(Protocol):
    """One place where releases are listed and fetched."""

    @property
    def address(self) -> str:
        """What tells this source apart from others, without any secret."""
        ...

    @property
    def access(self) -> Access:
        """How the package manager reaches what the releases need; an empty address where they need nothing."""
        ...

    async def releases(self, name: str) -> Listing:
        """Everything published under the name, or `Unresolvable` or `Transient`."""
        ...

    async def fetch(self, release: Release, target: Path) -> None:
        """Put the verified release at the path, which does not exist yet: npm's archive, a folder's copy. Or `IntegrityMismatch`."""
        ...

    async def manifest(self, release: Release) -> str:
        """The release's own plugin.yaml, or nothing where there is none."""
        ...


class Sources(Protocol):
    """All kinds of sources that requests may name."""

    async def open(self, source: Source) -> ReleaseSource:
        """The source, ready to be asked; or `Refused` when its token is not there."""
        ...


class Packages(Protocol):
    """Locks and installs packages without ever running one of their scripts."""

    async def lock(self, project: Mapping[str, str], access: Access) -> Locked | Gap:
        """The lock of the project's files, or the first dependency that is not published; `Transient` if the registry does not answer."""
        ...

    async def install(self, project: Mapping[str, str], access: Access, folder: Path) -> None:
        """Lay out exactly what is locked under `folder/node_modules`, verified against the lock; or `IntegrityMismatch` or `Transient`."""
        ...


class Storage(Protocol):
    """Artefacts by the hash of what is in them, and folders by the hash of what they are made of."""

    async def put(self, content: bytes | str) -> str:
        """Keep the content; its key is `sha256:…`."""
        ...

    async def get(self, key: str) -> bytes:
        """The content under the key, or `Terminal` when it is not there or not what the key says."""
        ...

    async def has(self, key: str) -> bool:
        """Whether the content is there."""
        ...

    async def find_folder(self, key: str) -> Path | None:
        """The folder that was made under the key, if it is there."""
        ...

    def make_folder(self, key: str) -> AbstractAsyncContextManager[Path]:
        """An empty folder to fill; after the block it stands under the key, or, if the block fails, nothing does."""
        ...
