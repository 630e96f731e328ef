"""Words of people need no lease, count once, and take the operation from whoever carries it: the same on both databases."""

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.journal import Journal
from blocks.catalog.requests import Asked, Requests
from blocks.catalog.words import Words
from blocks.domain.approval import Speaker
from blocks.domain.asking import KeyReused
from blocks.domain.errors import AlreadyVoted, ChainBroken, LeaseLost, NotAllowed, PipelineError, Terminal, TooLate, WrongPlan
from blocks.domain.journal import Fact, Kind, Phase, fold
from blocks.domain.status import read_reason
from tests.blocks.catalog.records import ANN, BOB, STAGE, Record, make_record

CID = Speaker("cid", frozenset({"approver"}))
BROKE = Fact("operation", Kind.FAILED, "worker", '{"code": "x", "message": "it broke", "hint": ""}')
NEXT = Fact("build", Kind.DONE, "worker")


async def test_approval_lets_the_operation_go_on_at_once(record: Record) -> None:
    """No lease stands in the way, and the keeper sees it without waiting for the run that asked."""
    lease = await record.ask()
    await record.dispatch()
    await record.leases.renew(lease)
    assert await record.leases.idle(60) == []
    assert await record.words.approve(record.operation, BOB, "sha256:1", "fine") is Phase.APPLYING
    assert (await record.kinds())[-2:] == [Kind.VOTED, Kind.APPROVED]
    assert await record.leases.idle(60) == [record.operation]
    assert (await record.leases.acquire(record.operation, "next")).token == 3


async def test_who_waits_for_people_leaves_slot_and_lease(record: Record) -> None:
    """In the transaction that says so, so that nothing is left even by one that dies right then; yet nobody may carry it."""
    assert await record.slots.take(record.operation) == 0
    await record.ask()
    assert await record.row("slot", "phase", "expires", "holder") in [(0, "parked", 0, ""), (False, "parked", 0, "")]
    assert await record.leases.idle(0) == []
    with pytest.raises(LeaseLost):
        await record.leases.acquire(record.operation, "eager")


async def test_quorum_of_two_needs_two(record: Record) -> None:
    """Nobody counts twice, and the question stands until the second yes."""
    await record.ask(quorum=2)
    assert await record.words.approve(record.operation, BOB, "sha256:1", "") is Phase.PARKED
    with pytest.raises(AlreadyVoted):
        await record.words.approve(record.operation, BOB, "sha256:1", "")
    assert await record.words.approve(record.operation, CID, "sha256:1", "") is Phase.APPLYING
    assert fold(await record.entries()).results["approval"] == '{"by":["bob","cid"],"hash":"sha256:1"}'


@pytest.mark.parametrize(
    ("speaker", "plan_hash", "refusal"),
    [
        pytest.param(BOB, "sha256:2", WrongPlan, id="another plan"),
        pytest.param(ANN, "sha256:1", NotAllowed, id="whoever asked"),
        pytest.param(Speaker("eve", frozenset({"viewer"})), "sha256:1", NotAllowed, id="somebody without the role"),
    ],
)
async def test_what_does_not_count_leaves_no_trace(
    record: Record, speaker: Speaker, plan_hash: str, refusal: type[PipelineError]
) -> None:
    """Neither entry nor another head, counter or token."""
    await record.ask()
    before = await record.row("seq", "head", "token", "phase")
    for word in (record.words.approve, record.words.refuse):
        with pytest.raises(refusal):
            await word(record.operation, speaker, plan_hash, "")
    assert await record.row("seq", "head", "token", "phase") == before
    assert (await record.kinds())[-1] is Kind.PARKED


async def test_of_yes_and_no_at_the_same_moment_one_counts(record: Record) -> None:
    """The other comes too late."""
    await record.ask()
    words = (
        record.words.approve(record.operation, BOB, "sha256:1", ""),
        record.words.refuse(record.operation, CID, "sha256:1", ""),
    )
    outcome = await asyncio.gather(*words, return_exceptions=True)
    assert sorted(type(one).__name__ for one in outcome) == ["Phase", "TooLate"]
    assert fold(await record.entries()).phase in (Phase.APPLYING, Phase.UNDOING)


@pytest.mark.parametrize("word", ["cancel", "freeze"])
async def test_a_word_takes_a_running_operation_over(record: Record, word: str) -> None:
    """The old carrier writes nothing more and cannot hold on; the row says why."""
    lease = await record.begin()
    await getattr(record.words, word)(record.operation, BOB, "too slow")
    for refused in (record.journal.append(lease, NEXT), record.leases.renew(lease), record.leases.release(lease)):
        with pytest.raises(LeaseLost):
            await refused
    told = read_reason(str((await record.row("reason"))[0]))
    assert told is not None
    assert told.message.endswith("it: too slow")
    assert len(await record.entries()) == 2


