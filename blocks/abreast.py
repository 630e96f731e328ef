"""Doing the same with many things, a few at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

ABREAST = 8
T = TypeVar("T")
R = TypeVar("R")


async def abreast(do: Callable[[T], Awaitable[R]], many: Sequence[T]) -> list[R]:
    """What it came to for each, in their order; the first error is raised after those begun with it have ended, and no other begins."""
    done: list[R] = []
    for begin in range(0, len(many), ABREAST):
        ended = await asyncio.gather(*map(do, many[begin : begin + ABREAST]), return_exceptions=True)
        for one in ended:
            if isinstance(one, BaseException):
                raise one
            done.append(one)
    return done
