"""How long somebody may still wait, where time in which nothing could be seen does not count."""


class Patience:
    """Seconds that may still be spent on waiting; whoever waits spends only what it saw."""

    def __init__(self, seconds: float, whole: "Patience | None" = None) -> None:
        self.left, self._whole = max(seconds, 0.0), whole

    def part(self, seconds: float) -> "Patience":
        """At most so many of the seconds that are left; what is spent of them is spent of the whole."""
        return Patience(min(seconds, self.left), self)

    def spend(self, seconds: float) -> None:
        """So many seconds fewer are left, here and of the whole."""
        self.left = max(self.left - seconds, 0.0)
        if self._whole:
            self._whole.spend(seconds)
