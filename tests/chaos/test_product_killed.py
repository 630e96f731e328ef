"""The product of the local world: its API, its keeper, its Prefect server and its carriers are killed, two at once; operations go on."""

from collections.abc import Iterator

import pytest

from tests.chaos.product import BLOWS, play_product
from tests.conftest import World
from tests.e2e.api import Product

pytestmark = pytest.mark.world


@pytest.fixture
def product(world: World) -> Iterator[Product]:
    """The running product."""
    opened = Product(world)
    yield opened
    opened.close()


def test_operations_go_on_whichever_process_of_the_product_is_killed(product: Product) -> None:
    outcomes = play_product(product)
    assert [f"{outcome}: {one}" for outcome in outcomes for one in outcome.complaints] == []
    assert len(outcomes) == len(BLOWS)
