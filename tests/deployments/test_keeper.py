"""What nobody works on goes on: on both databases and a real Prefect server."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import UUID

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Cancelled, Cancelling, Crashed, Late
from sqlalchemy.ext.asyncio import AsyncEngine

import deployments.keeper
from blocks.catalog.leases import Leases
from blocks.catalog.starts import SOON
from blocks.catalog.words import Words
from blocks.domain.approval import APPROVAL, Speaker
from blocks.domain.journal import Fact, Kind, Phase
from blocks.settings import Settings
from deployments.dispatch import START_TIME
from deployments.keeper import LONGEST_START, SWEEP_EVERY, Keeper, keep
from deployments.register import register
from tests.deployments.runs import NOWHERE, POOLS, Record, forget_deployments, runs_of

pytestmark = pytest.mark.usefixtures("registered")
BEGUN = Fact("resolve", Kind.INTENDED, "worker", "[]")
QUESTION = {"hash": "sha256:1", "requester": "ann", "quorum": 1, "roles": ["approver"], "expires_at": 1}
ASKED = Fact(APPROVAL, Kind.PARKED, "worker", json.dumps(QUESTION))
ANN = Speaker("ann", frozenset())


@pytest.fixture(scope="module")
def registered(prefect_server: None) -> None:
    asyncio.run(register(POOLS))


@pytest.fixture
def record(engine: AsyncEngine) -> Record:
    return Record(engine)


@pytest.fixture
def settings(engine: AsyncEngine, tmp_path: Path) -> Settings:
    url = engine.url.render_as_string(hide_password=False)
    return Settings(
        database_url=url,
        storage_dir=tmp_path / "storage",
        secrets_dir=tmp_path / "secrets",
        work_pools="embedded",
        max_starts=3,
    )


@pytest.fixture
async def keeper(settings: Settings) -> AsyncIterator[Keeper]:
    made = Keeper(settings)
    yield made
    await made.close()


async def set_last_run(operation: UUID, state: State[None]) -> None:
    """What a person does on Prefect's page, or what Prefect finds out by itself."""
    async with get_client() as client:
        await client.set_flow_run_state((await runs_of(operation))[-1].id, state, force=True)


async def test_starts_each_operation_that_waits_and_none_twice(record: Record, keeper: Keeper) -> None:
    operations = [await record.ask(tenant) for tenant in ("a", "b")]
    for _ in range(2):
        await keeper.sweep()
    assert [len(await runs_of(operation)) for operation in operations] == [1, 1]


async def test_goes_on_where_a_worker_died(record: Record, keeper: Keeper) -> None:
    operation = await record.ask()
    await keeper.sweep()
    await record.tell(operation, BEGUN, leave=False)
    await asyncio.sleep(0.01)
    await keeper.sweep()
    assert len(await runs_of(operation)) == 2


@pytest.mark.parametrize("cancel", [Cancelling, Cancelled])
async def test_a_run_cancelled_on_prefects_page_is_a_word_in_the_journal(
    record: Record, keeper: Keeper, cancel: Callable[[], State[None]]
) -> None:
    operation = await record.ask()
    await keeper.sweep()
    await record.tell(operation, BEGUN, leave=False)
    await set_last_run(operation, cancel())
    await keeper.sweep()
    seen = await record.see(operation)
    assert seen.phase is Phase.UNDOING
    assert seen.reason is not None
    assert (seen.reason.code, seen.reason.message) == ("cancelled", "prefect-ui cancelled it: cancelled on Prefect's page")
    # What was begun is taken back by a run of its own, started in the same sweep.
    assert len(await runs_of(operation)) == 2


async def test_a_run_cancelled_before_anything_was_begun_is_the_end(record: Record, keeper: Keeper) -> None:
    operation = await record.ask()
    await keeper.sweep()
    await set_last_run(operation, Cancelled())
    await keeper.sweep()
    assert await record.phase(operation) is Phase.WITHDRAWN
    assert len(await runs_of(operation)) == 1


