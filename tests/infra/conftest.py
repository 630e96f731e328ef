"""The running world, with a plugin on it that must still answer after everything that is done to the world."""

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import World
from tests.e2e.api import Product
from tests.infra import machine

Installed = dict[str, Any]


@pytest.fixture(scope="package", autouse=True)
def world_afterwards() -> Iterator[None]:
    """Whoever asked for the tests has the world afterwards as it was before, data included."""
    yield
    if machine.KEPT.exists():
        machine.run(machine.ROOT / "infra/local/down.sh")
        machine.administer("mv", "-T", str(machine.KEPT), str(machine.STATE))
    machine.script("up.sh")


@pytest.fixture(scope="package")
def product(world: World, world_afterwards: None) -> Iterator[Product]:
    """The product as a client meets it."""
    opened = Product(world)
    yield opened
    opened.close()


@pytest.fixture(scope="package")
def hello(product: Product) -> Iterator[Installed]:
    """The smallest plugin, installed in a tenant of its own."""
    seen = product.install(product.request("service", f"world-{secrets.token_hex(3)}"))
    assert seen["phase"] == "succeeded", seen["operation"]
    yield seen
    machine.script("up.sh")
    assert product.uninstall(seen["id"])["phase"] == "succeeded"
