"""Checksums: the strongest that is published counts, and half a checksum is none."""

import base64
import hashlib

import pytest

from blocks.domain.integrity import Checksum, is_weak, strongest

TEXT = b"an archive"
SHA512 = f"sha512-{base64.b64encode(hashlib.sha512(TEXT).digest()).decode()}"
SHA256 = f"sha256-{base64.b64encode(hashlib.sha256(TEXT).digest()).decode()}"
SHA1 = f"sha1-{base64.b64encode(hashlib.sha1(TEXT).digest()).decode()}"
SHASUM = hashlib.sha1(TEXT).hexdigest()


@pytest.mark.parametrize(
    ("integrity", "shasum", "expected"),
    [
        pytest.param(SHA512, SHASUM, SHA512, id="sha512 goes before sha1"),
        pytest.param(f"{SHA1} {SHA256} {SHA512}", "", SHA512, id="the strongest of several"),
        pytest.param(f"{SHA512}?from=somewhere", "", SHA512, id="options are no part of it"),
        pytest.param("", SHASUM, SHA1, id="sha1 where nothing else is published"),
        pytest.param("sha512-abcd", SHASUM, SHA1, id="a checksum of the wrong length is none"),
        pytest.param("sha512-%%%", "", "", id="a checksum that is no base64 is none"),
        pytest.param("md5-CY9rzUYh03PK3k6DJie09g==", "not hexadecimal", "", id="nothing known is nothing"),
    ],
)
def test_chooses(integrity: str, shasum: str, expected: str) -> None:
    """One checksum, or none."""
    assert strongest(integrity, shasum) == expected


@pytest.mark.parametrize("promised", [SHA512, SHA256, SHA1])
def test_parts_add_up(promised: str) -> None:
    """To the checksum of the whole."""
    computed = Checksum(promised)
    for part in (TEXT[:3], TEXT[3:]):
        computed.add(part)
    assert str(computed) == promised


def test_sha1_is_weak_and_said_to_be() -> None:
    """The others are not."""
    assert is_weak(SHA1)
    assert not is_weak(SHA512)