async def test_a_cancelled_run_is_heard_once(record: Record, keeper: Keeper) -> None:
    """Not again when a person has let the operation go on since and no other run was started yet."""
    operation = await record.ask()
    await keeper.sweep()
    await record.tell(operation, BEGUN)
    await set_last_run(operation, Cancelled())
    await keeper.sweep()
    cancelled = (await runs_of(operation))[0]
    await record.set(operation, "phase", "applying")
    await record.set(operation, "flow_run", str(cancelled.id))
    await keeper.sweep()
    assert await record.phase(operation) is Phase.APPLYING


async def test_a_run_cancelled_on_its_way_back_says_nothing_new(record: Record, keeper: Keeper) -> None:
    operation = await record.ask()
    await record.tell(operation, BEGUN)
    await Words(record.engine).cancel(operation, ANN, "enough")
    await keeper.sweep()
    await set_last_run(operation, Cancelled())
    await record.tell(operation, Fact("resolve", Kind.UNDOING, "worker"), leave=False)
    await asyncio.sleep(0.01)
    await keeper.sweep()
    seen = await record.see(operation)
    assert seen.phase is Phase.UNDOING
    assert seen.reason is not None
    assert seen.reason.message == "ann cancelled it: enough"
    assert len(await runs_of(operation)) == 2


async def test_a_crashed_run_is_not_a_cancelled_one(record: Record, keeper: Keeper) -> None:
    operation = await record.ask()
    await keeper.sweep()
    await record.tell(operation, BEGUN, leave=False)
    await set_last_run(operation, Crashed())
    await keeper.sweep()
    assert await record.phase(operation) is Phase.APPLYING


async def test_a_run_that_ended_before_it_began_is_told_and_followed_by_another_at_once(record: Record, keeper: Keeper) -> None:
    operation = await record.ask()
    await keeper.sweep()
    await set_last_run(operation, Crashed(message="the image cannot be pulled"))
    await keeper.sweep()
    assert len(await runs_of(operation)) == 2
    await set_last_run(operation, Crashed(message="the image cannot be pulled"))
    await record.set(operation, "vain", SOON + 1)
    await keeper.sweep()
    assert len(await runs_of(operation)) == 2, "what goes on failing is tried at its own pace"
    assert (await record.see(operation)).trouble == "its run ended before it began to work: the image cannot be pulled"
    await record.tell(operation, BEGUN)
    assert (await record.see(operation)).trouble == ""


async def test_a_run_that_nobody_takes_is_told_and_still_expected(record: Record, keeper: Keeper) -> None:
    operation = await record.ask()
    await keeper.sweep()
    await set_last_run(operation, Late())
    await keeper.sweep()
    assert (await record.see(operation)).trouble.startswith("no worker of work pool embedded has taken the run")
    assert len(await runs_of(operation)) == 1


async def test_a_run_that_is_on_its_way_is_waited_for_but_not_for_ever(record: Record, keeper: Keeper) -> None:
    operation = await record.ask()
    await keeper.sweep()
    await record.let_pass(operation, int(START_TIME) + 1)
    await keeper.sweep()
    assert len(await runs_of(operation)) == 1
    await record.let_pass(operation, int(LONGEST_START))
    await keeper.sweep()
    assert len(await runs_of(operation)) == 2


async def test_runs_that_never_begin_to_work_end_in_a_frozen_operation(record: Record, keeper: Keeper) -> None:
    operation = await record.ask()
    for _ in range(3):
        await keeper.sweep()
        await record.set(operation, "dispatched_at", 0)
    await keeper.sweep()
    seen = await record.see(operation)
    assert (seen.phase, len(await runs_of(operation))) == (Phase.FROZEN, 3)
    assert seen.reason is not None
    assert "3 runs were started and none began to work" in seen.reason.message
    await Words(record.engine).retry(operation, ANN, "the worker's disk was full")
    await keeper.sweep()
    assert (await record.phase(operation), len(await runs_of(operation))) == (Phase.APPLYING, 4)


