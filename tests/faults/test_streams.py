"""A stream of changes is forgotten, falls silent, breaks or is cut: what waits for something sees it all the same."""

import asyncio
import json
from dataclasses import replace

import pytest
from aiohttp import web

from blocks.domain.errors import Unreachable
from blocks.domain.objects.blueprint import Object
from blocks.ports.cluster import Sights, View
from blocks.ports.patience import Patience
from tests.blocks.cluster.conftest import make
from tests.faults.conftest import SHORT, Front
from tests.faults.proxy import FOREVER, Act, Fault, Proxy, answers, hangs_up, shows_a_page

WATCH, LIST = "WATCH configmaps", "GET configmaps"
# No stream is given up, and none ends by itself.
LASTING = replace(SHORT, stream=60, silence=60)


def settings(namespace: str, **data: str) -> Object:
    return make("ConfigMap", namespace, "settings", data=data)


def says(*lines: bytes, cut: bool = False) -> Act:
    """The stream says this and ends, with a cut connection or well."""

    async def act(_: Proxy, request: web.Request) -> web.StreamResponse:
        stream = web.StreamResponse()
        await stream.prepare(request)
        for line in lines:
            await stream.write(line)
        if cut:
            assert request.transport
            request.transport.abort()
        return stream

    return act


def view(front: Front) -> dict[str, View]:
    """The settings alone: a real cluster puts a ConfigMap of its own into every namespace."""
    return {"it": View("ConfigMap", front.namespace, fields={"metadata.name": "settings"})}


async def is_watched(front: Front) -> None:
    """Somebody has begun to watch."""
    async with asyncio.timeout(10):
        while WATCH not in front.proxy.requests:
            await asyncio.sleep(0.01)


GONE = json.dumps({"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired"}}).encode() + b"\n"
BROKEN = json.dumps({"type": "ERROR", "object": {"kind": "Status", "code": 500, "message": "leader changed"}}).encode() + b"\n"


async def watching(front: Front, colour: str) -> "asyncio.Task[bool | None]":
    """Somebody who waits until the settings have this colour, and has begun to watch."""

    def has_come(seen: Sights) -> bool | None:
        return any(one["data"]["colour"] == colour for one in seen["it"]) or None

    waiting = asyncio.create_task(front.cluster.wait(view(front), has_come, 30))
    await is_watched(front)
    return waiting


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(answers(410, "too old resource version"), id="the version is gone at once"),
        pytest.param(says(GONE), id="the version is gone on the way"),
        pytest.param(says(BROKEN), id="the server breaks on the way"),
        pytest.param(answers(429, "too many requests", Retry_After="1"), id="the server is busy"),
        pytest.param(answers(500, "etcdserver: leader changed"), id="leaders change"),
        pytest.param(hangs_up, id="it is cut at once"),
        pytest.param(says(b'{"type": "ADD', cut=True), id="it is cut in the middle of a line"),
        pytest.param(says(b'{"type": "ADD'), id="it ends in the middle of a line"),
        pytest.param(shows_a_page, id="something else answers"),
    ],
)
async def test_a_stream_that_fails_is_opened_anew(front: Front, act: Act) -> None:
    front.proxy.faults = [Fault(act, WATCH, times=2)]
    waiting = await watching(front, "blue")
    while front.proxy.faults[0].times:
        await asyncio.sleep(0.01)
    await front.direct.apply(settings(front.namespace, colour="blue"))
    assert await waiting


async def test_a_silent_stream_is_given_up_and_everything_is_listed_again(front: Front) -> None:
    waiting = await watching(front, "blue")
    lists = front.proxy.requests.count(LIST)
    front.proxy.silent = True
    await front.direct.apply(settings(front.namespace, colour="blue"))
    assert await waiting
    assert front.proxy.requests.count(LIST) > lists


async def test_an_object_of_a_megabyte_comes_through_a_stream(front: Front) -> None:
    front.cluster._connection.bounds = LASTING
    waiting = await watching(front, "blue")
    await front.direct.apply(settings(front.namespace, colour="blue", weight="x" * 900_000))
    assert await waiting
    assert front.proxy.requests.count(LIST) == 1


async def test_nobody_gives_up_without_having_looked_once_more(front: Front) -> None:
    def is_there(seen: Sights) -> bool | None:
        return bool(seen["it"]) or None

    front.cluster._connection.bounds = LASTING
    waiting = asyncio.create_task(front.cluster.wait(view(front), is_there, 5))
    await is_watched(front)
    front.proxy.silent = True
    await front.direct.apply(settings(front.namespace, colour="blue"))
    assert await waiting
    # One list at the beginning, one at the end: the stream was not given up yet.
    assert front.proxy.requests.count(LIST) == 2


async def test_time_in_which_the_cluster_is_not_seen_is_not_spent(front: Front) -> None:
    patience = Patience(300)
    waiting = asyncio.create_task(front.cluster.wait(view(front), never, patience))
    await is_watched(front)
    await front.proxy.go_away()
    with pytest.raises(Unreachable, match="does not answer"):
        await waiting
    left = patience.left
    with pytest.raises(Unreachable, match="does not answer"):
        await front.cluster.wait(view(front), never, patience.part(5))
    assert patience.left == left > 200
    await front.proxy.come_back()
    assert await front.cluster.wait(view(front), never, patience.part(0.2)) is None
    assert left - 100 < patience.left < left


async def test_a_part_of_patience_that_cannot_be_seen_is_not_at_an_end(front: Front) -> None:
    """A stream stays open, the server behind it is gone: the time runs out, and still nothing is concluded."""
    front.proxy.silent = True
    patience = Patience(0.3)
    waiting = asyncio.create_task(front.cluster.wait(view(front), never, patience))
    await is_watched(front)
    front.proxy.faults = [Fault(hangs_up, LIST, times=FOREVER)]
    with pytest.raises(Unreachable):
        await waiting
    assert patience.left > 0


def never(_: Sights) -> bool | None:
    return None
