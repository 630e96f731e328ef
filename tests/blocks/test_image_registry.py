"""A registry that fails is said to fail: not knowing whether an image is there is no answer."""

from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from blocks.domain.errors import PipelineError, Refused, Transient
from blocks.image_registry import ImageRegistry, open_image_registry

REPOSITORY = "registry.test/plugins/hello"
DIGEST = f"sha256:{'1' * 64}"
Answer = Callable[[httpx.Request], httpx.Response]


async def ask(answer: Answer) -> AsyncIterator[ImageRegistry]:
    """A registry that answers as told."""
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as web:
        yield ImageRegistry(web, frozenset({"plain.test"}))


def always(status: int) -> Answer:
    """The same answer to everything."""
    return lambda _: httpx.Response(status)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        pytest.param(401, Refused, id="401 is refused"),
        pytest.param(403, Refused, id="403 is refused"),
        pytest.param(429, Transient, id="429 may recover"),
        pytest.param(500, Transient, id="500 may recover"),
    ],
)
async def test_says_why_there_is_no_answer(status: int, error: type[PipelineError]) -> None:
    """To every question."""
    async for registry in ask(always(status)):
        for question in (registry.has(REPOSITORY, DIGEST), registry.delete(REPOSITORY, DIGEST), registry.tags(REPOSITORY)):
            with pytest.raises(error, match=r"registry\.test"):
                await question


async def test_says_when_images_may_not_be_deleted() -> None:
    """And what to switch on."""
    async for registry in ask(always(405)):
        with pytest.raises(Refused, match="switch deletion on"):
            await registry.delete(REPOSITORY, DIGEST)


async def test_a_registry_that_is_away_may_come_back() -> None:
    """A closed port."""
    async with open_image_registry(frozenset({"127.0.0.1:1"})) as registry:
        with pytest.raises(Transient, match="does not answer"):
            await registry.has("127.0.0.1:1/plugins/hello", DIGEST)


@pytest.mark.parametrize(
    ("repository", "scheme"), [("registry.test/hello", "https"), ("plain.test/hello", "http")], ids=["others", "plain hosts"]
)
async def test_only_plain_hosts_are_asked_without_tls(repository: str, scheme: str) -> None:
    """As configured."""
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.scheme)
        return httpx.Response(404)

    async for registry in ask(answer):
        assert not await registry.has(repository, DIGEST)
    assert seen == [scheme]


async def test_tags_are_read_to_the_last_page() -> None:
    """However the registry cuts them."""

    def answer(request: httpx.Request) -> httpx.Response:
        if "last" in request.url.params:
            return httpx.Response(200, json={"tags": ["a"]})
        return httpx.Response(200, json={"tags": ["b"]}, headers={"Link": '</v2/x/tags/list?last=b&n=1>; rel="next"'})

    async for registry in ask(answer):
        assert await registry.tags(REPOSITORY) == ("a", "b")


async def test_a_repository_without_tags_has_none() -> None:
    """The registry then says null."""
    async for registry in ask(lambda _: httpx.Response(200, json={"tags": None})):
        assert await registry.tags(REPOSITORY) == ()