async def test_a_question_that_stood_too_long_is_a_no(record: Record, keeper: Keeper) -> None:
    operation = await record.ask(wakes_at=0)
    await record.tell(operation, BEGUN, Fact(APPROVAL, Kind.INTENDED, "worker", "[]"), ASKED)
    await keeper.sweep()
    seen = await record.see(operation)
    assert seen.phase is Phase.UNDOING
    assert seen.reason is not None
    assert seen.reason.code == "not-approved"
    assert len(await runs_of(operation)) == 1


async def test_prefect_is_told_again_what_there_is_to_run(record: Record, keeper: Keeper) -> None:
    operations = [await record.ask(tenant) for tenant in ("a", "b")]
    await forget_deployments()
    await keeper.sweep()
    assert [len(await runs_of(operation)) for operation in operations] == [1, 1]


async def test_one_trouble_keeps_nobody_else_waiting(record: Record, keeper: Keeper, caplog: pytest.LogCaptureFixture) -> None:
    broken, whole = await record.ask("a"), await record.ask("b")
    await record.set(broken, "request", "{}")
    with caplog.at_level(logging.WARNING, logger="plugin-pipeline.keeper"):
        await keeper.sweep()
    assert len(await runs_of(whole)) == 1
    told = [each.message for each in caplog.records if each.name == "plugin-pipeline.keeper"]
    assert told == [f"operation {broken}"]


async def test_without_prefect_the_record_is_kept_all_the_same(record: Record, keeper: Keeper) -> None:
    late, waiting = await record.ask("a"), await record.ask("b")
    await record.tell(late, BEGUN, Fact(APPROVAL, Kind.INTENDED, "worker", "[]"), ASKED)
    with temporary_settings({PREFECT_API_URL: NOWHERE}):
        await keeper.sweep()
    assert await record.phase(late) is Phase.UNDOING
    await keeper.sweep()
    assert [len(await runs_of(operation)) for operation in (late, waiting)] == [1, 1]


async def test_a_run_is_ready_when_the_lease_of_a_silent_worker_runs_out(record: Record, settings: Settings) -> None:
    short = settings.model_copy(update={"lease_ttl": 600, "lease_renew": 0.001})
    operation = await record.ask()
    await Leases(record.engine, ttl=600).acquire(operation, "silent")
    await asyncio.sleep(0.01)
    keeper = Keeper(short)
    for _ in range(2):
        await keeper.sweep()
    await keeper.close()
    assert len(await runs_of(operation)) == 1


async def test_a_worker_that_renews_is_left_alone(record: Record, settings: Settings) -> None:
    keeper = Keeper(settings.model_copy(update={"lease_ttl": 600, "lease_renew": 200}))
    operation = await record.ask()
    await Leases(record.engine, ttl=600).acquire(operation, "worker")
    await keeper.sweep()
    await keeper.close()
    assert await runs_of(operation) == []


async def test_a_lease_that_is_about_to_run_out_is_met_when_it_does(
    record: Record, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await keeper.pause() == SWEEP_EVERY
    monkeypatch.setattr(deployments.keeper, "SWEEP_EVERY", 600.0)
    operation = await record.ask()
    await Leases(record.engine, ttl=300).acquire(operation, "worker")
    assert await keeper.pause() < 300


async def test_keeps_until_told_to_stop(record: Record, settings: Settings) -> None:
    operation = await record.ask()
    stop = asyncio.Event()
    keeping = asyncio.create_task(keep(settings, stop))
    async with asyncio.timeout(60):
        while not await runs_of(operation):
            await asyncio.sleep(0.05)
    assert not keeping.done()
    stop.set()
    await keeping
