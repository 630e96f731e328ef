"""The contract of the record: the one in memory answers every question as the real one does, on each database."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.requests import Asked, Requested
from blocks.catalog.seals import FolderSeals
from blocks.catalog.views import Wanted
from blocks.domain.approval import Speaker
from blocks.domain.asking import Busy, KeyReused, NotInstalled
from blocks.domain.errors import Needed, NotAllowed, Quarantined, Terminal
from blocks.domain.health import Condition, Status
from blocks.domain.journal import Phase
from blocks.domain.status import StepState
from tests.builders import make_request
from tests.deployments.api.records import ANN, WRONG, InMemory, Live, Record, fail, install, see, serve
from tests.deployments.builders import HASH

BOB = Asked("bob")
APPROVER = Speaker("bob", frozenset({"approver"}))
Ask = Callable[[Record, UUID, Asked], Awaitable[Requested]]


def release(version: str) -> dict[str, object]:
    """The change of a request to this release."""
    return {"plugin": {"version": version}}


class Contract:
    """What both must do."""

    async def test_a_new_wish_is_seen_as_requested(self, record: Record) -> None:
        asked = await install(record)
        seen = await see(record, asked)
        assert (asked.created, seen.revision, seen.operation.id) == (True, None, asked.operation)
        assert (seen.operation.verb, seen.operation.phase, seen.operation.actor) == ("install", Phase.REQUESTED, "ann")
        assert (seen.slug, seen.namespace, seen.enabled) == ("backstage-plugin-catalog", "default-dev", True)
        assert seen.operation.installation == seen.id

    async def test_the_same_wish_is_the_same_operation(self, record: Record) -> None:
        first = await install(record)
        second = await install(record, BOB)
        assert second == Requested(first.installation, first.operation, created=False)
        await record.succeed(first)
        assert await install(record) == second

    async def test_another_wish_has_to_wait_and_is_then_an_update(self, record: Record) -> None:
        first = await install(record)
        with pytest.raises(Busy):
            await install(record, replicas=2)
        with pytest.raises(Busy):
            await record.requests.request_uninstall(first.installation, ANN)
        await record.succeed(first)
        second = await install(record, replicas=2)
        assert (await see(record, second)).operation.verb == "update"

    async def test_a_plan_is_for_that_plan_alone(self, record: Record) -> None:
        asked = await record.requests.request_install(make_request(), ANN, HASH)
        assert (await see(record, asked)).operation.wish.plan_hash == HASH
        with pytest.raises(Busy):
            await install(record)

    async def test_planning_hinders_nobody_and_hides_nothing(self, record: Record) -> None:
        first = await record.requests.request_plan(make_request(), ANN)
        assert (await see(record, first)).operation.id == first.operation
        asked = await install(record)
        later = await record.requests.request_plan(make_request(replicas=2), ANN)
        assert (asked.created, later.created) == (True, True)
        assert (await see(record, asked)).operation.id == asked.operation
        plan = await record.views.operation(later.operation)
        assert plan is not None
        assert plan.verb == "plan"

    async def test_a_key_stands_for_one_body_in_one_tenant(self, record: Record) -> None:
        keyed = replace(ANN, key="k")
        first = await install(record, keyed)
        await fail(record, first)
        assert (await install(record, keyed)).operation == first.operation
        with pytest.raises(KeyReused):
            await install(record, keyed, replicas=2)
        assert (await install(record, keyed, tenant="other")).created

    @pytest.mark.parametrize(
        "wish",
        [
            pytest.param(lambda r, _, by: r.requests.request_plan(make_request(), by), id="to plan"),
            pytest.param(lambda r, one, by: r.requests.request_uninstall(one, by), id="to uninstall"),
            pytest.param(lambda r, one, by: r.requests.request_rollback(one, by), id="to roll back"),
            pytest.param(lambda r, one, by: r.requests.request_switch(one, by, "disable"), id="to disable"),
            pytest.param(lambda r, one, by: r.requests.request_switch(one, by, "reload"), id="to reload"),
        ],
    )
    async def test_a_keyed_wish(self, record: Record, wish: Ask) -> None:
        asked = await serve(record)
        await serve(record, **release("2.0.9"))
        keyed = Asked("ann", "k", "because")
        first = await wish(record, asked.installation, keyed)
        again = await wish(record, asked.installation, keyed)
        assert (first.created, again.created, again.operation) == (True, False, first.operation)
        await record.succeed(first)
        assert (await wish(record, asked.installation, keyed)).operation == first.operation

    async def test_a_success_serves(self, record: Record) -> None:
        asked = await serve(record)
        seen = await see(record, asked)
        assert seen.revision is not None
        assert (seen.operation.phase, seen.revision.number) == (Phase.SUCCEEDED, 1)
        assert seen.revision.release == "@backstage/plugin-catalog@2.0.8"
        (step,) = seen.operation.steps
        assert (step.name, step.state, step.result) == ("resolve", StepState.DONE, '{"a": 1}')
        assert step.seconds is not None

    async def test_a_failure_says_why_and_leaves_room_for_the_next(self, record: Record) -> None:
        asked = await install(record)
        await fail(record, asked)
        seen = await see(record, asked)
        assert (seen.operation.phase, seen.operation.reason, seen.revision) == (Phase.WITHDRAWN, WRONG, None)
        assert [step.state for step in seen.operation.steps] == [StepState.FAILED]
        again = await install(record)
        assert (again.created, again.installation) == (True, asked.installation)
        old = await record.views.operation(asked.operation)
        assert old is not None
        assert (old.phase, old.installation, len(old.steps)) == (Phase.WITHDRAWN, asked.installation, 1)

    async def test_what_failed_can_be_asked_for_again(self, record: Record) -> None:
        asked = await install(record)
        await fail(record, asked)
        again = await record.requests.request_again(asked.operation, ANN)
        assert (again.created, again.operation != asked.operation) == (True, True)
        assert (await record.requests.request_again(asked.operation, ANN)).operation == again.operation
        await record.succeed(again)
        away = await record.requests.request_uninstall(asked.installation, ANN)
        with pytest.raises(NotAllowed):
            await record.requests.request_again(away.operation, ANN)

    async def test_what_serves_can_be_taken_away_once(self, record: Record) -> None:
        asked = await serve(record)
        away = await record.requests.request_uninstall(asked.installation, ANN, drop_data=True)
        again = await record.requests.request_uninstall(asked.installation, ANN, drop_data=True)
        assert (away.created, again.created, again.operation) == (True, False, away.operation)
        await record.succeed(away)
        seen = await see(record, asked)
        assert (seen.operation.verb, seen.operation.wish.drop_data, seen.revision) == ("uninstall", True, None)
        with pytest.raises(NotInstalled):
            await record.requests.request_uninstall(asked.installation, ANN)

    async def test_what_others_need_stays(self, record: Record) -> None:
        asked = await serve(record)
        await serve(record, plugin={"name": "other"}, dependsOn=["@backstage/plugin-catalog"])
        with pytest.raises(Needed, match="other"):
            await record.requests.request_uninstall(asked.installation, ANN)

    async def test_the_way_back_and_what_is_not_tried_again(self, record: Record) -> None:
        asked = await serve(record)
        await serve(record, **release("2.0.9"))
        back = await record.requests.request_rollback(asked.installation, Asked("ann", reason="it loses sessions"))
        await record.succeed(back)
        seen = await see(record, asked)
        assert seen.revision is not None
        assert (seen.revision.number, seen.operation.verb) == (1, "rollback")
        past = await record.views.revisions(asked.installation)
        assert [(one.number, one.serving, one.quarantined) for one in past] == [(1, True, False), (2, False, True)]
        (kept,) = await record.views.quarantines(asked.installation)
        assert (kept.release, kept.reason, kept.actor) == ("@backstage/plugin-catalog@2.0.9", "it loses sessions", "ann")
        with pytest.raises(Quarantined):
            await record.requests.request_rollback(asked.installation, ANN, 2)
        await record.requests.lift_quarantine(asked.installation, kept.release, Asked("bob", reason="mended"))
        (lifted,) = await record.views.quarantines(asked.installation)
        assert (bool(lifted.lifted_at), lifted.lifted_by, lifted.lifted_why) == (True, "bob", "mended")
        with pytest.raises(NotAllowed):
            await record.requests.lift_quarantine(asked.installation, kept.release, ANN)
        assert (await record.requests.request_rollback(asked.installation, ANN, 2)).created

    async def test_there_must_be_something_to_go_back_to(self, record: Record) -> None:
        asked = await serve(record)
        with pytest.raises(NotAllowed):
            await record.requests.request_rollback(asked.installation, ANN)
        with pytest.raises(NotAllowed):
            await record.requests.request_rollback(asked.installation, ANN, 7)

    async def test_a_switch(self, record: Record) -> None:
        asked = await serve(record)
        with pytest.raises(NotAllowed):
            await record.requests.request_switch(asked.installation, ANN, "enable")
        await record.succeed(await record.requests.request_switch(asked.installation, ANN, "disable"))
        assert not (await see(record, asked)).enabled
        with pytest.raises(NotAllowed):
            await install(record, replicas=2)
        await record.succeed(await record.requests.request_switch(asked.installation, ANN, "enable"))
        assert (await see(record, asked)).enabled

    async def test_what_is_not_there_is_not_there(self, record: Record) -> None:
        assert await record.views.installation(uuid4()) is None
        assert await record.views.operation(uuid4()) is None
        for wish in (record.requests.request_uninstall, record.requests.request_rollback, record.requests.request_again):
            with pytest.raises(Terminal):
                await wish(uuid4(), ANN)
        with pytest.raises(Terminal):
            await record.words.cancel(uuid4(), APPROVER, "why")

    async def test_pages_hold_everything_once(self, record: Record) -> None:
        made = {(await install(record, tenant=f"t{number}")).installation for number in range(5)}
        seen: list[UUID] = []
        after: str | None = None
        for _ in range(3):
            page = await record.views.installations(Wanted(), 2, after)
            seen, after = seen + [one.id for one in page.items], page.next
        assert (after, len(seen), set(seen)) == (None, 5, made)

    @pytest.mark.parametrize(
        ("wanted", "count"),
        [
            pytest.param(Wanted(), 3, id="all"),
            pytest.param(Wanted(frozenset()), 0, id="of no tenant"),
            pytest.param(Wanted(frozenset({"acme"})), 2, id="of one tenant"),
            pytest.param(Wanted(frozenset({"acme", "other"}), "dev"), 2, id="of two tenants in one environment"),
            pytest.param(Wanted(phase=Phase.SUCCEEDED), 1, id="in one phase"),
        ],
    )
    async def test_lists(self, record: Record, wanted: Wanted, count: int) -> None:
        await install(record, tenant="acme")
        await install(record, tenant="acme", environment="prod")
        await serve(record, tenant="other")
        assert len((await record.views.installations(wanted, 50, None)).items) == count

    async def test_how_it_is_with_what_serves_is_seen_with_it(self, record: Record) -> None:
        asked = await install(record)
        assert (await see(record, asked)).health is None
        await record.succeed(asked)
        assert (await see(record, asked)).health == Condition()
        await record.check(asked, 503)
        found = (await see(record, asked)).health
        assert found is not None
        assert (found.status, found.failures, found.said) == (Status.UNKNOWN, 1, "/ready answered 503")
        assert found.since == found.checked_at > 0
        counts = await record.views.counts()
        assert counts.health == {("default", "dev", "@backstage/plugin-catalog"): Status.UNKNOWN}
        assert (counts.checks, counts.check_seconds) == ({"healthy": 0, "unhealthy": 1, "unknown": 0}, 0.5)
        disabled = await record.requests.request_switch(asked.installation, ANN, "disable")
        await record.succeed(disabled)
        assert ((await see(record, asked)).health, (await record.views.counts()).health) == (None, {})

    async def test_counts(self, record: Record) -> None:
        await serve(record, tenant="acme")
        await fail(record, await install(record, tenant="other"))
        counts = await record.views.counts()
        assert counts.installations == {("acme", "succeeded"): 1, ("other", "withdrawn"): 1}
        assert counts.operations == {("install", "succeeded"): 1, ("install", "withdrawn"): 1}
        assert (counts.serving, counts.reasons) == ({"acme": 1}, {("install", "unresolvable"): 1})
        assert (counts.entries["resolve", "intended"], counts.entries["resolve", "done"]) == (2, 1)
        assert len(counts.durations["install"]) == 2


class TestInMemory(Contract):
    """The fake keeps the contract."""

    @pytest.fixture
    def record(self) -> Record:
        """An empty record in memory."""
        return InMemory()


class TestLive(Contract):
    """So does the catalogue."""

    @pytest.fixture
    def record(self, engine: AsyncEngine, tmp_path: Path) -> Record:
        """An empty record in a database."""
        return Live(engine, FolderSeals(tmp_path / "seals", tmp_path / "seals.key"))
