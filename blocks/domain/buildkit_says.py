"""What BuildKit says while it builds, turned into lines of text.

Docker Engine passes BuildKit's progress on as Protocol Buffers (`moby.buildkit.v1.StatusResponse`): its field 3 holds log entries, and
of an entry, field 4 holds what a step wrote. Everything else in there draws progress bars, so two field numbers are all that is read.
"""

from collections.abc import Iterator
from enum import IntEnum

LOGS, WRITTEN = 3, 4


class WireType(IntEnum):
    """How Protocol Buffers write a field: as a number, as so many bytes as a number before them says, as eight or as four bytes."""

    NUMBER = 0
    EIGHT_BYTES = 1
    SIZED = 2
    FOUR_BYTES = 5


def read_written(status: bytes) -> str:
    """What the build's steps wrote, in order; `ValueError` if the message is no Protocol Buffers message."""
    entries = [content for field, content in _read_fields(status) if field == LOGS]
    written = [content for entry in entries for field, content in _read_fields(entry) if field == WRITTEN]
    return b"".join(written).decode(errors="replace")


def _read_fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and content of every field that has a size; others are stepped over."""
    at = 0
    while at < len(message):
        key, at = _read_number(message, at)
        field, how = divmod(key, 8)
        size, at = _measure(message, at, how)
        if at + size > len(message):
            raise ValueError("the message ends in the middle of a field")
        if how == WireType.SIZED:
            yield field, message[at : at + size]
        at += size


def _measure(message: bytes, at: int, how: int) -> tuple[int, int]:
    """How many bytes the content has, and where it begins."""
    match how:
        case WireType.NUMBER:
            return 0, _read_number(message, at)[1]
        case WireType.SIZED:
            return _read_number(message, at)
        case WireType.EIGHT_BYTES:
            return 8, at
        case WireType.FOUR_BYTES:
            return 4, at
        case _:
            raise ValueError(f"no field is written in way {how}")


def _read_number(message: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, least first, and where it ends."""
    number = shift = 0
    while at < len(message):
        number |= (message[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if message[at - 1] < 0x80:
            return number, at
    raise ValueError("the message ends in the middle of a number")
