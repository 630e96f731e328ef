"""A question with places for names that are known later: `{{namespace}}` in it is the namespace, whatever that is."""

import re
from collections.abc import Mapping

PLACE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")


def places_in(text: str) -> frozenset[str]:
    """The names of the places that are to be filled."""
    return frozenset(PLACE.findall(text))


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with each place filled; what is filled in is not looked through again. `KeyError` for a place without a value."""
    return PLACE.sub(lambda place: values[place[1]], text)
