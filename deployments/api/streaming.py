"""Answers that are sent as they are read."""

from collections.abc import AsyncIterator

from fastapi.responses import StreamingResponse

JSON_LINES = "application/x-ndjson"


async def stream(pieces: AsyncIterator[str], media_type: str) -> StreamingResponse:
    """The pieces as one answer; the first is awaited here: until the answer has begun, what goes wrong can still be said as a problem."""
    first = await anext(pieces, "")
    return StreamingResponse(_chain(first, pieces), media_type=media_type)


async def stream_lines(lines: AsyncIterator[str]) -> StreamingResponse:
    """The lines of JSON as one answer."""
    return await stream(lines, JSON_LINES)


async def _chain(first: str, rest: AsyncIterator[str]) -> AsyncIterator[str]:
    yield first
    async for piece in rest:
        yield piece
