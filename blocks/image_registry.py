"""The image registry, asked about images by the OCI distribution protocol; what is built and pushed goes there through Docker Engine."""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx

from blocks.domain.errors import Refused, Transient
from blocks.sources.known import trust

OCI, DOCKER = "application/vnd.oci.image", "application/vnd.docker.distribution"
MANIFESTS = f"{OCI}.index.v1+json, {OCI}.manifest.v1+json, {DOCKER}.manifest.list.v2+json, {DOCKER}.manifest.v2+json"
GONE = frozenset({httpx.codes.NOT_FOUND})
MOST_PAGES = 1000


class ImageRegistry:
    """Any registry that repositories name; those on `plain` hosts are asked without TLS, like the local world's."""

    def __init__(self, web: httpx.AsyncClient, plain: frozenset[str]) -> None:
        self._web, self._plain = web, plain

    async def has(self, repository: str, digest: str) -> bool:
        """Whether the registry holds the image; `Transient` if it does not answer, because not knowing is no answer."""
        return await self.digest(repository, digest) == digest

    async def digest(self, repository: str, reference: str) -> str | None:
        """The digest that the tag or digest stands for now, or None if there is no such image."""
        answer = await self._ask("HEAD", repository, f"manifests/{reference}", {"Accept": MANIFESTS})
        return None if answer.status_code in GONE else answer.headers.get("Docker-Content-Digest")

    async def delete(self, repository: str, digest: str) -> None:
        """Remove the image and every tag of it; nothing happens if it is not there."""
        answer = await self._ask("DELETE", repository, f"manifests/{digest}")
        if answer.status_code == httpx.codes.METHOD_NOT_ALLOWED:
            raise Refused(
                f"the registry of {repository} does not let images be removed", "switch deletion on in its configuration"
            )

    async def tags(self, repository: str) -> tuple[str, ...]:
        """The tags of the repository, sorted; none if it does not exist."""
        found: list[str] = []
        page = "tags/list"
        for _ in range(MOST_PAGES):
            answer = await self._ask("GET", repository, page)
            if answer.status_code in GONE:
                break
            found += answer.json().get("tags") or []
            if "next" not in answer.links:
                break
            page = f"tags/list?{httpx.URL(answer.links['next']['url']).query.decode()}"
        return tuple(sorted(found))

    async def _ask(self, method: str, repository: str, what: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        host, _, path = repository.partition("/")
        scheme = "http" if host in self._plain else "https"
        try:
            answer = await self._web.request(method, f"{scheme}://{host}/v2/{path}/{what}", headers=headers)
        except httpx.HTTPError as problem:
            raise Transient(
                f"the image registry {host} does not answer: {problem or type(problem).__name__}", "look whether it runs"
            ) from problem
        refuse_unless_answered(answer.status_code, host)
        return answer


def refuse_unless_answered(status: int, host: str) -> None:
    """Nothing if the registry gave an answer, else the error that says whether another try can help."""
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise Refused(f"the image registry {host} does not know us ({status})", "give it credentials")
    if status == httpx.codes.TOO_MANY_REQUESTS or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise Transient(f"the image registry {host} failed with {status}", "try again later")


@asynccontextmanager
async def open_image_registry(plain: frozenset[str], tls: ssl.SSLContext | None = None) -> AsyncIterator[ImageRegistry]:
    """The registry, with one pool of connections that is closed at the end."""
    async with httpx.AsyncClient(verify=tls or trust(None), timeout=httpx.Timeout(30, connect=5)) as web:
        yield ImageRegistry(web, plain)
