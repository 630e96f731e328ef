"""A step is journaled before and after, done once, and taken back from the same arguments; on both databases, in real flows."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from prefect import flow
from prefect.client.schemas.objects import State as RunState
from prefect.exceptions import TerminationSignal
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.journal import Journal
from blocks.catalog.leases import Leases
from blocks.catalog.operations import Operations
from blocks.catalog.requests import Asked, Requests
from blocks.domain.errors import (
    Exhausted,
    Parked,
    PlanStale,
    PointOfNoReturn,
    RecordAway,
    Terminal,
    Transient,
    Unreachable,
)
from blocks.domain.journal import Kind, Phase
from blocks.work import Work
from tasks.carry import _go_on
from tasks.kinds import Undo, step, take_back
from tests.builders import make_request

pytestmark = pytest.mark.usefixtures("prefect_server")


@step(Undo.REVERSIBLE)
async def put(work: Work, thing: str) -> str:
    """Put a thing into the world, unless it is there."""
    standing = cast("Any", work.tools).standing
    standing.setdefault(thing, 0)
    standing[thing] += 1
    return thing.upper()


@put.undo
async def remove(work: Work, thing: str) -> None:
    """Take it out again."""
    cast("Any", work.tools).standing.pop(thing, None)


@step(Undo.NEEDLESS, keyed=True)
async def ask(work: Work, whom: str) -> int:
    """Ask one of several."""
    return len(whom)


@step(Undo.FINAL, remains="people know")
async def announce(work: Work) -> None:
    """Tell people; this cannot be taken back."""


@step(Undo.COMPENSATABLE)
async def promise(work: Work) -> None:
    """Promise an undo that nobody wrote."""


@step(Undo.NEEDLESS)
async def stumble(work: Work) -> int:
    """Fail twice in a way that passes, then succeed."""
    tools = cast("Any", work.tools)
    tools.tries += 1
    if tools.tries < 3:
        raise Transient("not yet")
    return int(tools.tries)


@step(Undo.REVERSIBLE)
async def look_out(work: Work) -> int:
    """See the world again after so many looks."""
    return unseen(work)


@look_out.undo
async def look_back(work: Work) -> None:
    """The same in the other direction."""
    unseen(work)


@step(Undo.NEEDLESS)
async def wonder(work: Work) -> str:
    """Ask a person."""
    raise Parked("ann must say", "", '{"hash": "sha256:1"}')


def unseen(work: Work) -> int:
    """`Unreachable` for so many looks."""
    tools = cast("Any", work.tools)
    tools.looks -= 1
    if tools.looks > 0:
        raise Unreachable("nobody is there")
    return 0


STEPS = (put, ask, announce, promise, stumble, look_out, wonder)


@pytest.fixture
async def work(engine: AsyncEngine) -> Work:
    """An operation held by this test, and a world that is a dictionary."""
    operations, leases = Operations(engine), Leases(engine, 60)
    asked = await Requests(engine).request_install(make_request(), Asked("ann"))
    settings = SimpleNamespace(max_begins=3, hold_limit=60)
    tools = SimpleNamespace(journal=Journal(engine), leases=leases, operations=operations, settings=settings)
    vars(tools).update(standing={}, tries=0, looks=0)
    return Work(await leases.acquire(asked.operation, "test"), await operations.order(asked.operation), cast("Any", tools))


def standing(work: Work) -> dict[str, int]:
    """What stands, and how often it was put up."""
    return cast("dict[str, int]", cast("Any", work.tools).standing)


async def run(story: Any, work: Work) -> Any:
    """What the story returns, told inside a flow."""

    @flow
    async def tell() -> Any:
        return await story(work)

    return await tell()


async def test_step_done_is_not_done_again(work: Work) -> None:
    """The recorded result is returned instead."""

    async def twice(work: Work) -> tuple[str, str]:
        return await put(work, "a"), await put(work, "a")

    assert await run(twice, work) == ("A", "A")
    assert standing(work) == {"a": 1}
    assert [entry.kind for entry in await work.tools.journal.read(work.operation)] == [Kind.INTENDED, Kind.DONE]


async def test_step_called_with_other_arguments_is_stale(work: Work) -> None:
    """What was recorded for one thing is never the answer for another."""

    async def twice(work: Work) -> None:
        await put(work, "a")
        await put(work, "b")

    with pytest.raises(PlanStale, match="put was recorded with other arguments"):
        await run(twice, work)


async def test_intent_without_result_is_done_again(work: Work) -> None:
    """Its worker died in between: the step itself looks what is there."""
    await work.record("put", Kind.INTENDED, '["a"]')
    assert await run(lambda work: put(work, "a"), work) == "A"
    kinds = [entry.kind for entry in await work.tools.journal.read(work.operation)]
    assert kinds == [Kind.INTENDED, Kind.INTENDED, Kind.DONE]


async def test_keyed_step_is_one_step_for_each_key(work: Work) -> None:
    """Each with its own intent and result."""

    async def several(work: Work) -> list[int]:
        return [await ask(work, "ann"), await ask(work, "bobby"), await ask(work, "ann")]

    assert await run(several, work) == [3, 5, 3]
    assert set((await work.look()).results) == {"ask:ann", "ask:bobby"}


async def test_what_may_pass_is_tried_again(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it succeeds; the journal tells each try."""
    monkeypatch.setattr(stumble._once_task, "retry_delay_seconds", [0, 0, 0])
    assert await run(stumble, work) == 3


