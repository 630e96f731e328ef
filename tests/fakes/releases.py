"""A source of npm releases and a package manager in memory: one release, one lock, and every question is counted."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from blocks.domain.errors import Unresolvable
from blocks.domain.manifest import Source
from blocks.domain.recipe import LOCK_FILE
from blocks.domain.release import Release
from blocks.domain.resolution import Gap, Listing, Published
from blocks.ports.sources import Access, Locked

INTEGRITY = "sha512-AAAA"


class MemoryReleases:
    """Implements `blocks.ports.sources.Sources`, `ReleaseSource` and `Packages`; `fails` holds errors by the method that raises."""

    def __init__(self, name: str, version: str = "1.2.3") -> None:
        self.name, self.version = name, version
        self.calls: Counter[str] = Counter()
        self.fails: dict[str, Exception] = {}

    async def open(self, source: Source) -> "MemoryReleases":
        """Itself, whatever the source."""
        return self

    @property
    def address(self) -> str:
        """An address that nobody asks."""
        return "https://registry.test/"

    @property
    def access(self) -> Access:
        """Without a token."""
        return Access(self.address)

    async def releases(self, name: str) -> Listing:
        """The one release."""
        self._called("releases")
        if name != self.name:
            raise Unresolvable(f"{name} is not in the registry {self.address}")
        return Listing(name, (Published(self.version, INTEGRITY, f"{self.address}{name}.tgz"),))

    async def fetch(self, release: Release, target: Path) -> None:
        """A file with the release's name."""
        self._called("fetch")
        target.write_text(release.name)

    async def manifest(self, release: Release) -> str:
        """Nothing, as of an npm package."""
        return ""

    async def lock(self, project: Mapping[str, str], access: Access) -> Locked | Gap:
        """A lock with the plugin alone."""
        self._called("lock")
        locked = f"  '{self.name}@{self.version}':\n    resolution: {{integrity: {INTEGRITY}}}\n"
        return Locked(f"lockfileVersion: '9.0'\n\npackages:\n\n{locked}\nsnapshots:\n")

    async def install(self, project: Mapping[str, str], access: Access, folder: Path) -> None:
        """The lock file as all that there is."""
        self._called("install")
        (folder / "node_modules").mkdir(parents=True)
        (folder / LOCK_FILE).write_text(project[LOCK_FILE])

    def _called(self, method: str) -> None:
        self.calls[method] += 1
        if method in self.fails:
            raise self.fails[method]
