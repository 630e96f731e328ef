"""What is measured of plugins while they serve, as the steps know it.

To add a source of metrics: write a class with `ask` and let its tests run those of `tests/blocks/test_prometheus.py`.
"""

from typing import Protocol


class Metrics(Protocol):
    """A server that has the history of what was measured, and answers questions in PromQL."""

    async def ask(self, query: str, at: float) -> float | None:
        """The one number that the query comes to as of an instant, in seconds since 1970; None where there is no series.

        `Unreachable` where nothing answers, `Refused` where the query has no such answer, `Transient` for an answer that is none.
        """
        ...
