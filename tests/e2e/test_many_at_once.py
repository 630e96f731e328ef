"""Twenty installations asked for at once: all end well, and never more than the configured number is carried at a time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import accumulate
from typing import Any

import pytest

from blocks.settings import read_settings
from tests.e2e.api import Product
from tests.e2e.conftest import Leaving, Tenant

pytestmark = [pytest.mark.world, pytest.mark.usefixtures("alone")]
MANY = 20


@pytest.fixture(params=["e2e", pytest.param("jobs", marks=pytest.mark.long)], ids=["embedded", "as Jobs"])
def tenants(request: pytest.FixtureRequest, product: Product, leaving: Leaving) -> Iterator[list[Tenant]]:
    """So many tenants whose operations are carried in one of the pools; their plugins are taken away side by side."""
    made = [Tenant(product, request.param) for _ in range(MANY)]
    yield made
    for one in made:
        leaving.see_off(one)


def carried(operation: dict[str, Any]) -> tuple[datetime, datetime]:
    """When the operation's first step began and its last one ended."""
    steps = operation["steps"]
    return (
        min(datetime.fromisoformat(one["startedAt"]) for one in steps),
        max(datetime.fromisoformat(one["endedAt"]) for one in steps),
    )


def most_at_once(spans: list[tuple[datetime, datetime]]) -> int:
    """The largest number of spans that have a moment in common."""
    moments = sorted([(began, 1) for began, _ in spans] + [(ended, -1) for _, ended in spans])
    return max(accumulate(change for _, change in moments))


def test_twenty_at_once_all_end_and_keep_to_the_slots(product: Product, tenants: list[Tenant]) -> None:
    asked = [product.request("service", one.name) for one in tenants]
    with ThreadPoolExecutor(MANY) as hands:
        accepted = [*hands.map(product.ask, asked)]
    for tenant, one in zip(tenants, accepted, strict=True):
        tenant.adopt(one["id"])
    ended = [product.await_operation(one["id"], one["operation"]) for one in accepted]
    assert [(one["phase"], one["reason"]) for one in ended] == [("succeeded", None)] * MANY
    spans = [carried(one) for one in ended]
    assert 1 < most_at_once(spans) <= read_settings().max_applying
