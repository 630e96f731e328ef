"""One stream of changes, line by line, however the lines are cut on their way."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp

from blocks.cluster.connection import Connection, answer_of
from blocks.cluster.paths import list_of
from blocks.cluster.translate import GONE, refusal
from blocks.domain.objects.blueprint import Object
from blocks.ports.cluster import View

OK = 200


class VersionGone(Exception):
    """The stream cannot go on from where it was: everything has to be listed again."""


async def read_changes(connection: Connection, view: View, version: str) -> AsyncIterator[tuple[str, Object]]:
    """What happened to which object since the version, until the server ends the stream; raises `VersionGone` or a cluster's no."""
    listing = list_of(view)
    going_on: dict[str, str | int] = {"watch": "true", "resourceVersion": version, "allowWatchBookmarks": "true"}
    going_on["timeoutSeconds"] = connection.bounds.stream
    async with connection.stream(replace(listing, query={**listing.query, **going_on})) as response:
        if response.status == GONE:
            raise VersionGone
        if response.status != OK:
            raise refusal(await answer_of(response), f"watch {view.kind}")
        async for line in _lines(response.content):
            yield _change(line)


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    # The reader's own lines end at 128 KiB; an object may have ten times that.
    rest = b""
    async for piece in content.iter_any():
        *whole, rest = (rest + piece).split(b"\n") if b"\n" in piece else ((rest + piece),)
        for line in whole:
            yield line
    if rest:
        raise VersionGone


def _change(line: bytes) -> tuple[str, Object]:
    try:
        event: dict[str, Any] = json.loads(line)
        if event["type"] != "ERROR":
            return event["type"], event["object"]
    except (ValueError, TypeError, KeyError) as problem:
        # Cut off, or not from the server at all.
        raise VersionGone from problem
    # Inside a stream the server says so as an event, whatever status the stream began with.
    raise VersionGone
