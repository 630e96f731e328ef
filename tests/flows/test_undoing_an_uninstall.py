"""An uninstall that somebody stops: what was taken away is put up again from its plan, unless data is gone. On both databases."""

import pytest

from blocks.domain.approval import Speaker
from blocks.domain.journal import Phase
from tests.flows.conftest import MOSTLY_ON_SQLITE, Outside
from tests.flows.standing import routed_to, wanted
from tests.flows.test_update import vanish

pytestmark = MOSTLY_ON_SQLITE

ANN = Speaker("ann", frozenset({"developer"}))


async def test_what_was_taken_away_is_put_up_again(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the database that it had, which nobody dropped; and it is the same revision that serves."""
    seen = await outside.install()
    before, databases = wanted(outside.cluster), await outside.databases.names()
    with monkeypatch.context() as broken:
        broken.setattr(outside.operations, "serve_again", vanish)
        going = await outside.uninstall(seen.id)
    assert going.operation.phase is Phase.APPLYING
    assert routed_to(outside.cluster) == []
    await outside.words.cancel(going.operation.id, ANN, "we need it after all")
    back = await outside.carry_on(going)
    assert back.operation.phase is Phase.WITHDRAWN, back.operation.reason
    assert set(wanted(outside.cluster)) == set(before)
    assert (back.revision, await outside.databases.names()) == (seen.revision, databases)


async def test_data_that_is_gone_stops_the_way_back_and_says_so(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person accepts that; then the plugin is put up again with an empty database."""
    seen = await outside.install()
    with monkeypatch.context() as broken:
        broken.setattr(outside.operations, "serve_again", vanish)
        going = await outside.uninstall(seen.id, drop_data=True)
    await outside.words.cancel(going.operation.id, ANN, "we need it after all")
    stuck = await outside.carry_on(going)
    assert stuck.operation.phase is Phase.FROZEN
    assert stuck.operation.reason is not None
    assert "drop_database cannot be taken back" in stuck.operation.reason.message
    assert "acceptRemaining" in stuck.operation.reason.hint or "accepting what remains" in stuck.operation.reason.hint
    await outside.words.retry(stuck.operation.id, ANN, "it was a copy", accept_remaining=True)
    back = await outside.carry_on(stuck)
    assert back.operation.phase is Phase.WITHDRAWN, back.operation.reason
    assert routed_to(outside.cluster) == [f"{seen.slug}-r1"]
    assert len(await outside.databases.names()) == 2
