"""What every source promises: the same tests for each; a source's own test module gives the two fixtures.

`source` is a source that holds `hello` 1.0.0; `spoiled` is one whose content is no longer what it listed.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from blocks.domain.errors import IntegrityMismatch, Unresolvable
from blocks.domain.release import Release
from blocks.ports.sources import ReleaseSource


async def listed(source: ReleaseSource) -> Release:
    """The one release that the source holds."""
    (one,) = (await source.releases("hello")).releases
    return Release("hello", one.version, one.integrity, one.location)


class SourceContract:
    """The promises."""

    async def test_lists_releases_with_checksums(self, source: ReleaseSource) -> None:
        """Each with one that can be compared."""
        release = await listed(source)
        assert release.version == "1.0.0"
        assert release.integrity.startswith("sha512-")

    async def test_does_not_know_other_plugins(self, source: ReleaseSource) -> None:
        """And says so with their name."""
        with pytest.raises(Unresolvable, match="not-there"):
            await source.releases("not-there")

    async def test_fetches_what_was_listed(self, source: ReleaseSource, tmp_path: Path) -> None:
        """To exactly the place it is told."""
        await source.fetch(await listed(source), tmp_path / "target")
        assert (tmp_path / "target").exists()

    async def test_refuses_another_checksum_and_leaves_nothing(self, source: ReleaseSource, tmp_path: Path) -> None:
        """Half-done is worse than not done."""
        release = replace(await listed(source), integrity=f"sha512-{'A' * 86}==")
        with pytest.raises(IntegrityMismatch):
            await source.fetch(release, tmp_path / "target")
        assert not (tmp_path / "target").exists()

    async def test_refuses_what_was_changed_since(self, spoiled: tuple[ReleaseSource, Release], tmp_path: Path) -> None:
        """Nothing of it stays either."""
        source, release = spoiled
        with pytest.raises(IntegrityMismatch):
            await source.fetch(release, tmp_path / "target")
        assert not (tmp_path / "target").exists()

    async def test_address_holds_no_secret(self, source: ReleaseSource) -> None:
        """It stands in keys and messages; so does the text of its access."""
        assert "s3cret" not in f"{source.address} {source.access}"
