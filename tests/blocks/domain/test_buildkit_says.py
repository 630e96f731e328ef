"""Progress of a build is read for what its steps wrote."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocks.domain.buildkit_says import read_written


def number(value: int) -> bytes:
    """A number as Protocol Buffers write it."""
    return bytes([value]) if value < 0x80 else bytes([value & 0x7F | 0x80]) + number(value >> 7)


def sized(field: int, content: bytes) -> bytes:
    """A field with a size."""
    return number(field << 3 | 2) + number(len(content)) + content


def log(text: bytes) -> bytes:
    """An entry of the log, with the vertex, a time and a stream beside the text."""
    return sized(3, sized(1, b"sha256:1") + sized(2, b"\x08\x01") + number(3 << 3) + number(300) + sized(4, text))


@given(st.lists(st.text(max_size=300), max_size=5))
def test_what_steps_wrote_is_read_in_order(texts: list[str]) -> None:
    """Whatever stands between: vertices, fixed numbers, fields that come with a later version."""
    between = sized(1, sized(3, b"RUN x")) + number(9 << 3 | 1) + b"12345678" + number(10 << 3 | 5) + b"1234" + sized(99, b"x")
    assert read_written(b"".join(log(text.encode()) + between for text in texts)) == "".join(texts)


def test_a_step_may_write_what_is_no_text() -> None:
    """It is shown as well as it can be."""
    assert read_written(log(b"a\xff")) == "a\ufffd"


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(sized(3, b"abc")[:-1], id="that ends in a field"),
        pytest.param(b"\x80", id="that ends in a number"),
        pytest.param(number(3 << 3 | 7), id="with a field of an unknown kind"),
    ],
)
def test_objects_to_a_message(message: bytes) -> None:
    """So that a change of format is noticed, and not taken for silence."""
    with pytest.raises(ValueError, match=r"message|field"):
        read_written(message)
