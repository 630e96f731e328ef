"""Places in a query are found and filled, once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocks.domain.templates import fill, places_in


@pytest.mark.parametrize(
    ("text", "places", "filled"),
    [
        pytest.param('sum(x{ns="{{ns}}"})', {"ns"}, 'sum(x{ns="a"})', id="between quotes"),
        pytest.param("rate(x[{{ window }}])", {"window"}, "rate(x[30s])", id="with spaces"),
        pytest.param("{{ns}}/{{ns}}", {"ns"}, "a/a", id="more than once"),
        pytest.param('x{a="{{deep}}"}', {"deep"}, 'x{a="{{ns}}"}', id="what is filled in is not looked through"),
        pytest.param('sum(x{a="b"})', set(), 'sum(x{a="b"})', id="none in plain PromQL"),
    ],
)
def test_places(text: str, places: set[str], filled: str) -> None:
    assert places_in(text) == places
    assert fill(text, {"ns": "a", "window": "30s", "deep": "{{ns}}"}) == filled


def test_a_place_without_a_value_is_not_passed_over() -> None:
    with pytest.raises(KeyError):
        fill("{{nobody}}", {})


@given(st.text())
def test_every_place_can_be_filled(text: str) -> None:
    assert places_in(fill(text, dict.fromkeys(places_in(text), "")).replace("{{", "")) == frozenset()
