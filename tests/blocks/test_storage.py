"""What is stored is found by the hash of what is in it, whole or not at all."""

import asyncio
from pathlib import Path

import pytest

from blocks.domain.errors import IntegrityMismatch, Terminal
from blocks.storage import FolderStorage

KEY = f"sha256:{'a' * 64}"


@pytest.fixture
def storage(tmp_path: Path) -> FolderStorage:
    """An empty storage."""
    return FolderStorage(tmp_path / "storage")


@pytest.mark.parametrize("content", ["text", b"\x00bytes", ""])
async def test_gives_back_what_was_put(storage: FolderStorage, content: bytes | str) -> None:
    """As bytes."""
    key = await storage.put(content)
    assert await storage.has(key)
    assert await storage.get(key) == (content.encode() if isinstance(content, str) else content)


async def test_the_same_content_has_the_same_key(storage: FolderStorage) -> None:
    """And is there once, also when many put it at one time."""
    keys = await asyncio.gather(*(storage.put("text") for _ in range(8)), storage.put(b"text"))
    assert len(set(keys)) == 1


async def test_unknown_content_is_said_to_be_unknown(storage: FolderStorage) -> None:
    """Not knowing is no empty text."""
    assert not await storage.has(KEY)
    with pytest.raises(Terminal, match="not in the storage"):
        await storage.get(KEY)


@pytest.mark.parametrize("key", ["sha256:../../etc/passwd", "sha256:", "", f"sha256:{'A' * 64}"])
async def test_keys_are_no_paths(storage: FolderStorage, key: str) -> None:
    """Nothing outside the storage can be named."""
    with pytest.raises(Terminal, match="not the key"):
        await storage.get(key)


async def test_changed_content_is_refused(storage: FolderStorage, tmp_path: Path) -> None:
    """Whoever changed it."""
    key = await storage.put("text")
    (file,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    file.write_text("other text")
    with pytest.raises(IntegrityMismatch, match="was changed"):
        await storage.get(key)


async def test_a_folder_stands_once_it_is_full(storage: FolderStorage) -> None:
    """And nobody sees it grow."""
    async with storage.make_folder(KEY) as growing:
        assert await storage.find_folder(KEY) is None
        (growing / "file").write_text("text")
    folder = await storage.find_folder(KEY)
    assert folder is not None
    assert (folder / "file").read_text() == "text"


async def test_what_stands_is_read_by_the_group(storage: FolderStorage, tmp_path: Path) -> None:
    """A run in a pod and one on this machine are different users of one group; nobody else reads it."""
    await storage.put("text")
    async with storage.make_folder(KEY):
        pass
    folder = await storage.find_folder(KEY)
    (file,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert folder is not None
    assert (file.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o640, 0o750)


async def test_a_folder_that_failed_leaves_nothing(storage: FolderStorage, tmp_path: Path) -> None:
    """Not even half of it."""

    async def fail_halfway() -> None:
        async with storage.make_folder(KEY) as growing:
            (growing / "file").write_text("half")
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk"):
        await fail_halfway()
    assert await storage.find_folder(KEY) is None
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


async def test_two_may_make_the_same_folder(storage: FolderStorage) -> None:
    """The first one stays, because both are made of the same."""
    async with storage.make_folder(KEY) as first, storage.make_folder(KEY) as second:
        (first / "file").write_text("text")
        (second / "file").write_text("text")
    folder = await storage.find_folder(KEY)
    assert folder is not None
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
