"""The contract of what people say and look back on: in memory it is as on each database."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.requests import Asked
from blocks.catalog.seals import FolderSeals
from blocks.domain.approval import Speaker
from blocks.domain.asking import Busy, KeyReused
from blocks.domain.errors import AlreadyVoted, NotAllowed, Terminal, TooLate, WrongPlan
from blocks.domain.journal import Phase
from tests.deployments.api.records import (
    ANN,
    UNDECIDED,
    WRONG,
    InMemory,
    Live,
    Record,
    ask,
    freeze,
    install,
    intended,
    leave_undecided,
    see,
    serve,
    watch,
)
from tests.deployments.builders import HASH

APPROVER = Speaker("bob", frozenset({"approver"}))


class Said:
    """What both must make of the words of people."""

    async def test_a_plan_waits_until_somebody_else_approves_it(self, record: Record) -> None:
        asked = await install(record, environment="prod")
        await ask(record, asked)
        (waiting,) = await record.views.waiting(None)
        assert waiting.operation.question is not None
        assert (waiting.id, waiting.operation.id) == (asked.installation, asked.operation)
        assert (waiting.operation.question.hash, waiting.operation.phase) == (HASH, Phase.PARKED)
        assert await record.views.waiting(frozenset({"other"})) == ()
        assert await record.words.approve(asked.operation, APPROVER, HASH, "fine") is Phase.APPLYING
        assert await record.views.waiting(None) == ()
        with pytest.raises(TooLate):
            await record.words.approve(asked.operation, APPROVER, HASH, "fine")

    async def test_votes_are_shown_until_there_are_enough(self, record: Record) -> None:
        asked = await install(record)
        await ask(record, asked, quorum=2)
        assert await record.words.approve(asked.operation, APPROVER, HASH, "fine") is Phase.PARKED
        seen = (await see(record, asked)).operation
        assert [(vote.subject, vote.comment) for vote in seen.votes] == [("bob", "fine")]
        with pytest.raises(AlreadyVoted):
            await record.words.approve(asked.operation, APPROVER, HASH, "fine")
        carl = Speaker("carl", frozenset({"admin"}))
        assert await record.words.approve(asked.operation, carl, HASH, "me too") is Phase.APPLYING

    @pytest.mark.parametrize(
        ("speaker", "plan", "problem"),
        [
            pytest.param(APPROVER, f"sha256:{'00' * 32}", WrongPlan, id="another plan"),
            pytest.param(Speaker("ann", frozenset({"approver"})), HASH, NotAllowed, id="one's own plan"),
            pytest.param(Speaker("bob", frozenset({"developer"})), HASH, NotAllowed, id="a plan without the role"),
        ],
    )
    async def test_nobody_approves(self, record: Record, speaker: Speaker, plan: str, problem: type[Terminal]) -> None:
        asked = await install(record)
        await ask(record, asked)
        with pytest.raises(problem):
            await record.words.approve(asked.operation, speaker, plan, "fine")
        assert (await see(record, asked)).operation.votes == ()

    async def test_one_refusal_is_the_way_back(self, record: Record) -> None:
        asked = await install(record)
        await ask(record, asked)
        assert await record.words.refuse(asked.operation, APPROVER, HASH, "too large") is Phase.UNDOING
        reason = (await see(record, asked)).operation.reason
        assert reason is not None
        assert (reason.code, reason.message) == ("not-approved", "bob refused it: too large")

    async def test_fifty_votes_with_one_key_are_one(self, record: Record) -> None:
        asked = await install(record)
        await ask(record, asked)
        say = (record.words.approve(asked.operation, APPROVER, HASH, "fine", key="k") for _ in range(50))
        assert set(await asyncio.gather(*say)) == {Phase.APPLYING}
        page = await record.timelines.page(asked.installation, 0, 100)
        assert [one.kind for one in page.items].count("voted") == 1
        with pytest.raises(KeyReused):
            await record.words.approve(asked.operation, APPROVER, HASH, "better than fine", key="k")

    async def test_what_was_not_begun_is_cancelled_at_once(self, record: Record) -> None:
        asked = await install(record)
        assert await record.words.cancel(asked.operation, APPROVER, "no need") is Phase.WITHDRAWN
        with pytest.raises(TooLate):
            await record.words.cancel(asked.operation, APPROVER, "no need")

    async def test_what_was_begun_is_taken_back(self, record: Record) -> None:
        asked = await install(record)
        await record.tell(asked.operation, intended("resolve"))
        assert await record.words.cancel(asked.operation, APPROVER, "no need") is Phase.UNDOING
        reason = (await see(record, asked)).operation.reason
        assert reason is not None
        assert (reason.code, reason.message) == ("cancelled", "bob cancelled it: no need")

    async def test_what_is_frozen_goes_on_where_it_stood(self, record: Record) -> None:
        asked = await install(record)
        await record.tell(asked.operation, intended("resolve"))
        assert await record.words.freeze(asked.operation, APPROVER, "wait") is Phase.FROZEN
        with pytest.raises(NotAllowed):
            await record.words.freeze(asked.operation, APPROVER, "wait")
        with pytest.raises(Busy):
            await install(record, replicas=2)
        assert await record.words.unfreeze(asked.operation, APPROVER, "go") is Phase.APPLYING
        with pytest.raises(NotAllowed):
            await record.words.unfreeze(asked.operation, APPROVER, "go")

    async def test_what_froze_is_tried_again(self, record: Record) -> None:
        asked = await install(record)
        await freeze(record, asked)
        assert (await see(record, asked)).operation.reason == WRONG
        assert await record.words.retry(asked.operation, APPROVER, "again", accept_remaining=False) is Phase.APPLYING

    async def test_a_stage_that_is_not_decided_says_why_until_somebody_promotes_it(self, record: Record) -> None:
        asked = await install(record)
        await leave_undecided(record, asked)
        seen = (await see(record, asked)).operation
        assert (seen.phase, seen.reason, seen.question) == (Phase.PARKED, UNDECIDED, None)
        with pytest.raises(TooLate):
            await record.words.approve(asked.operation, APPROVER, HASH, "fine")
        assert await record.words.promote(asked.operation, APPROVER, "I tried it") is Phase.APPLYING
        assert (await see(record, asked)).operation.reason is None

    async def test_a_stage_that_is_watched_is_promoted_and_goes_on(self, record: Record) -> None:
        asked = await install(record)
        with pytest.raises(TooLate):
            await record.words.promote(asked.operation, APPROVER, "go")
        await watch(record, asked)
        assert await record.words.promote(asked.operation, APPROVER, "I tried it", fully=True) is Phase.APPLYING
        page = await record.timelines.page(asked.installation, 0, 100)
        assert [(one.actor, one.step, one.reason) for one in page.items if one.kind == "promoted"] == [
            ("bob", "watch_stage:1", "I tried it")
        ]

    async def test_a_promotion_counts_once_under_its_key(self, record: Record) -> None:
        asked = await install(record)
        await watch(record, asked)
        for _ in range(2):
            assert await record.words.promote(asked.operation, APPROVER, "go", key="k") is Phase.APPLYING
        page = await record.timelines.page(asked.installation, 0, 100)
        assert [one.kind for one in page.items].count("promoted") == 1
        with pytest.raises(KeyReused):
            await record.words.promote(asked.operation, APPROVER, "go", fully=True, key="k")

    async def test_what_is_frozen_is_seen_below_what_was_withdrawn_since(self, record: Record) -> None:
        asked = await install(record)
        await freeze(record, asked)
        away = await record.requests.request_uninstall(asked.installation, ANN)
        await record.words.cancel(away.operation, APPROVER, "no need")
        assert (await see(record, asked)).operation.id == asked.operation

    async def test_the_queue_goes_by_priority_and_then_by_age(self, record: Record) -> None:
        first = await install(record, tenant="a")
        second = await install(record, tenant="b")
        urgent = await install(record, tenant="c", options={"priority": 9})
        assert [(await see(record, one)).operation.place for one in (first, second, urgent)] == [2, 3, 1]
        await record.tell(urgent.operation, intended("resolve"))
        assert [(await see(record, one)).operation.place for one in (first, second, urgent)] == [1, 2, 0]


class LookedBackOn:
    """What both must know of the past."""

    async def test_a_timeline_tells_who_and_why_and_what_came_of_it(self, record: Record) -> None:
        asked = await install(record, Asked("ann", reason="for the team"))
        await record.succeed(asked)
        page = await record.timelines.page(asked.installation, 0, 100)
        told = [(one.actor, one.step, one.kind, one.reason, one.result) for one in page.items]
        assert told == [
            ("ann", "operation", "requested", "for the team", ""),
            ("worker", "resolve", "intended", "", ""),
            ("worker", "resolve", "done", "", '{"a": 1}'),
            ("worker", "operation", "finished", "", ""),
        ]
        assert [one.seconds is not None for one in page.items] == [False, False, True, False]
        assert {one.trace for one in page.items} == {asked.operation.hex}

    async def test_a_timeline_comes_in_pages(self, record: Record) -> None:
        asked = await serve(record)
        first = await record.timelines.page(asked.installation, 0, 3)
        assert first.next is not None
        rest = await record.timelines.page(asked.installation, first.next, 3)
        assert ([one.seq for one in (*first.items, *rest.items)], rest.next) == ([0, 1, 2, 3], None)

    async def test_a_whole_journal_is_whole_and_copied_out_line_by_line(self, record: Record) -> None:
        await serve(record)
        assert (await record.audit.verify(), await record.audit.remarks()) == ([], [])
        lines = [line async for line in record.audit.export()]
        assert len(lines) == 3
        assert all(line.startswith('{"operation": "') and line.endswith("}\n") for line in lines)


class TestInMemory(Said, LookedBackOn):
    """The fake keeps the contract."""

    @pytest.fixture
    def record(self) -> Record:
        """An empty record in memory."""
        return InMemory()


class TestLive(Said, LookedBackOn):
    """So does the catalogue."""

    @pytest.fixture
    def record(self, engine: AsyncEngine, tmp_path: Path) -> Record:
        """An empty record in a database."""
        return Live(engine, FolderSeals(tmp_path / "seals", tmp_path / "seals.key"))
