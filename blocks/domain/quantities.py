"""Kubernetes quantities: `500m` cores and `256Mi` bytes as exact numbers.

The grammar is that of apimachinery's `resource.Quantity`, narrowed to what people write: no exponents, no negative numbers.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

SCALE: Mapping[str, Decimal] = MappingProxyType(
    {"": Decimal(1), "m": Decimal("0.001"), "k": Decimal(10) ** 3, "M": Decimal(10) ** 6, "G": Decimal(10) ** 9}
    | {"T": Decimal(10) ** 12, "Ki": Decimal(2) ** 10, "Mi": Decimal(2) ** 20, "Gi": Decimal(2) ** 30, "Ti": Decimal(2) ** 40}
)
CPU = re.compile(r"(?P<number>\d+(\.\d+)?)(?P<unit>m?)")
MEMORY = re.compile(r"(?P<number>\d+(\.\d+)?)(?P<unit>[kMGT]|[KMGT]i)?")
QUANTITY = re.compile(r"(?P<number>\d+(\.\d+)?)(?P<unit>m|[kMGT]|[KMGT]i)?")


def amount(text: str) -> Decimal:
    """The quantity as a number of cores, bytes or things, or `ValueError`."""
    matched = QUANTITY.fullmatch(text)
    if matched is None:
        raise ValueError(f"{text!r} is not a quantity such as 500m or 256Mi")
    return Decimal(matched["number"]) * SCALE[matched["unit"] or ""]


def cores(text: str) -> str:
    """The text unchanged if it is an amount of processor time above zero, or `ValueError`."""
    if not CPU.fullmatch(text) or amount(text) <= 0:
        raise ValueError("give cores as 500m or 2")
    return text


def memory(text: str) -> str:
    """The text unchanged if it is an amount of memory of at least 1 MiB, or `ValueError`; `128m` would be a fraction of a byte."""
    if not MEMORY.fullmatch(text) or amount(text) < SCALE["Mi"]:
        raise ValueError("give bytes as 256Mi or 1Gi, at least 1Mi")
    return text
