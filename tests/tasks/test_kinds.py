"""A step is journaled before and after, done once, and taken back from the same arguments; on both databases, in real flows."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from prefect import flow
from prefect.client.schemas.objects import State as RunState
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.journal import Journal
from blocks.catalog.leases import Leases
from blocks.catalog.operations import Operations
from blocks.domain.errors import PlanStale, PointOfNoReturn, Terminal, Transient
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


@step(Undo.FINAL)
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


STEPS = (put, ask, announce, promise, stumble)


@pytest.fixture
async def work(engine: AsyncEngine) -> Work:
    """An operation held by this test, and a world that is a dictionary."""
    operations, leases = Operations(engine), Leases(engine, 60)
    asked = await operations.request_install(make_request(), "ann", None)
    tools = SimpleNamespace(journal=Journal(engine), leases=leases, operations=operations, standing={}, tries=0)
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
