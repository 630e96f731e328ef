"""What may happen to a rollout, on the real cluster behind Envoy, judged by Prometheus: eight kinds here, all of them in `make e2e`.

All the while people ask, but where it is the point that nobody does: what is good fails none of them, what is bad none once it is over.

With the four of `test_strategies.py` and the two of `test_ab.py`, whose people ask throughout, fourteen are played there in every session.
"""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.domain.journal import Phase
from tests.e2e.api import Product
from tests.e2e.folders import Service
from tests.e2e.left import tags_of
from tests.e2e.life import RealTeller, begin, end, make_plugin
from tests.flows.judged import judge
from tests.flows.kinds import KINDS, Kind
from tests.flows.standing import wanted
from tests.flows.teller import use_settings_of

pytestmark = pytest.mark.world


def marks(kind: Kind, strategy: str) -> list[pytest.MarkDecorator]:
    """Its line in the table, and whether it is left to those who have time."""
    return [pytest.mark.kind(kind.name, strategy), *([] if strategy in kind.really else [pytest.mark.long])]


TABLE = [
    pytest.param(kind, strategy, id=f"{kind.name}-{strategy}", marks=marks(kind, strategy))
    for kind in KINDS
    for strategy in kind.strategies
]


@pytest.fixture(scope="module")
def plugin(product: Product) -> Iterator[Service]:
    """The plugin whose releases come and go."""
    with make_plugin(product) as made:
        yield made


@pytest.fixture
def teller(
    remembering: AsyncEngine, storage: Path, plugin: Service, prefect_server: None, monkeypatch: pytest.MonkeyPatch
) -> RealTeller:
    """Flows in this process, with nothing replaced behind them."""
    made = RealTeller(remembering, storage, plugin)
    use_settings_of(made, monkeypatch)
    return made


@pytest.mark.parametrize(("kind", "strategy"), TABLE)
async def test_kind(teller: RealTeller, product: Product, kind: Kind, strategy: str) -> None:
    life = await begin(teller, product, f"kinds-{secrets.token_hex(4)}", strategy)
    try:
        images = tags_of(product, teller.plugin.name)
        seen = await kind.play(life)
        await judge(life, seen, kind.ending)
        assert life.noticed(seen) == []
        if seen.operation.phase is Phase.WITHDRAWN:
            assert wanted(await life.stands()) == life.before
            assert tags_of(product, teller.plugin.name) == images
    finally:
        ended = await end(life)
    assert ended.operation.phase is Phase.SUCCEEDED, ended.operation.reason
