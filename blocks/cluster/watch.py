"""Watching: what is in view is kept up to date from the server's own stream, and a decision is taken at every change.

Nothing is asked twice that the server tells by itself: a stream that ends goes on from the last version seen, and only when that
version is gone (410), or the stream breaks, is everything listed again; the listing then tells whether the cluster is away.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any, TypeVar

from blocks.cluster.connection import STREAM_SECONDS, Connection, answer_of
from blocks.cluster.paths import list_of
from blocks.cluster.read import find_objects
from blocks.cluster.translate import GONE, refusal
from blocks.domain.errors import Transient
from blocks.domain.objects.blueprint import Object
from blocks.ports.cluster import Sights, View, Views

T = TypeVar("T")
# Seconds before a stream is opened again that ended without a word: the server may be going down.
PAUSE = 0.2
OK = 200


class VersionGone(Exception):
    """The server no longer knows the version from which the stream was to go on."""


class Sighting:
    """What was last seen of one view; `version` is where the stream goes on, nothing until it was listed."""

    def __init__(self, view: View) -> None:
        self.view, self.version = view, ""
        self._seen: dict[str, Object] = {}

    @property
    def objects(self) -> list[Object]:
        """Everything in view, in no order."""
        return [*self._seen.values()]

    def start(self, objects: list[Object], version: str) -> None:
        """Take a full list."""
        self._seen, self.version = {one["metadata"]["uid"]: one for one in objects}, version

    def note(self, happened: str, found: Object) -> None:
        """Take one change; a bookmark only moves the version."""
        self.version = str(found["metadata"]["resourceVersion"])
        if happened in ("ADDED", "MODIFIED"):
            self._seen[found["metadata"]["uid"]] = found
        elif happened == "DELETED":
            self._seen.pop(found["metadata"]["uid"], None)


async def wait_for(connection: Connection, views: Views, decide: Callable[[Sights], T | None], seconds: float) -> T | None:
    """The first decision that what is seen leads to, or None after so many seconds; `Transient` when the cluster is away."""
    answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    sightings = {name: Sighting(view) for name, view in views.items()}

    def look_again() -> None:
        complete = all(one.version for one in sightings.values())
        if (
            complete
            and not answer.done()
            and (found := decide({name: one.objects for name, one in sightings.items()})) is not None
        ):
            answer.set_result(found)

    followers: list[asyncio.Future[None]] = [
        asyncio.create_task(_follow(connection, one, look_again)) for one in sightings.values()
    ]
    try:
        everything: set[asyncio.Future[Any]] = {answer, *followers}
        await asyncio.wait(everything, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for follower in followers:
            if follower.done():
                follower.result()
        return answer.result() if answer.done() else None
    finally:
        answer.cancel()
        for follower in followers:
            follower.cancel()
        await asyncio.gather(*followers, return_exceptions=True)


async def _follow(connection: Connection, sighting: Sighting, changed: Callable[[], None]) -> None:
    while True:
        sighting.start(*await find_objects(connection, sighting.view))
        changed()
        try:
            while True:
                await _read_stream(connection, sighting, changed)
        except (VersionGone, Transient):
            await asyncio.sleep(PAUSE)


async def _read_stream(connection: Connection, sighting: Sighting, changed: Callable[[], None]) -> None:
    began = sighting.version
    async for happened, found in _changes(connection, sighting):
        sighting.note(happened, found)
        changed()
    if sighting.version == began:
        await asyncio.sleep(PAUSE)


async def _changes(connection: Connection, sighting: Sighting) -> AsyncIterator[tuple[str, Object]]:
    listing = list_of(sighting.view)
    going_on: dict[str, str | int] = {"watch": "true", "resourceVersion": sighting.version}
    going_on |= {"allowWatchBookmarks": "true", "timeoutSeconds": STREAM_SECONDS}
    async with connection.stream(replace(listing, query={**listing.query, **going_on})) as response:
        if response.status == GONE:
            raise VersionGone
        if response.status != OK:
            raise refusal(await answer_of(response), f"watch {sighting.view.kind}")
        async for line in response.content:
            yield _change(json.loads(line))


def _change(event: dict[str, Any]) -> tuple[str, Object]:
    if event["type"] != "ERROR":
        return event["type"], event["object"]
    # Inside a stream the server says so as an event, whatever status the stream began with.
    raise VersionGone