async def test_cancel_before_anything_began_ends_the_operation(record: Record) -> None:
    """Nobody has to carry it to its end."""
    assert await record.words.cancel(record.operation, ANN, "changed my mind") is Phase.WITHDRAWN
    assert await record.leases.idle(0) == []
    with pytest.raises(TooLate):
        await record.words.cancel(record.operation, ANN, "again")


async def test_cancel_leaves_who_takes_it_back_already_alone(record: Record) -> None:
    """It would only start over."""
    lease = await record.begin(Kind.FAILED)
    assert await record.words.cancel(record.operation, ANN, "stop") is Phase.UNDOING
    await record.journal.append(lease, Fact("build", Kind.UNDOING, "worker"))
    assert Kind.CANCELLED not in await record.kinds()


@pytest.mark.parametrize(
    ("before", "phase", "reason"),
    [
        pytest.param([], Phase.APPLYING, "null", id="forwards: nothing is wrong any more"),
        pytest.param([BROKE], Phase.UNDOING, BROKE.payload, id="backwards: for the reason for which it went back"),
    ],
)
async def test_unfrozen_goes_on_where_it_stood(record: Record, before: list[Fact], phase: Phase, reason: str) -> None:
    """In the direction in which it went."""
    lease = await record.begin()
    for fact in before:
        await record.journal.append(lease, fact)
    assert await record.words.freeze(record.operation, BOB, "look at it") is Phase.FROZEN
    assert await record.leases.idle(0) == []
    assert await record.words.unfreeze(record.operation, BOB, "looked") is phase
    assert (await record.row("reason"))[0] == reason
    assert await record.leases.idle(0) == [record.operation]


async def test_retry_accepts_what_remains(record: Record) -> None:
    """And only then."""
    lease = await record.begin(Kind.FAILED)
    await record.journal.append(lease, Fact("operation", Kind.FROZEN, "worker"))
    assert await record.words.retry(record.operation, BOB, "go", accept_remaining=True) is Phase.UNDOING
    assert fold(await record.entries()).accepted


async def test_words_to_what_another_operation_took_over_come_too_late(record: Record) -> None:
    """An uninstall takes care of what a frozen install left; only once it is withdrawn the word counts again."""
    lease = await record.begin()
    await record.journal.append(lease, Fact("operation", Kind.FROZEN, "worker"))
    later = await Requests(record.engine).request_uninstall(record.installation, Asked("ann"))
    with pytest.raises(TooLate, match="came after it"):
        await record.words.retry(record.operation, BOB, "go")
    await record.words.cancel(later.operation, ANN, "no")
    assert await record.words.retry(record.operation, BOB, "go") is Phase.APPLYING


async def test_a_promotion_leaves_a_running_operation_to_whoever_carries_it(record: Record) -> None:
    """Who reads it in the journal and goes on; phase, token and lease stay."""
    lease = await record.watch()
    held = ("phase", "token", "holder", "expires", "slot", "reason")
    before = await record.row(*held)
    assert await record.words.promote(record.operation, BOB, "I tried it", fully=True) is Phase.APPLYING
    assert await record.row(*held) == before
    assert fold(await record.entries()).promotions == {STAGE: '{"fully":true,"reason":"I tried it"}'}
    await record.journal.append(lease, Fact(STAGE, Kind.DONE, "worker"))
    await record.leases.renew(lease)
    assert await record.audit.verify() == []


async def test_a_stage_that_is_not_decided_says_why_until_it_is_promoted(record: Record) -> None:
    """Then the operation goes on at once, in other hands, and nothing is wrong any more; no keeper ever answers for people."""
    lease = await record.watch(undecided="no requests were answered")
    told = read_reason(str((await record.row("reason"))[0]))
    assert told is not None
    assert (told.code, told.message) == ("undecided", "no requests were answered")
    assert await record.row("phase", "wakes_at") == ("parked", 0)
    assert (await record.words.expire(), await record.leases.idle(0)) == ([], [])
    assert await record.words.promote(record.operation, BOB, "I tried it") is Phase.APPLYING
    assert await record.row("phase", "reason") == ("applying", "null")
    assert await record.leases.idle(0) == [record.operation]
    with pytest.raises(LeaseLost):
        await record.journal.append(lease, NEXT)


