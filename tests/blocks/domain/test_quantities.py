"""Quantities are read as Kubernetes reads them, and nonsense is refused with a hint."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from blocks.domain.quantities import amount, cores, memory


@pytest.mark.parametrize(
    ("text", "expected"),
    [("500m", "0.5"), ("2", "2"), ("1.5", "1.5"), ("1Ki", "1024"), ("256Mi", "268435456"), ("1G", "1000000000"), ("2k", "2000")],
)
def test_amount(text: str, expected: str) -> None:
    """Exact numbers, not floats."""
    assert amount(text) == Decimal(expected)


@pytest.mark.parametrize("text", ["", "1e3", "-1", "1 Gi", "1kb", "m"])
def test_amount_refuses(text: str) -> None:
    """What Kubernetes would refuse, and what people do not write."""
    with pytest.raises(ValueError, match="is not a quantity"):
        amount(text)


@pytest.mark.parametrize(
    ("check", "text", "fits"),
    [
        pytest.param(cores, "500m", True, id="millicores"),
        pytest.param(cores, "2", True, id="whole cores"),
        pytest.param(cores, "0", False, id="no cores at all"),
        pytest.param(cores, "1Gi", False, id="bytes are not cores"),
        pytest.param(memory, "256Mi", True, id="mebibytes"),
        pytest.param(memory, "1G", True, id="gigabytes"),
        pytest.param(memory, "128m", False, id="a fraction of a byte is a typing error"),
        pytest.param(memory, "12", False, id="a few bytes are a typing error"),
    ],
)
def test_units(check: Callable[[str], str], text: str, fits: bool) -> None:  # noqa: FBT001
    """Each kind of resource takes its own units only."""
    if fits:
        assert check(text) == text
    else:
        with pytest.raises(ValueError, match="give"):
            check(text)
