"""What proves that an archive is the one that was published: Subresource Integrity strings such as `sha512-…`."""

import base64
import binascii
import hashlib

# Strongest first. sha1 proves little; it is taken only where a registry offers nothing else, and then the report says so.
ALGORITHMS = ("sha512", "sha384", "sha256", "sha1")
WEAK = "sha1"


def strongest(integrity: str, shasum: str = "") -> str:
    """The one best checksum among those published, as a Subresource Integrity string, or nothing.

    `integrity` may hold several, parted by spaces; `shasum` is npm's older sha1 in hexadecimal digits.
    """
    offered = [part.partition("?")[0] for part in integrity.split()] + ([_from_hex(shasum)] if shasum else [])
    known = {part.partition("-")[0]: part for part in reversed(offered) if _is_whole(part)}
    return next((known[algorithm] for algorithm in ALGORITHMS if algorithm in known), "")


def is_weak(integrity: str) -> bool:
    """Whether the checksum could be forged."""
    return integrity.startswith(f"{WEAK}-")


class Checksum:
    """The Subresource Integrity string of the bytes added so far, by the algorithm that another such string names."""

    def __init__(self, promised: str) -> None:
        self._algorithm = promised.partition("-")[0]
        self._hash = hashlib.new(self._algorithm, usedforsecurity=self._algorithm != WEAK)

    def add(self, part: bytes) -> None:
        """Count these bytes in."""
        self._hash.update(part)

    def __str__(self) -> str:
        return f"{self._algorithm}-{base64.b64encode(self._hash.digest()).decode()}"


def _is_whole(part: str) -> bool:
    algorithm, _, value = part.partition("-")
    try:
        raw = base64.b64decode(value, validate=True)
    except binascii.Error:
        return False
    return algorithm in ALGORITHMS and len(raw) == hashlib.new(algorithm, usedforsecurity=False).digest_size


def _from_hex(shasum: str) -> str:
    try:
        return f"{WEAK}-{base64.b64encode(bytes.fromhex(shasum)).decode()}"
    except ValueError:
        return ""
