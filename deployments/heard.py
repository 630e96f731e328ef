"""What Prefect's pages know of our runs and the record does not: which were cancelled there, and why one does not begin.

A killed run cannot tell anything and a hook dies with its process, so Prefect is asked, from outside, about the runs of operations that
are on their way. What is read there decides nothing by itself: a cancel becomes a word, and the journal says whether the word may still be
said; a trouble is shown to whoever waits.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.exceptions import PrefectException

from blocks.domain.errors import Transient

CANCELLED = frozenset({StateType.CANCELLING, StateType.CANCELLED})
ENDED_BADLY = frozenset({StateType.CRASHED, StateType.FAILED})
ALIVE = frozenset({StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING})
# An image is pulled and a process started in less on a machine that is not full.
SLOW = timedelta(seconds=8)
# Prefect answers at most so many runs at once.
PAGE = 200
# What a run waits for, by the name of its state; what waits otherwise is only on its way.
WAITING = {
    "Late": "no worker of work pool {pool} has taken the run; see whether one runs",
    "AwaitingConcurrencySlot": "work pool {pool} has as many runs as it may; this one comes after them",
}


@dataclass(frozen=True)
class Heard:
    """What Prefect says of some runs: which were cancelled, which ended badly, which are on their way and why they do not begin.

    Those that are `slow` have been given to a worker and have not begun; only what runs them knows why.
    """

    cancelled: frozenset[str]
    over: frozenset[str]
    alive: frozenset[str]
    slow: frozenset[str]
    troubles: Mapping[str, str]


async def hear(runs: Iterable[str]) -> Heard:
    """What Prefect says of these flow runs, or `Transient` if it does not answer."""
    asked = sorted(runs)
    try:
        found = await _read(asked) if asked else []
    except (httpx.HTTPError, PrefectException, OSError) as problem:
        raise Transient("Prefect did not say how its runs are", "see whether the Prefect server runs") from problem
    troubles = {str(run.id): trouble for run in found if (trouble := describe_trouble(run))}
    cancelled, over, alive = [
        frozenset(str(run.id) for run in found if run.state_type in types) for types in (CANCELLED, ENDED_BADLY, ALIVE)
    ]
    slow = frozenset(str(run.id) for run in found if _is_slow(run))
    return Heard(cancelled, over, alive, slow, troubles)


def describe_trouble(run: FlowRun) -> str:
    """Why the run does not begin, in a sentence for people; empty if nothing is wrong with it."""
    state = run.state
    if state is None:
        return ""
    if state.type in ENDED_BADLY:
        return f"its run ended before it began to work: {state.message or state.name}"
    return WAITING.get(state.name or "", "").format(pool=run.work_pool_name)


def _is_slow(run: FlowRun) -> bool:
    pending = run.state if run.state and run.state.type is StateType.PENDING else None
    return pending is not None and datetime.now(UTC) - pending.timestamp > SLOW


async def _read(asked: list[str]) -> list[FlowRun]:
    async with get_client() as client:
        return [
            run
            for first in range(0, len(asked), PAGE)
            for run in await client.read_flow_runs(flow_run_filter=_among(asked[first : first + PAGE]), limit=PAGE)
        ]


def _among(runs: list[str]) -> FlowRunFilter:
    return FlowRunFilter(id=FlowRunFilterId(any_=[UUID(run) for run in runs]))
