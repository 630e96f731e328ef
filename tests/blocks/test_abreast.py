"""Many things at once: a few at a time, in their order, and no further after an error."""

import asyncio

import pytest

from blocks.abreast import ABREAST, abreast

MANY = range(3 * ABREAST)


async def test_all_are_done_and_told_in_their_order() -> None:
    async def double(number: int) -> int:
        # The later ones are done first.
        await asyncio.sleep(0.001 * (ABREAST - number % ABREAST))
        return 2 * number

    assert await abreast(double, MANY) == [2 * one for one in MANY]


async def test_no_more_than_a_few_are_under_way() -> None:
    under_way = [0]
    most = [0]

    async def count(_: int) -> None:
        under_way[0] += 1
        most[0] = max(most[0], under_way[0])
        await asyncio.sleep(0)
        under_way[0] -= 1

    await abreast(count, MANY)
    assert most == [ABREAST]


async def test_the_first_error_is_raised_when_those_beside_it_have_ended_and_nothing_more_begins() -> None:
    begun, ended = [], []

    async def fail_in_the_first_row(number: int) -> None:
        begun.append(number)
        await asyncio.sleep(0)
        if number in (2, 3):
            raise ValueError(f"{number} is no good")
        ended.append(number)

    with pytest.raises(ValueError, match="2 is no good"):
        await abreast(fail_in_the_first_row, MANY)
    assert begun == [*range(ABREAST)]
    assert ended == [one for one in begun if one not in (2, 3)]
