"""The npm registry, over real HTTP: every way in which a registry fails has its own answer."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from blocks.domain.errors import IntegrityMismatch, PipelineError, Refused, Transient, Unresolvable
from blocks.domain.release import Release
from blocks.domain.resolution import Published
from blocks.ports.sources import Access, ReleaseSource
from blocks.sources.npm import NpmRegistry, read_pause
from tests.blocks.sources.contract import SourceContract, listed
from tests.fakes.npm_registry import FakeRegistry, Fault, open_registry

ARCHIVE = "hello/-/hello-1.0.0.tgz"
LIMIT = 100_000


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    """A registry that holds `hello` 1.0.0 and wants a token."""
    with open_registry() as opened:
        opened.publish("hello", "1.0.0", deprecated="use another", peerDependencies={"react": "^18"})
        opened.token = "s3cret"
        yield opened


@pytest.fixture
async def web() -> AsyncIterator[httpx.AsyncClient]:
    """A client that does not wait long."""
    async with httpx.AsyncClient(timeout=httpx.Timeout(20, read=5), follow_redirects=True) as client:
        yield client


@pytest.fixture
def source(registry: FakeRegistry, web: httpx.AsyncClient) -> NpmRegistry:
    """The source for that registry."""
    return NpmRegistry(web, Access(registry.address, "s3cret"), LIMIT)


class TestNpm(SourceContract):
    """The promises of every source."""

    @pytest.fixture
    async def spoiled(self, registry: FakeRegistry, source: NpmRegistry) -> tuple[ReleaseSource, Release]:
        """The registry now delivers something else than it listed."""
        release = await listed(source)
        registry.packages["hello"].archives["1.0.0"] = b"something else"
        return source, release


async def test_reads_what_the_registry_says_of_a_release(source: NpmRegistry) -> None:
    """Its warnings and the packages that it expects beside it."""
    listing = await source.releases("hello")
    (release,) = listing.releases
    assert isinstance(release, Published)
    assert (release.deprecated, release.peers) == ("use another", (("react", "^18"),))
    assert listing.tags == (("latest", "1.0.0"),)


async def test_scoped_names_are_one_part_of_the_path(registry: FakeRegistry, source: NpmRegistry) -> None:
    """As npm itself asks."""
    registry.publish("@scope/name", "1.0.0")
    assert (await source.releases("@scope/name")).name == "@scope/name"


FAILURES = [
    pytest.param(Fault.NOT_FOUND, (Unresolvable, "is not in the registry"), id="404 is not there"),
    pytest.param(Fault.FORBIDDEN, (Refused, "does not let us"), id="403 is refused"),
    pytest.param(Fault.TOO_MANY_FOR_LONG, (Transient, "asked too often"), id="429 for an hour is not waited out"),
    pytest.param(Fault.BROKEN, (Transient, "failed with 500"), id="500 may recover"),
    pytest.param(Fault.SILENT, (Transient, "no whole answer"), id="silence may end"),
    pytest.param(Fault.TRUNCATED, (Transient, "no whole answer"), id="half a body may become whole"),
]


@pytest.mark.parametrize(("fault", "expected"), FAILURES)
async def test_says_why_there_is_no_list(
    registry: FakeRegistry, source: NpmRegistry, fault: Fault, expected: tuple[type[PipelineError], str]
) -> None:
    """And whether another try can help."""
    registry.fail("hello", fault)
    with pytest.raises(expected[0], match=expected[1]) as raised:
        await source.releases("hello")
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(("fault", "expected"), FAILURES)
async def test_says_why_there_is_no_archive_and_leaves_nothing(
    registry: FakeRegistry, source: NpmRegistry, tmp_path: Path, fault: Fault, expected: tuple[type[PipelineError], str]
) -> None:
    """The same for what is fetched."""
    release = await listed(source)
    registry.fail(ARCHIVE, fault)
    with pytest.raises(expected[0], match=expected[1]):
        await source.fetch(release, tmp_path / "release.tgz")
    assert not list(tmp_path.iterdir())


async def test_nonsense_is_no_list(registry: FakeRegistry, source: NpmRegistry) -> None:
    """A proxy's page, for example."""
    registry.fail("hello", Fault.NONSENSE)
    with pytest.raises(Transient, match="no packument"):
        await source.releases("hello")


async def test_waits_as_long_as_it_is_asked_to(registry: FakeRegistry, source: NpmRegistry) -> None:
    """And then asks again."""
    registry.fail("hello", Fault.TOO_MANY, times=1)
    assert (await source.releases("hello")).releases
    assert registry.calls["hello"] == 2


async def test_does_not_ask_for_ever(registry: FakeRegistry, source: NpmRegistry) -> None:
    """The error says how long the registry wants us to stay away."""
    registry.fail("hello", Fault.TOO_MANY)
    with pytest.raises(Transient) as raised:
        await source.releases("hello")
    assert (registry.calls["hello"], raised.value.retry_after) == (3, 1)


async def test_a_wrong_token_is_refused(registry: FakeRegistry, web: httpx.AsyncClient) -> None:
    """And not shown."""
    with pytest.raises(Refused, match="tokenRef") as raised:
        await NpmRegistry(web, Access(registry.address, "wr0ng"), LIMIT).releases("hello")
    assert "wr0ng" not in str(raised.value)


async def test_the_token_is_for_the_registry_alone(registry: FakeRegistry, source: NpmRegistry, tmp_path: Path) -> None:
    """Another host that keeps the archives never sees it."""
    release = await listed(source)
    with open_registry() as elsewhere:
        elsewhere.publish("hello", "1.0.0")
        location = f"{elsewhere.address}{ARCHIVE}"
        with pytest.raises(IntegrityMismatch):
            await source.fetch(Release("hello", "1.0.0", release.integrity[:-4] + "AA==", location), tmp_path / "release.tgz")
        assert elsewhere.tokens_seen == {""}


async def test_what_is_too_large_is_not_taken(registry: FakeRegistry, web: httpx.AsyncClient, tmp_path: Path) -> None:
    """Before it is there whole."""
    release = await listed(NpmRegistry(web, Access(registry.address, "s3cret"), LIMIT))
    with pytest.raises(Refused, match="larger than 10 bytes"):
        await NpmRegistry(web, Access(registry.address, "s3cret"), 10).fetch(release, tmp_path / "release.tgz")
    assert not list(tmp_path.iterdir())


async def test_a_registry_that_is_away_may_come_back(web: httpx.AsyncClient) -> None:
    """A closed port."""
    with pytest.raises(Transient, match="no whole answer"):
        await NpmRegistry(web, Access("http://127.0.0.1:1/"), LIMIT).releases("hello")


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        pytest.param("7", 7, 7, id="seconds"),
        pytest.param("Fri, 31 Dec 2100 23:59:59 GMT", 1e6, 1e10, id="a date to come"),
        pytest.param("Fri, 31 Dec 1999 23:59:59 GMT", 0, 0, id="a date gone by"),
        pytest.param("", 1, 1, id="nothing"),
        pytest.param("soon", 1, 1, id="nothing readable"),
    ],
)
def test_reads_how_long_to_wait(header: str, least: float, most: float) -> None:
    """In seconds."""
    assert least <= read_pause(header) <= most