async def test_undo_goes_backwards_and_leaves_nothing(work: Work) -> None:
    """Steps count as never begun afterwards."""

    async def there_and_back(work: Work) -> None:
        await put(work, "a")
        await ask(work, "ann")
        await take_back(work, STEPS)

    await run(there_and_back, work)
    assert standing(work) == {}
    undone = [entry.step for entry in await work.tools.journal.read(work.operation) if entry.kind is Kind.UNDONE]
    assert undone == ["ask:ann", "put"]
    assert (await work.look()).intents == {}


@pytest.mark.parametrize(
    ("begun", "reason"),
    [
        pytest.param("announce", "announce cannot be taken back", id="a final step"),
        pytest.param("promise", "promise cannot be taken back", id="an undo that was promised and never written"),
        pytest.param("renamed", "nobody here knows", id="a step that nobody knows"),
    ],
)
async def test_undo_stops_where_it_cannot_go_on(work: Work, begun: str, reason: str) -> None:
    """And never passes over it."""
    await run(lambda work: put(work, "a"), work)
    await work.record(begun, Kind.INTENDED, "[]")
    with pytest.raises(PointOfNoReturn, match=reason):
        await run(lambda work: take_back(work, STEPS), work)
    assert standing(work) == {"a": 1}


class Story:
    """A story that puts two things up and then ends as it is told."""

    def __init__(self, end: Exception | None, last: Any = None) -> None:
        self.end, self.last = end, last

    async def __call__(self, work: Work) -> None:
        await put(work, "a")
        await ask(work, "ann")
        if self.last:
            await self.last(work)
        if self.end:
            raise self.end


@pytest.mark.parametrize(
    ("story", "phase", "code"),
    [
        pytest.param(Story(None), Phase.SUCCEEDED, None, id="all well"),
        pytest.param(Story(Terminal("no", "why")), Phase.WITHDRAWN, "terminal", id="a no is taken back"),
        pytest.param(Story(ValueError("oops")), Phase.WITHDRAWN, "terminal", id="a mistake of ours is told and taken back"),
        pytest.param(Story(Terminal("no"), announce), Phase.FROZEN, "point-of-no-return", id="behind a final step it freezes"),
    ],
)
async def test_operation_ends_in_one_phase_with_a_reason(work: Work, story: Story, phase: Phase, code: str | None) -> None:
    """What was begun stands after success and after a freeze, and is gone after a withdrawal."""

    @flow
    async def carry_it() -> RunState[None]:
        return await _go_on(work, story, STEPS)

    await carry_it(return_state=True)
    state = await work.look()
    assert state.phase is phase
    assert standing(work) == ({} if phase is Phase.WITHDRAWN else {"a": 1})
    last = [entry for entry in await work.tools.journal.read(work.operation) if entry.kind in (Kind.FAILED, Kind.FROZEN)]
    assert (f'"code": "{code}"' in last[-1].payload) if code else not last


async def begin_as_others(work: Work, kind: Kind, times: int) -> None:
    """Let so many other workers begin the step, or its undo, and die."""
    for number in range(times):
        lease = replace(work.lease, token=await take_over(work), holder=f"dead-{number}")
        await Work(lease, work.order, work.tools).record("put", kind, '["a"]')
    work.lease = replace(work.lease, token=await take_over(work))


async def take_over(work: Work) -> int:
    """The token of whoever takes the operation now."""
    await work.tools.leases.release(replace(work.lease, token=(await current(work))))
    return (await work.tools.leases.acquire(work.operation, "next")).token


async def current(work: Work) -> int:
    """The token that may write now."""
    entries = await work.tools.journal.read(work.operation)
    return max([work.lease.token, *(entry.token for entry in entries)])


async def test_a_step_that_never_ends_is_begun_only_so_often(work: Work) -> None:
    """Workers that die in it are counted; then a person has to look."""
    await begin_as_others(work, Kind.INTENDED, 2)
    assert await run(lambda work: put(work, "a"), work) == "A"
    await work.record("put", Kind.UNDONE)
    await begin_as_others(work, Kind.INTENDED, 3)
    with pytest.raises(Exhausted, match="put was begun 3 times"):
        await run(lambda work: put(work, "a"), work)


