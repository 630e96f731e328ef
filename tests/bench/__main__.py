"""`python -m tests.bench`: measure on the running world; with names of parts, only those.

To add a part: write a file with an `async def measure() -> list[Figure]` and name it in `PARTS`.
"""

import asyncio
import sys

from tests.bench import appends, bookkeeping, charts, journeys, planning, reacting, resumption, rollouts, starting
from tests.bench.figures import Figure, report

PARTS = {
    "bookkeeping": bookkeeping.measure,
    "appends": appends.measure,
    "planning": planning.measure,
    "starting": starting.measure,
    "resumption": resumption.measure,
    "journeys": journeys.measure,
    "reacting": reacting.measure,
    "charts": charts.measure,
    "rollouts": rollouts.measure,
}


async def measure(names: list[str]) -> list[Figure]:
    """The figures of these parts, one part after the other."""
    return [figure for name in names for figure in await PARTS[name]()]


if __name__ == "__main__":
    report(asyncio.run(measure(sys.argv[1:] or [*PARTS])))
