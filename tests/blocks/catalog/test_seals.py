"""Seals are only added, are ours or are called forged, and survive a death while they are written."""

import asyncio
import os
from pathlib import Path
from uuid import UUID

import pytest

from blocks.catalog.seals import FolderSeals
from blocks.domain.audit import Sealed
from blocks.domain.errors import Terminal, Transient

ONE, OTHER = UUID(int=1), UUID(int=2)


@pytest.fixture
def seals(tmp_path: Path) -> FolderSeals:
    """No seal yet."""
    return make(tmp_path)


def make(folder: Path) -> FolderSeals:
    """The seals of the folder, as another process opens them."""
    return FolderSeals(folder / "seals", folder / "secret" / "seals.key")


def file(folder: Path) -> Path:
    """Where the seals of the one operation are."""
    (found,) = (folder / "seals").glob(f"*/{ONE}.seals")
    return found


async def test_gives_back_what_was_kept(seals: FolderSeals, tmp_path: Path) -> None:
    """In another process too, and for each operation apart."""
    await seals.keep(ONE, 1, "a")
    await seals.keep(ONE, 2, "b")
    await seals.keep(OTHER, 1, "c")
    again = make(tmp_path)
    assert (await again.read(ONE)).seals == (Sealed(1, "a"), Sealed(2, "b"))
    assert await again.last(ONE) == Sealed(2, "b")
    assert set(await again.known()) == {ONE, OTHER}


async def test_nothing_was_kept(seals: FolderSeals) -> None:
    """Then nothing is known."""
    assert await seals.last(ONE) is None
    assert await seals.known() == []


async def test_writers_at_the_same_moment_lose_nothing(tmp_path: Path) -> None:
    """Nor make two keys; the last is the one that goes furthest, whoever wrote first."""
    await asyncio.gather(*(make(tmp_path).keep(ONE, seq, str(seq)) for seq in range(1, 31)))
    book = await make(tmp_path).read(ONE)
    assert {seal.seq for seal in book.seals} == set(range(1, 31))
    assert (book.forged, book.last) == (0, Sealed(30, "30"))


async def test_a_line_cut_short_is_said_and_harms_no_other(seals: FolderSeals, tmp_path: Path) -> None:
    """Neither those before it nor the one that is written next."""
    await seals.keep(ONE, 1, "a")
    await seals.keep(ONE, 2, "b")
    os.truncate(file(tmp_path), file(tmp_path).stat().st_size - 20)
    assert (await seals.read(ONE)).last == Sealed(1, "a")
    await seals.keep(ONE, 3, "c")
    book = await seals.read(ONE)
    assert (book.seals, book.torn, book.forged) == ((Sealed(1, "a"), Sealed(3, "c")), 1, 0)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param('"head": "a"', '"head": "x"', id="another hash"),
        pytest.param('"seq": 1', '"seq": 9', id="another place"),
    ],
)
async def test_what_somebody_else_wrote_is_forged(seals: FolderSeals, tmp_path: Path, before: str, after: str) -> None:
    """And counts for nothing."""
    await seals.keep(ONE, 1, "a")
    file(tmp_path).write_text(file(tmp_path).read_text().replace(before, after))
    book = await seals.read(ONE)
    assert (book.seals, book.forged) == ((), 1)


async def test_a_seal_of_another_operation_is_forged(seals: FolderSeals, tmp_path: Path) -> None:
    """Moving a good seal does not make it good elsewhere."""
    await seals.keep(OTHER, 1, "a")
    await seals.keep(ONE, 1, "b")
    (other,) = (tmp_path / "seals").glob(f"*/{OTHER}.seals")
    file(tmp_path).write_text(other.read_text())
    assert (await seals.read(ONE)).forged == 1


async def test_the_key_is_for_its_owner_alone(seals: FolderSeals, tmp_path: Path) -> None:
    """Whoever has it could sign anything."""
    await seals.keep(ONE, 1, "a")
    assert (tmp_path / "secret" / "seals.key").stat().st_mode & 0o077 == 0


async def test_a_key_that_cannot_be_read_is_an_error(seals: FolderSeals, tmp_path: Path) -> None:
    """Not a new key, under which every seal would be forged."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "seals.key").write_text("nonsense")
    with pytest.raises(Terminal, match=r"seals\.key cannot be read"):
        await seals.keep(ONE, 1, "a")


async def test_a_folder_that_cannot_be_written_is_transient(tmp_path: Path) -> None:
    """Somebody may make room."""
    (tmp_path / "seals").write_text("a file where a folder should be")
    with pytest.raises(Transient, match="could not be kept"):
        await make(tmp_path).keep(ONE, 1, "a")
