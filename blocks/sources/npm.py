"""The npm registry: what is published under a name, and archives that are what the registry promised."""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import IO, Any

import httpx

from blocks.domain.errors import IntegrityMismatch, Refused, Terminal, Transient, Unresolvable
from blocks.domain.integrity import Checksum, strongest
from blocks.domain.release import Release
from blocks.domain.resolution import Listing, Published
from blocks.ports.sources import Access

PACKUMENT = "application/vnd.npm.install-v1+json, application/json;q=0.9, */*;q=0.1"
# The longest pause that we wait out ourselves when a registry asks for one, how often, and the longest one answer may take; seconds.
LONGEST_PAUSE, PAUSES, LONGEST_ANSWER = 30.0, 2, 300.0


class NpmRegistry:
    """One npm registry; answers larger than `limit` bytes are refused."""

    def __init__(self, web: httpx.AsyncClient, access: Access, limit: int) -> None:
        self._web, self.access, self._limit = web, access, limit

    @property
    def address(self) -> str:
        """The registry's address."""
        return self.access.address

    async def releases(self, name: str) -> Listing:
        """Everything published under the name; `Unresolvable` if nothing is, `Transient` if the registry does not answer properly."""
        body = bytearray()
        await self._read(f"{self.address}{name.replace('/', '%2f')}", name, body.extend)
        try:
            return read_packument(name, json.loads(body))
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            raise Transient(f"{self.address} answered about {name} with something that is no packument") from problem

    async def fetch(self, release: Release, target: Path) -> None:
        """Write the archive to the path; `IntegrityMismatch` if it is not what was promised, and then nothing stays."""
        computed = Checksum(release.integrity)
        with open_whole(target) as file:

            def take(part: bytes) -> None:
                file.write(part)
                computed.add(part)

            await self._read(release.location, f"{release.name} {release.version}", take)
            refuse_other(release, str(computed))

    async def manifest(self, release: Release) -> str:  # noqa: ARG002 (an npm package has none)
        """Nothing: npm packages bring no plugin.yaml."""
        return ""

    async def _read(self, address: str, about: str, sink: Callable[[bytes], object]) -> None:
        for tries_left in reversed(range(PAUSES + 1)):
            try:
                async with asyncio.timeout(LONGEST_ANSWER):
                    pause = await self._try_to_read(address, about, sink)
            except (httpx.HTTPError, TimeoutError) as problem:
                said = str(problem) or type(problem).__name__
                raise Transient(f"{self.address} gave no whole answer about {about}: {said}", "try again later") from problem
            if pause is None:
                return
            if not tries_left or pause > LONGEST_PAUSE:
                raise Transient(f"{self.address} is asked too often", f"it wants us to wait {pause:.0f} s", pause)
            await asyncio.sleep(pause)

    async def _try_to_read(self, address: str, about: str, sink: Callable[[bytes], object]) -> float | None:
        """The pause that the registry asks for, or None once the whole answer went into the sink."""
        size = 0
        async with self._web.stream("GET", address, headers=self._headers(address)) as answer:
            if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
                return read_pause(answer.headers.get("Retry-After", ""))
            refuse_unless_found(answer.status_code, self.address, about)
            async for part in answer.aiter_bytes():
                size += len(part)
                if size > self._limit:
                    raise Refused(f"{about} is larger than {self._limit} bytes", "MAX_ARCHIVE_MB is the limit")
                sink(part)
        return None

    def _headers(self, address: str) -> dict[str, str]:
        # A registry may keep its archives elsewhere: the token is for the registry alone.
        ours = httpx.URL(address).netloc == httpx.URL(self.address).netloc
        return {"Accept": PACKUMENT} | ({"Authorization": f"Bearer {self.access.token}"} if ours and self.access.token else {})


@contextmanager
def open_whole(target: Path) -> Iterator[IO[bytes]]:
    """A new file that stays only if the block ends well."""
    try:
        with target.open("xb") as file:
            yield file
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def refuse_other(release: Release, got: str) -> None:
    """`IntegrityMismatch` unless the archive has the checksum that was promised."""
    if got != release.integrity:
        text = f"the archive of {release.name} {release.version} has the checksum {got}, promised was {release.integrity}"
        raise IntegrityMismatch(text, "do not install it; tell whoever runs the registry")


def refuse_unless_found(status: int, address: str, about: str) -> None:
    """Nothing for a good answer; otherwise the error that says whether another try can help."""
    if status == httpx.codes.NOT_FOUND:
        raise Unresolvable(
            f"{about} is not in the registry {address}", "check the name, or name another registry in source.registry"
        )
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise Refused(f"{address} does not let us read {about} ({status})", "name a valid token in source.tokenRef")
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.REQUEST_TIMEOUT:
        raise Transient(f"{address} failed with {status} on {about}", "try again later")
    if status != httpx.codes.OK:
        raise Terminal(f"{address} answered {status} about {about}")


def read_packument(name: str, packument: Mapping[str, Any]) -> Listing:
    """The registry's document as plain values, or an error of the shape (KeyError, TypeError, AttributeError)."""
    releases = tuple(read_release(version, facts) for version, facts in packument["versions"].items())
    return Listing(name, releases, tuple(sorted(packument.get("dist-tags", {}).items())))


def read_release(version: str, facts: Mapping[str, Any]) -> Published:
    """One version of a packument."""
    archive = facts["dist"]
    integrity = strongest(archive.get("integrity") or "", archive.get("shasum") or "")
    peers = tuple(sorted((facts.get("peerDependencies") or {}).items()))
    return Published(version, integrity, archive["tarball"], str(facts.get("deprecated") or ""), peers)


def read_pause(retry_after: str) -> float:
    """Seconds that a Retry-After header asks for, written as seconds or as a date; 1 if it says nothing readable."""
    if retry_after.strip().isdigit():
        return float(retry_after)
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return 1.0
