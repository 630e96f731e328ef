"""What a Service leads to is counted as Kubernetes says that it is to be read."""

from typing import Any

import pytest

from blocks.domain.listed import count_listed


def listing(*ready: bool | None) -> dict[str, Any]:
    """A slice with an endpoint for each of these, None where it does not say."""
    return {"endpoints": [{"addresses": ["10.0.0.1"], "conditions": {} if one is None else {"ready": one}} for one in ready]}


@pytest.mark.parametrize(
    ("slices", "count"),
    [
        pytest.param([], 0, id="nothing where there is none"),
        pytest.param([{}], 0, id="nor in an empty one"),
        pytest.param([{"endpoints": None}], 0, id="nor in one that says nothing"),
        pytest.param([listing(True, False)], 1, id="those that are ready"),
        pytest.param([listing(None), listing(True)], 2, id="and those that do not say, in all slices"),
    ],
)
def test_so_many_are_listed(slices: list[dict[str, Any]], count: int) -> None:
    assert count_listed(slices) == count
