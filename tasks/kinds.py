"""What makes a function a step: its intent and its result are journaled, and it knows how it is taken back.

To add a step: write an idempotent `async def name(work, …) -> Result` that looks before it does, decorate it with `@step(Undo.…)` and,
beside it, with `@name.undo`, write what takes it back from the same arguments. Steps and their results are JSON: plain values, frozen
dataclasses or Pydantic models. What is called more than once in an operation is `keyed`: its first argument is part of its name.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterable
from enum import StrEnum
from functools import partial
from types import GenericAlias
from typing import Any, Concatenate, Generic, ParamSpec, TypeAlias, TypeVar, get_type_hints

from prefect import Task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State as RunState
from prefect.client.schemas.objects import TaskRun
from prefect.states import Completed
from pydantic import TypeAdapter

from blocks.domain.errors import Exhausted, Parked, PlanStale, PointOfNoReturn, Transient, Unreachable
from blocks.domain.journal import Kind, State, undo_of
from blocks.work import Work

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
Body: TypeAlias = Callable[Concatenate[Work, P], Awaitable[R]]
# Seconds between tries of a step that met something transient; an outside system's Retry-After is waited for in the block that met it.
PAUSES: tuple[float, ...] = (0.5, 2, 5)
# Seconds between looks at an outside system that cannot be seen; the last is repeated.
HOLDS: tuple[float, ...] = (0.2, 0.5, 1, 2, 5, 10)
LEAVE_IT = "see to it; then retry, accepting what remains: it is left as it is, and everything before it is taken back"


class Undo(StrEnum):
    """How a step can be taken back."""

    NEEDLESS = "needless"
    REVERSIBLE = "reversible"
    COMPENSATABLE = "compensatable"
    FINAL = "final"


class Opaque(Generic[T]):
    """A value on its way through Prefect, which looks through everything that it can see into, part by part, for futures and secrets."""

    def __init__(self, value: T) -> None:
        self.value = value


def step(undo: Undo, *, keyed: bool = False, remains: str = "") -> "Callable[[Body[P, R]], Step[P, R]]":
    """Make a step of the function; its undo class is said here, so that nobody forgets it.

    A final step says in `remains` what will be left when everything else is taken back.
    """
    return lambda do: Step(do, undo, keyed=keyed, remains=remains)


class Step(Generic[P, R]):
    """A Prefect task that the journal remembers."""

    def __init__(self, do: Body[P, R], undo: Undo, *, keyed: bool = False, remains: str = "") -> None:
        self.name, self.undo_class, self._keyed, self._remains = getattr(do, "__name__", ""), undo, keyed, remains
        self._do: Callable[..., Awaitable[R]] = do
        self._take_back: Callable[..., Awaitable[None]] | None = None
        self._signature = inspect.signature(do)
        _, *takes, gives = get_type_hints(do).values()
        shape: Any = GenericAlias(tuple, tuple(takes) or ((),))
        self._arguments: TypeAdapter[tuple[Any, ...]] = TypeAdapter(shape)
        self._result: TypeAdapter[R] = TypeAdapter(gives)
        self._once_task, self._revert_task = _as_task(self._once, self.name), _as_task(self._revert, undo_of(self.name))

    async def __call__(self, work: Work, *args: P.args, **kwargs: P.kwargs) -> R:
        """The recorded result, or the result of doing it now."""
        _, *values = self._signature.bind(work, *args, **kwargs).args
        task = _called(self._once_task, self._key(values))
        run: RunState[Opaque[R] | Parked] = await task(work, Opaque(tuple(values)), return_state=True)
        result = await run.aresult()
        if isinstance(result, Parked):
            raise result
        return result.value

    def undo(self, take_back: Body[P, None]) -> Body[P, None]:
        """Let this function take the step back; it gets the arguments that the intent recorded."""
        self._take_back = take_back
        return take_back

    async def revert(self, work: Work, key: str) -> None:
        """Take the step back, or raise `PointOfNoReturn`."""
        await _called(self._revert_task, undo_of(key))(work, key)

    def owns(self, key: str) -> bool:
        """Whether an entry of the journal under this name is about this step."""
        return key == self.name or (self._keyed and key.startswith(f"{self.name}:"))

    def _key(self, values: Iterable[Any]) -> str:
        return f"{self.name}:{next(iter(values))}" if self._keyed else self.name

    async def _once(self, work: Work, given: Opaque[tuple[Any, ...]]) -> Opaque[R] | RunState[Any]:
        args = given.value
        state, key = await work.look(), self._key(args)
        if key in state.intents and self._arguments.validate_json(state.intents[key]) != args:
            raise PlanStale(f"{key} was recorded with other arguments than it is called with now")
        if key in state.results:
            return Completed(name="Recorded", data=Opaque(self._result.validate_json(state.results[key])))
        must_lead_somewhere(work, state, key)
        await work.record(key, Kind.INTENDED, self._arguments.dump_json(args).decode())
        try:
            result = await hold(work, partial(self._do, work, *args))
        except Parked as parked:
            # To wait for a person is no failure of the task, so it is handed on as a value.
            await work.record(key, Kind.PARKED, parked.question)
            return Completed(name="Parked", data=parked)
        await work.record(key, Kind.DONE, self._result.dump_json(result).decode())
        return Opaque(result)

    async def _revert(self, work: Work, key: str) -> None:
        state, undo = await work.look(), undo_of(key)
        stays = not self._can_be_undone()
        if stays and not state.accepted:
            raise PointOfNoReturn(f"{key} cannot be taken back: {self._remains or 'nobody knows how'}", LEAVE_IT)
        must_lead_somewhere(work, state, undo)
        args = self._arguments.validate_json(state.intents[key])
        await work.record(key, Kind.UNDOING)
        if self._take_back and not stays:
            await hold(work, partial(self._take_back, work, *args))
        await work.record(key, Kind.UNDONE, '{"left": true}' if stays else "null")

    def _can_be_undone(self) -> bool:
        # An undo that was promised and never written is a point of no return, not a success.
        return self.undo_class is Undo.NEEDLESS or (self.undo_class is not Undo.FINAL and self._take_back is not None)


async def take_back(work: Work, steps: Iterable[Step[..., Any]]) -> None:
    """Revert every step that was begun, last first, or raise `PointOfNoReturn` at one that is final or not known here."""
    known = tuple(steps)
    for key in reversed([*(await work.look()).intents]):
        owner = next((one for one in known if one.owns(key)), None)
        if owner is None:
            raise PointOfNoReturn(f"nobody here knows how to take {key} back")
        await owner.revert(work, key)


def must_lead_somewhere(work: Work, state: State, what: str) -> None:
    """Raise `Exhausted` when the step was begun too often by workers that never came to a result: a bug is not to be tried for ever."""
    begun = state.begun.get(what, 0)
    if begun >= work.tools.settings.max_begins:
        raise Exhausted(f"{what} was begun {begun} times and never ended", "see the runs' logs, mend the cause, then retry")


async def hold(work: Work, do: Callable[[], Awaitable[T]]) -> T:
    """What `do` returns, tried again while an outside system cannot be seen, for at most the settings' `hold_limit` seconds in a row.

    Nothing is concluded from not seeing: what runs goes on running, and the step goes on where the world stands when it is back.
    """
    clock = asyncio.get_running_loop().time
    unseen_since, pauses = clock(), iter(HOLDS)
    while True:
        begun = clock()
        try:
            return await do()
        except Unreachable:
            if clock() - begun > HOLDS[-1]:
                # It saw something for a while: this is another outage.
                unseen_since, pauses = clock(), iter(HOLDS)
            if clock() - unseen_since >= work.tools.settings.hold_limit:
                raise
        await asyncio.sleep(next(pauses, HOLDS[-1]))


async def worth_retrying(_: Task[..., Any], __: TaskRun, state: RunState[Any]) -> bool:
    """Whether another try can help."""
    problem = await state.aresult(raise_on_failure=False)
    return isinstance(problem, Transient) and not isinstance(problem, Unreachable)  # that one has been held for long enough


def _called(task: Task[..., Any], name: str) -> Task[..., Any]:
    # A copy costs milliseconds, and most steps are called what their task is called.
    return task if task.name == name else task.with_options(name=name)


def _as_task(do: Callable[..., Awaitable[Any]], name: str) -> Task[..., Any]:
    # Prefect's own cache and results stay out of it: what is done is known by the journal alone.
    return Task(
        do,
        name=name,
        cache_policy=NO_CACHE,
        persist_result=False,
        retries=len(PAUSES),
        retry_delay_seconds=[*PAUSES],
        retry_condition_fn=worth_retrying,
    )