async def test_an_undo_that_never_ends_is_begun_only_so_often(work: Work) -> None:
    """The way back is counted for itself."""
    await run(lambda work: put(work, "a"), work)
    await begin_as_others(work, Kind.UNDOING, 3)
    with pytest.raises(Exhausted, match="undo put was begun 3 times"):
        await run(lambda work: take_back(work, STEPS), work)


async def test_what_cannot_be_seen_is_waited_for(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forwards and backwards, for longer than what merely fails, within one try."""
    monkeypatch.setattr("tasks.kinds.HOLDS", (0,))
    for story in (look_out, lambda work: take_back(work, STEPS)):
        work.tools.looks = 20  # type: ignore[attr-defined]
        await run(story, work)
    kinds = [entry.kind for entry in await work.tools.journal.read(work.operation)]
    assert kinds == [Kind.INTENDED, Kind.DONE, Kind.UNDOING, Kind.UNDONE]


async def test_waiting_for_a_person_hands_the_operation_back(work: Work) -> None:
    """The question stands in the journal; the answer is the step's result."""
    with pytest.raises(Parked, match="ann must say"):
        await run(wonder, work)
    state = await work.look()
    assert (state.phase, state.questions) == (Phase.PARKED, {"wonder": '{"hash": "sha256:1"}'})
    await work.record("wonder", Kind.APPROVED, '"yes"')
    assert await run(wonder, work) == "yes"


async def test_what_cannot_be_taken_back_is_left_when_a_person_accepts_it(work: Work) -> None:
    """And everything before it goes."""
    await run(lambda work: put(work, "a"), work)
    await run(announce, work)
    with pytest.raises(PointOfNoReturn, match="announce cannot be taken back: people know"):
        await run(lambda work: take_back(work, STEPS), work)
    await work.record("operation", Kind.REVERTING, '{"acceptRemaining": true}')
    await run(lambda work: take_back(work, STEPS), work)
    assert standing(work) == {}
    left = [entry.step for entry in await work.tools.journal.read(work.operation) if entry.payload == '{"left": true}']
    assert left == ["announce"]


@pytest.mark.parametrize(
    ("end", "known", "on_failure", "phase"),
    [
        pytest.param(Exhausted("again and again"), (), "undo", Phase.FROZEN, id="worn out"),
        pytest.param(Unreachable("nobody is there"), (), "undo", Phase.FROZEN, id="not seen for too long"),
        pytest.param(Terminal("no"), ("recall_plan",), "freeze", Phase.FROZEN, id="the request wants a person to look"),
        pytest.param(Terminal("no"), (), "freeze", Phase.WITHDRAWN, id="before the plan there is nothing to look at"),
        pytest.param(Terminal("no"), ("recall_plan",), "undo", Phase.WITHDRAWN, id="else it is taken back"),
    ],
)
async def test_freezing_keeps_what_was_begun(
    work: Work, end: Exception, known: tuple[str, ...], on_failure: str, phase: Phase
) -> None:
    """A frozen operation stands as it stood when it stopped."""
    options = work.order.request.options.model_copy(update={"on_failure": on_failure})
    work.order = replace(work.order, request=work.order.request.model_copy(update={"options": options}))
    for name in known:
        await work.record(name, Kind.DONE)

    @flow
    async def carry_it() -> RunState[None]:
        return await _go_on(work, Story(end), STEPS)

    await carry_it(return_state=True)
    assert (await work.look()).phase is phase
    assert standing(work) == ({"a": 1} if phase is Phase.FROZEN else {})


async def test_without_its_record_nothing_is_concluded(work: Work) -> None:
    """The run ends, the operation stands where it stood, and another run goes on."""

    @flow
    async def carry_it() -> None:
        await _go_on(work, Story(RecordAway("the database is away")), STEPS)

    with pytest.raises(RecordAway):
        await carry_it()
    assert (await work.look()).phase is Phase.APPLYING
    assert standing(work) == {"a": 1}


async def be_signalled(work: Work) -> None:
    """A story in the middle of which the process is told to end."""
    raise ValueError("Task run is not set") from TerminationSignal(15)


async def be_cancelled(work: Work) -> None:
    """A story whose task is cancelled."""
    try:
        cast("asyncio.Task[None]", asyncio.current_task()).cancel()
        await asyncio.sleep(0)
    except asyncio.CancelledError:
        raise ValueError("Task run is not set") from None


@pytest.mark.parametrize("story", [be_signalled, be_cancelled])
async def test_a_run_that_is_ended_concludes_nothing(work: Work, story: Callable[[Work], Awaitable[None]]) -> None:
    """Whatever Prefect says when it is interrupted: nothing of the work is wrong, and another run goes on."""
    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(_go_on(work, story, STEPS))
    assert (await work.look()).phase is Phase.REQUESTED
