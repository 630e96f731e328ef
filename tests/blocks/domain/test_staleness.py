"""What changed since a plan was made is said in sentences, and not too many of them."""

from typing import Any

import pytest

from blocks.domain.staleness import MOST, tell_differences


def hashed(**parts: Any) -> dict[str, Any]:
    return {"verb": "update", "image": "a@1"} | parts


def staged(**objects: Any) -> list[dict[str, Any]]:
    return [
        {
            "phase": "workload",
            "objects": [{"kind": "Service", "metadata": {"name": name}, "spec": spec} for name, spec in objects.items()],
        }
    ]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        pytest.param(hashed(), hashed(), (), id="nothing"),
        pytest.param(hashed(), hashed(image="a@2"), ("image was a@1 and is now a@2",), id="another image"),
        pytest.param(hashed(), hashed(data="x"), ("data was not there and is now x",), id="something new"),
        pytest.param(hashed(a=["x" * 99]), hashed(a=[]), (f'a was ["{"x" * 77}… and is now []',), id="what is long is cut"),
        pytest.param(
            hashed(phases=staged(a={"port": 1}, b={})),
            hashed(phases=staged(a={"port": 2}, c={})),
            (
                "Service/a: spec.port was 1 and is now 2",
                "Service/b was planned and no longer is",
                "Service/c is planned and was not",
            ),
            id="other objects",
        ),
        pytest.param(
            hashed(live={"A": {"x": 1}, "B": {"x": 1}, "C": None, "D": {"x": 1}, "E": None}),
            hashed(live={"A": {"x": 2}, "B": None, "C": {"x": 1}, "D": {"x": 1}}),
            ("in the cluster A: x was 1 and is now 2", "in the cluster B is no longer there", "in the cluster there is now C"),
            id="another world",
        ),
    ],
)
def test_differences_are_told(before: dict[str, Any], after: dict[str, Any], said: tuple[str, ...]) -> None:
    assert tell_differences(before, after) == said


def test_nobody_reads_more_than_a_few() -> None:
    told = tell_differences(
        {"a": dict.fromkeys(map(str, range(MOST + 3)), 1)}, {"a": dict.fromkeys(map(str, range(MOST + 3)), 2)}
    )
    assert len(told) == MOST + 1
    assert told[-1] == "and 3 more"
