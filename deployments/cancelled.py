"""Runs that people cancel on Prefect's pages: how the record hears of it.

A killed run cannot tell anything and a hook dies with its process, so Prefect is asked, from outside, about the runs of operations that are
on their way. What is read there decides nothing by itself: it becomes a word, and the journal says whether the word may still be said.
"""

from collections.abc import Iterable
from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import StateType
from prefect.exceptions import PrefectException

from blocks.domain.errors import Transient

CANCELLED = [StateType.CANCELLING, StateType.CANCELLED]
# Prefect answers at most so many runs at once.
PAGE = 200


async def read_cancelled(runs: Iterable[str]) -> frozenset[str]:
    """Those of the flow runs that were cancelled, or `Transient` if Prefect does not answer."""
    asked = sorted(runs)
    if not asked:
        return frozenset()
    try:
        async with get_client() as client:
            found = [
                str(run.id)
                for first in range(0, len(asked), PAGE)
                for run in await client.read_flow_runs(flow_run_filter=_cancelled(asked[first : first + PAGE]), limit=PAGE)
            ]
    except (httpx.HTTPError, PrefectException, OSError) as problem:
        raise Transient("Prefect did not say which runs are cancelled", "see whether the Prefect server runs") from problem
    return frozenset(found)


def _cancelled(runs: list[str]) -> FlowRunFilter:
    state = FlowRunFilterState(type=FlowRunFilterStateType(any_=CANCELLED))
    return FlowRunFilter(id=FlowRunFilterId(any_=[UUID(run) for run in runs]), state=state)
