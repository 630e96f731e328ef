"""Watching: what is in view is kept up to date from the server's own stream, and a decision is taken at every change.

Nothing is asked twice that the server tells by itself: a stream that ends goes on from the last version seen, and only when that
version is gone (410), or the stream breaks or falls silent, is everything listed again; the listing then tells whether the cluster is
away. Only time in which the server was heard is spent, and nobody gives up waiting without having looked once more.
"""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from blocks.cluster.connection import LONGEST_WAIT, Connection
from blocks.cluster.read import find_objects
from blocks.cluster.stream import VersionGone, read_changes
from blocks.domain.errors import Transient
from blocks.domain.objects.blueprint import Object
from blocks.ports.cluster import Sights, View, Views
from blocks.ports.patience import Patience

T = TypeVar("T")
# Seconds before a stream is opened again that ended without a word: the server may be going down.
PAUSE = 0.2


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


class Hearing:
    """When the server was last heard: time between two signs of life is spent, unless a stream was lost in between."""

    def __init__(self, patience: Patience) -> None:
        self._patience, self._clock = patience, asyncio.get_running_loop().time
        self._heard: float | None = None

    @property
    def left(self) -> float:
        """Seconds that are left if the server is still there."""
        return self._patience.left - (0 if self._heard is None else self._clock() - self._heard)

    def note(self) -> None:
        """The server is heard."""
        now = self._clock()
        if self._heard is not None:
            self._patience.spend(now - self._heard)
        self._heard = now

    def lose(self) -> None:
        """Nobody knows since when the server was not there."""
        self._heard = None


async def wait_for(connection: Connection, views: Views, decide: Callable[[Sights], T | None], patience: Patience) -> T | None:
    """The first decision that what is seen leads to, or None when patience is at an end; `Unreachable` when the cluster is away."""
    answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    sightings, hearing = {name: Sighting(view) for name, view in views.items()}, Hearing(patience)

    def look_again() -> None:
        hearing.note()
        complete = all(one.version for one in sightings.values())
        if (
            complete
            and not answer.done()
            and (found := decide({name: one.objects for name, one in sightings.items()})) is not None
        ):
            answer.set_result(found)

    followers = [asyncio.create_task(_follow(connection, one, hearing, look_again)) for one in sightings.values()]
    everything: set[asyncio.Future[Any]] = {answer, *followers}
    try:
        while hearing.left > 0 and not answer.done():
            await asyncio.wait(everything, timeout=max(hearing.left, PAUSE), return_when=asyncio.FIRST_COMPLETED)
            for follower in followers:
                if follower.done():
                    follower.result()
        return answer.result() if answer.done() else await _look_once_more(connection, views, decide, hearing)
    finally:
        answer.cancel()
        for follower in followers:
            follower.cancel()
        await asyncio.gather(*followers, return_exceptions=True)


async def _look_once_more(
    connection: Connection, views: Views, decide: Callable[[Sights], T | None], hearing: Hearing
) -> T | None:
    seen = {name: (await find_objects(connection, view))[0] for name, view in views.items()}
    hearing.note()
    return decide(seen)


async def _follow(connection: Connection, sighting: Sighting, hearing: Hearing, changed: Callable[[], None]) -> None:
    while True:
        sighting.start(*await find_objects(connection, sighting.view))
        changed()
        try:
            while True:
                await _read_stream(connection, sighting, changed)
        except VersionGone:
            await asyncio.sleep(PAUSE)
        except Transient as problem:
            hearing.lose()
            await asyncio.sleep(max(PAUSE, min(problem.retry_after, LONGEST_WAIT)))


async def _read_stream(connection: Connection, sighting: Sighting, changed: Callable[[], None]) -> None:
    began = sighting.version
    async for happened, found in read_changes(connection, sighting.view, began):
        sighting.note(happened, found)
        changed()
    if sighting.version == began:
        await asyncio.sleep(PAUSE)
