"""What is asked before every write outside: whether whoever writes still may."""

from collections.abc import Awaitable, Callable

Check = Callable[[], Awaitable[None]]


class Fence:
    """Open until somebody stands behind it; from then on each pass asks first and raises what the answer raises.

    It narrows the time in which a worker that was stopped for long could still write to the time of one call; what is conditional at the
    far end (uid and resourceVersion) closes the rest.
    """

    def __init__(self) -> None:
        self._check: Check | None = None

    def ask(self, check: Check) -> None:
        """Let every pass from now on ask this first."""
        self._check = check

    async def __call__(self) -> None:
        """Nothing, if whoever passes still may."""
        if self._check:
            await self._check()
