"""Take an operation from wherever it stands to its end: forwards, or back when it fails."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeAlias
from uuid import UUID

from prefect.client.schemas.objects import State as RunState
from prefect.exceptions import ExternalSignal
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from prefect.states import Completed, Failed

from blocks.domain.errors import Exhausted, Parked, PipelineError, RecordAway, StandAside, Terminal, Unreachable
from blocks.domain.journal import Kind, Phase, Reason
from blocks.settings import Settings
from blocks.work import Work, open_work
from tasks.kinds import Step, take_back

Story: TypeAlias = Callable[[Work], Awaitable[object]]
Steps: TypeAlias = Iterable[Step[..., Any]]
# From the result of one of these steps on, the world outside is changed.
PLANNED = frozenset({"make_plan", "plan_return", "recall_plan"})


async def carry(operation: UUID, settings: Settings, story: Story, steps: Steps) -> RunState[None]:
    """Carry the operation on until it ends or must wait; the state returned is what Prefect's page shows.

    A run that finds the operation held by another worker ends quietly: nothing is wrong. So does one whose database is away: what it
    cannot write down it may not conclude, and the keeper sends another.
    """
    try:
        async with open_work(operation, settings, flow_run.id or "") as work:
            return await _go_on(work, story, steps)
    except Parked as parked:
        return Completed(name="Parked", message=str(parked))
    except (StandAside, RecordAway) as aside:
        return Completed(name="StoodAside", message=str(aside))


async def _go_on(work: Work, story: Story, steps: Steps) -> RunState[None]:
    if (await work.look()).phase is Phase.UNDOING:
        return await _go_back(work, steps, await work.failure())
    problem = await _tell(work, story)
    if problem is None:
        await work.record("operation", Kind.FINISHED)
        return Completed(name="Succeeded")
    why = Reason(problem.code, problem.message, problem.hint)
    if await _is_to_freeze(work, problem):
        return await _freeze(work, why)
    await work.record_reason(Kind.FAILED, why)
    return await _go_back(work, steps, why)


async def _tell(work: Work, story: Story) -> PipelineError | None:
    """Run the story; what went wrong is returned, so that it is journaled before anything is taken back."""
    try:
        await story(work)
    except (StandAside, RecordAway):
        raise
    except Exception as problem:
        if is_ended(problem):
            raise asyncio.CancelledError from problem
        return _translated(problem)
    return None


def is_ended(problem: BaseException | None) -> bool:
    """Whether somebody ends this run: then Prefect stumbles over its own bookkeeping and says anything, but nothing of the work is wrong.

    The lease runs out and another run goes on.
    """
    task = asyncio.current_task()
    if task and task.cancelling():
        return True
    while problem and not isinstance(problem, ExternalSignal):
        problem = problem.__cause__ or problem.__context__
    return problem is not None


def _translated(problem: Exception) -> PipelineError:
    if isinstance(problem, PipelineError):
        get_run_logger().error("%s", problem)
        return problem
    # Not translated by any block: a mistake of ours. It is told whole in the log, and the operation is taken back like any other.
    get_run_logger().error("unexpected", exc_info=problem)
    return Terminal(
        f"unexpected {type(problem).__name__}: {problem}", "this is a defect of the pipeline; the run's log has the details"
    )


async def _go_back(work: Work, steps: Steps, why: Reason) -> RunState[None]:
    try:
        await take_back(work, steps)
    except (StandAside, RecordAway):
        raise
    except PipelineError as problem:
        stuck = Reason(problem.code, f"{why.message}; then taking it back stopped: {problem.message}", problem.hint or why.hint)
        return await _freeze(work, stuck)
    await work.record("operation", Kind.WITHDRAWN)
    return Failed(name="Withdrawn", message=f"{why.message}; what was begun has been taken back")


async def _is_to_freeze(work: Work, problem: PipelineError) -> bool:
    """Whether a person must look before anything is taken back: nothing can be, or the request says so of what follows the plan."""
    if isinstance(problem, Exhausted | Unreachable):
        return True
    planned = PLANNED & (await work.look()).results.keys()
    return bool(planned) and work.order.request.options.on_failure == "freeze"


async def _freeze(work: Work, why: Reason) -> RunState[None]:
    await work.record_reason(Kind.FROZEN, why)
    return Failed(name="Frozen", message=why.message)
