"""`python -m tests.bench`: measure on the running world."""

import asyncio

from tests.bench.figures import report
from tests.bench.journeys import measure

if __name__ == "__main__":
    report(asyncio.run(measure()))
