"""The heads of all journals, signed and kept outside the database, so that a journal cut short there shows.

Only who has the key can write a seal; only who reaches both the database and this folder can take one back.
"""

import asyncio
import json
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from blocks.domain.audit import Sealed
from blocks.domain.errors import Terminal, Transient


@dataclass(frozen=True)
class Book:
    """The seals of one operation as they were kept, and how many lines are `forged` (not signed by us) and `torn` (cut short)."""

    seals: tuple[Sealed, ...] = ()
    forged: int = 0
    torn: int = 0

    @property
    def last(self) -> Sealed | None:
        """The seal that goes furthest, or None."""
        return max(self.seals, key=lambda seal: seal.seq, default=None)


class Seals(Protocol):
    """Where heads are kept."""

    async def keep(self, operation: UUID, seq: int, head: str) -> None:
        """Keep that the journal's entry `seq` has this hash."""
        ...

    async def last(self, operation: UUID) -> Sealed | None:
        """The seal that goes furthest, or None."""
        ...

    async def read(self, operation: UUID) -> Book:
        """Every seal of the operation."""
        ...

    async def known(self) -> list[UUID]:
        """Every operation that was ever sealed."""
        ...


class FolderSeals:
    """One file for each operation, only ever added to; the key is made when it is first needed."""

    def __init__(self, folder: Path, key: Path) -> None:
        self._folder, self._key_file = folder.resolve(), key.resolve()
        self._key: Ed25519PrivateKey | None = None

    async def keep(self, operation: UUID, seq: int, head: str) -> None:
        """Keep that the journal's entry `seq` has this hash, or raise `Transient`."""
        await asyncio.to_thread(self._write, operation, Sealed(seq, head))

    async def last(self, operation: UUID) -> Sealed | None:
        """The seal that goes furthest, or None."""
        return (await self.read(operation)).last

    async def read(self, operation: UUID) -> Book:
        """Every seal of the operation."""
        return await asyncio.to_thread(self._read, operation)

    async def known(self) -> list[UUID]:
        """Every operation that was ever sealed."""
        found = await asyncio.to_thread(lambda: sorted(self._folder.glob(f"??/{'?' * 36}.seals")))
        return [UUID(path.stem) for path in found]

    def _write(self, operation: UUID, seal: Sealed) -> None:
        told = {"seq": seal.seq, "head": seal.head, "by": self._signer().sign(_text(operation, seal)).hex()}
        # Begun on a line of its own: what a writer left half-written before ends there.
        line = f"\n{json.dumps(told)}\n".encode()
        path = self._path(operation)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o660)
            try:
                if os.write(descriptor, line) < len(line):
                    raise OSError("only a part of it could be written")
            finally:
                os.close(descriptor)
        except OSError as problem:
            raise Transient("the journal's seal could not be kept", "see whether the storage folder is full") from problem

    def _read(self, operation: UUID) -> Book:
        try:
            lines = self._path(operation).read_text(errors="replace").splitlines()
        except FileNotFoundError:
            return Book()
        seals, forged, torn = [], 0, 0
        for line in filter(None, lines):
            try:
                told = json.loads(line)
                seal, signature = Sealed(told["seq"], told["head"]), bytes.fromhex(told["by"])
            except (ValueError, KeyError, TypeError):
                torn += 1
                continue
            if self._signed(_text(operation, seal), signature):
                seals.append(seal)
            else:
                forged += 1
        return Book(tuple(seals), forged, torn)

    def _signed(self, text: bytes, signature: bytes) -> bool:
        try:
            self._signer().public_key().verify(signature, text)
        except InvalidSignature:
            return False
        return True

    def _signer(self) -> Ed25519PrivateKey:
        self._key = self._key or find_key(self._key_file)
        return self._key

    def _path(self, operation: UUID) -> Path:
        return self._folder / operation.hex[:2] / f"{operation}.seals"


def _text(operation: UUID, seal: Sealed) -> bytes:
    return f"{operation}:{seal.seq}:{seal.head}".encode()


def find_key(path: Path) -> Ed25519PrivateKey:
    """The key in the file, made if there is none yet; `Terminal` if it cannot be read."""
    if not path.exists():
        _make_key(path)
    try:
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text().strip()))
    except (ValueError, OSError) as problem:
        raise Terminal(f"the key of the seals in {path.name} cannot be read", "bring it back from the backup") from problem


def _make_key(path: Path) -> None:
    """Whole or not at all, and if many make one at a time, one of them stays."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()
    )
    descriptor, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "w") as fresh:
        fresh.write(made.hex())
    with suppress(FileExistsError):
        os.link(name, path)
    Path(name).unlink()
