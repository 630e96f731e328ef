"""Sources are opened with the tokens and certificates of this environment, and with nothing that is not there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from blocks.domain.errors import Refused, Transient
from blocks.domain.manifest import FolderSource, NpmSource
from blocks.settings import Settings
from blocks.sources.known import open_sources, trust
from tests.fakes.authority import make_authority
from tests.fakes.npm_registry import FakeRegistry, open_registry


async def configured() -> str:
    """What npm is configured for."""
    return "http://configured.test"


def settings(folder: Path, npm_registry: str = "") -> Settings:
    """Settings with secrets in the folder."""
    return Settings(secrets_dir=folder, npm_registry=npm_registry, plugin_dir=folder, extra_ca_bundle=None)


@pytest.mark.parametrize(
    ("asked", "setting", "expected"),
    [
        pytest.param("http://asked.test/npm", "http://set.test/", "http://asked.test/npm/", id="the request goes first"),
        pytest.param(None, "http://set.test/", "http://set.test/", id="then the setting"),
        pytest.param(None, "", "http://configured.test/", id="then what npm is configured for"),
    ],
)
async def test_npm_registry(tmp_path: Path, asked: str | None, setting: str, expected: str) -> None:
    """Its address ends with a slash."""
    async with open_sources(settings(tmp_path, setting), configured) as sources:
        source = await sources.open(NpmSource(registry=asked))
        assert (source.address, source.access.token) == (expected, "")


async def test_tokens_are_read_by_reference(tmp_path: Path) -> None:
    """From the file of that name."""
    (tmp_path / "npm-token").write_text("s3cret\n")
    async with open_sources(settings(tmp_path), configured) as sources:
        assert (await sources.open(NpmSource(token_ref="npm-token"))).access.token == "s3cret"


async def test_a_missing_token_is_refused(tmp_path: Path) -> None:
    """By name."""
    async with open_sources(settings(tmp_path), configured) as sources:
        with pytest.raises(Refused, match="npm-token"):
            await sources.open(NpmSource(token_ref="npm-token"))


async def test_folders_need_nothing(tmp_path: Path) -> None:
    """No registry, no token."""
    async with open_sources(settings(tmp_path), configured) as sources:
        source = await sources.open(FolderSource(type="folder", path="hello"))
        assert (source.address, source.access.address) == ("folder:hello", "")


@pytest.fixture
def company(tmp_path: Path) -> Iterator[tuple[Path, FakeRegistry]]:
    """A registry whose certificate comes from an authority that only the extra bundle names."""
    bundle, context = make_authority(tmp_path)
    with open_registry(tls=context) as registry:
        registry.publish("hello", "1.0.0")
        yield bundle, registry


async def test_the_extra_bundle_is_trusted(company: tuple[Path, FakeRegistry], tmp_path: Path) -> None:
    """As well as the machine's own certificates."""
    bundle, registry = company
    trusting = settings(tmp_path).model_copy(update={"extra_ca_bundle": bundle})
    async with open_sources(trusting, configured) as sources:
        assert (await (await sources.open(NpmSource(registry=registry.address))).releases("hello")).releases


async def test_nobody_else_is_trusted(company: tuple[Path, FakeRegistry], tmp_path: Path) -> None:
    """Without the bundle the same registry is not believed."""
    async with open_sources(settings(tmp_path), configured) as sources:
        source = await sources.open(NpmSource(registry=company[1].address))
        with pytest.raises(Transient, match="certificate"):
            await source.releases("hello")


def test_a_bundle_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """Rather than left out in silence."""
    with pytest.raises(Refused, match="EXTRA_CA_BUNDLE"):
        trust(tmp_path / "missing.pem")