@pytest.mark.parametrize(
    ("stage", "refusal"),
    [pytest.param(True, TooLate, id="on its way back"), pytest.param(False, NotAllowed, id="without a stage")],
)
async def test_nothing_is_promoted(record: Record, stage: bool, refusal: type[PipelineError]) -> None:  # noqa: FBT001
    """And nothing is written down."""
    if stage:
        await record.journal.append(await record.watch(), BROKE)
    else:
        await record.begin()
    before = await record.row("seq", "head", "token", "phase")
    with pytest.raises(refusal, match="no stage is watched"):
        await record.words.promote(record.operation, BOB, "go")
    assert await record.row("seq", "head", "token", "phase") == before


async def test_fifty_promotions_with_one_key_are_one(record: Record) -> None:
    """Sent at the same moment; to say more under the same key is refused."""
    await record.watch()
    sent = [record.words.promote(record.operation, BOB, "go", key="k") for _ in range(50)]
    assert set(await asyncio.gather(*sent)) == {Phase.APPLYING}
    assert (await record.kinds()).count(Kind.PROMOTED) == 1
    with pytest.raises(KeyReused):
        await record.words.promote(record.operation, BOB, "go", fully=True, key="k")


async def test_fifty_approvals_with_one_key_are_one(record: Record) -> None:
    """Sent at the same moment; another body under the key is refused."""
    await record.ask(quorum=2)
    sent = [record.words.approve(record.operation, BOB, "sha256:1", "fine", key="k") for _ in range(50)]
    assert set(await asyncio.gather(*sent)) == {Phase.PARKED}
    assert (await record.kinds()).count(Kind.VOTED) == 1
    with pytest.raises(KeyReused):
        await record.words.approve(record.operation, BOB, "sha256:1", "not fine", key="k")


async def test_a_question_nobody_answers_is_refused_when_its_time_is_over(record: Record) -> None:
    """Once, however many keepers look; before that it stands."""
    await record.ask()
    assert await record.words.expire() == []
    await record.sql("UPDATE operation SET wakes_at = 1 WHERE id = :id")
    assert await record.words.expire() == [], "the question in the journal decides, not the row"


async def test_many_keepers_expire_a_question_once(record: Record) -> None:
    """And its operation goes back."""
    await record.ask(stands_ms=0)
    found = await asyncio.gather(*(record.words.expire() for _ in range(5)))
    assert sorted(map(len, found)) == [0, 0, 0, 0, 1]
    assert (await record.kinds()).count(Kind.REFUSED) == 1
    with pytest.raises(TooLate):
        await record.words.approve(record.operation, BOB, "sha256:1", "")
    assert await record.leases.idle(0) == [record.operation]


async def test_a_broken_journal_keeps_no_other_question_waiting(record: Record, engine: AsyncEngine, tmp_path: Path) -> None:
    """It is told when the others have been seen to."""
    other = await make_record(engine, tmp_path, "other")
    await record.ask(stands_ms=0)
    await other.ask(stands_ms=0)
    await record.sql("UPDATE journal SET actor = 'eve' WHERE operation = :id")
    with pytest.raises(ChainBroken):
        await record.words.expire()
    assert (await other.kinds())[-1] is Kind.REFUSED


async def test_a_word_and_the_carrier_share_one_chain(record: Record) -> None:
    """Whichever comes first; afterwards the chain is whole and sealed."""
    lease = await record.begin()
    appends = [record.journal.append(lease, Fact("build", Kind.INTENDED, "worker")) for _ in range(10)]
    outcome = await asyncio.gather(*appends, record.words.freeze(record.operation, BOB, ""), return_exceptions=True)
    assert all(isinstance(one, LeaseLost) for one in outcome if isinstance(one, Exception))
    entries = await record.entries()
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    assert entries[-1].kind is Kind.HALTED
    assert await record.audit.verify() == []


async def test_nothing_is_said_to_a_broken_journal(record: Record) -> None:
    """Nor to an operation that does not exist."""
    await record.begin()
    await record.sql("UPDATE journal SET actor = 'eve'")
    with pytest.raises(ChainBroken):
        await record.words.cancel(record.operation, ANN, "")
    with pytest.raises(Terminal, match="no operation"):
        await record.words.cancel(uuid4(), ANN, "")


async def test_words_work_without_seals(record: Record) -> None:
    """Where nobody keeps any."""
    await Words(record.engine).freeze(record.operation, BOB, "")
    assert (await Journal(record.engine).read(record.operation))[0].kind is Kind.HALTED
