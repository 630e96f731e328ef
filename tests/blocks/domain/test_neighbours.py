"""What stands in the way of a release is read from what serves beside it."""

from dataclasses import replace
from uuid import UUID

import pytest

from blocks.domain.neighbours import Dependencies, Need, Neighbour, see_dependencies
from blocks.domain.watch import Spot

HERE = Spot("acme", "prod", "payment")
PAYMENT = Neighbour(UUID(int=1), "prod", "payment", "payment@1", enabled=True, needs=("ledger",))
IN_DEV = replace(PAYMENT, environment="dev", needs=("ledger", "mail"))
LEDGER = Neighbour(UUID(int=2), "prod", "ledger", "ledger@3", enabled=True, needs=())
SHOP = Neighbour(UUID(int=3), "prod", "shop", "shop@1", enabled=True, needs=("payment",))
OFF = replace(LEDGER, enabled=False)
ELSEWHERE = replace(LEDGER, environment="dev")
THERE = Need("ledger", "ledger@3", available=True)


@pytest.mark.parametrize(
    ("neighbours", "found", "valid"),
    [
        pytest.param((), Dependencies("", (), (), ()), None, id="of what serves nowhere nothing is known"),
        pytest.param((PAYMENT, LEDGER), Dependencies("prod", (THERE,), (), ()), True, id="what it needs is there"),
        pytest.param(
            (PAYMENT,),
            Dependencies("prod", (Need("ledger"),), (), ("ledger does not serve there",)),
            False,
            id="what it needs is missing",
        ),
        pytest.param(
            (PAYMENT, ELSEWHERE),
            Dependencies("prod", (Need("ledger"),), (), ("ledger does not serve there",)),
            False,
            id="what serves elsewhere does not help",
        ),
        pytest.param(
            (PAYMENT, OFF),
            Dependencies("prod", (Need("ledger", "ledger@3"),), (), ("ledger is disabled there",)),
            False,
            id="what it needs is switched off",
        ),
        pytest.param(
            (IN_DEV, LEDGER),
            Dependencies("dev", (THERE, Need("mail")), (), ("mail does not serve there",)),
            False,
            id="what it needs is read elsewhere where it does not serve yet",
        ),
        pytest.param((IN_DEV, PAYMENT, LEDGER), Dependencies("prod", (THERE,), (), ()), True, id="its own place comes first"),
        pytest.param((PAYMENT, LEDGER, SHOP), Dependencies("prod", (THERE,), ("shop",), ()), True, id="who needs it"),
        pytest.param(
            (replace(PAYMENT, enabled=False), LEDGER),
            Dependencies("prod", (THERE,), (), ("payment is disabled there: enable it before it is updated",)),
            False,
            id="what is switched off is not updated",
        ),
    ],
)
def test_dependencies(neighbours: tuple[Neighbour, ...], found: Dependencies, *, valid: bool | None) -> None:
    seen = see_dependencies(HERE, neighbours)
    assert (seen, seen.valid) == (found, valid)


def test_a_release_that_is_not_tried_there_is_a_conflict_even_where_its_needs_are_met() -> None:
    seen = see_dependencies(HERE, (PAYMENT, LEDGER), "payment@2 was rolled back there: slow")
    assert (seen.valid, seen.conflicts) == (False, ("payment@2 was rolled back there: slow",))
