"""What may happen to a rollout, for every strategy: each kind is played in memory and judged by the same few things."""

import copy
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

import tasks.smoke
from blocks.domain.journal import Phase
from tests.flows.begun import Begun, begin, go_on
from tests.flows.conftest import Outside, stand_in_place
from tests.flows.judged import judge
from tests.flows.kinds import KINDS, Kind
from tests.flows.life_in_memory import LifeInMemory
from tests.flows.standing import wanted

TABLE = [
    pytest.param(kind, strategy, id=f"{kind.name}-{strategy}", marks=pytest.mark.kind(kind.name, strategy))
    for kind in KINDS
    for strategy in kind.strategies
]


@pytest.fixture(scope="module")
def begun(prefect_server: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Begun]:
    """Where every play begins: revision 1 serves."""
    with pytest.MonkeyPatch.context() as patched:
        yield begin(tmp_path_factory.mktemp("begun"), patched)


@pytest.fixture
async def copied(begun: Begun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Outside]:
    """A world of the play's own."""
    monkeypatch.setattr(tasks.smoke, "PAUSES", (0.0,))
    async with go_on(begun, tmp_path) as made:
        stand_in_place(made, monkeypatch)
        yield made


@pytest.mark.parametrize(("kind", "strategy"), TABLE)
async def test_kind(begun: Begun, copied: Outside, kind: Kind, strategy: str) -> None:
    life = LifeInMemory(copied, begun.first, strategy)
    await life.remember()
    images = copy.deepcopy(copied.registry.images)
    seen = await kind.play(life)
    await judge(life, seen, kind.ending)
    if seen.operation.phase is Phase.WITHDRAWN:
        assert wanted(copied.cluster) == life.before
        assert {name: tags for name, tags in copied.registry.images.items() if tags} == images
