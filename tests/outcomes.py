"""Kinds of rollouts as they really ended: written at the end of each session, one line for a kind, a strategy and a world.

A test says with the mark `kind(name, strategy)` what it plays; one with the mark `world` plays it on the real cluster, others on the fake.
A session replaces the lines that it played and leaves those of other sessions, so that both worlds come together.
"""

import fcntl
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

WRITTEN = Path(__file__).parents[1] / "build" / "e2e.json"
WORLDS = ("fake", "real")


@dataclass(frozen=True)
class Outcome:
    """How the kind ended; `seconds` is how long its test took."""

    kind: str
    strategy: str
    world: str
    passed: bool
    seconds: float

    @property
    def place(self) -> tuple[str, str, str]:
        """Which line of the table it is."""
        return self.kind, self.strategy, self.world


class Outcomes:
    """A plugin of pytest that keeps what the marked tests of its session came to, and writes it at the end."""

    def __init__(self, path: Path = WRITTEN) -> None:
        self._path, self.seen = path, dict[tuple[str, str, str], Outcome]()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Any:
        """Count every phase of a marked test: one that failed to set up, or to clean up, did not pass."""
        report = yield
        for mark in item.iter_markers("kind"):
            self._count(mark.args, item, report)
        return report

    def pytest_sessionfinish(self) -> None:
        """Write what was seen, if anything was."""
        if self.seen:
            with alone(self._path):
                write(self._path, merge(read(self._path), self.seen.values()))

    def _count(self, said: Sequence[str], item: pytest.Item, report: pytest.TestReport) -> None:
        kind, strategy = said
        new = Outcome(kind, strategy, WORLDS[item.get_closest_marker("world") is not None], report.passed, report.duration)
        # Tests that share a line, and the parts of one test, pass together or not at all.
        before = self.seen.get(new.place, Outcome(*new.place, passed=True, seconds=0))
        passed, seconds = before.passed and new.passed, round(before.seconds + new.seconds, 2)
        self.seen[new.place] = Outcome(*new.place, passed=passed, seconds=seconds)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Nobody else who asks writes the file meanwhile: two lanes of one session may end at the same time."""
    path.parent.mkdir(exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def merge(before: Iterable[Outcome], now: Iterable[Outcome]) -> list[Outcome]:
    """What was known and what is new, which takes the place of what it was known by, in the order of the table."""
    lines = {one.place: one for one in (*before, *now)}
    return [lines[place] for place in sorted(lines)]


def read(path: Path) -> list[Outcome]:
    """The lines that were written before; none if there is no file."""
    return [Outcome(**one) for one in json.loads(path.read_text())] if path.exists() else []


def write(path: Path, lines: Iterable[Outcome]) -> None:
    """The file holds these lines."""
    path.write_text(json.dumps([asdict(one) for one in lines], indent=1) + "\n")


def draw(lines: Sequence[Outcome]) -> Table:
    """Kinds down, strategies and worlds across; what was not played is empty."""
    across = [(strategy, world) for strategy in sorted({one.strategy for one in lines}) for world in WORLDS]
    table = Table("kind", *(f"{strategy}\n{world}" for strategy, world in across))
    ended = {one.place: "passed" if one.passed else "FAILED" for one in lines}
    for kind in dict.fromkeys(one.kind for one in lines):
        table.add_row(kind, *(ended.get((kind, *place), "") for place in across))
    return table


def main() -> int:
    """Print the table; 1 if a line of it failed, or there is none."""
    lines = read(WRITTEN)
    console = Console()
    console.print(draw(lines))
    passed = sum(one.passed for one in lines)
    console.print(f"{passed} passed, {len(lines) - passed} failed")
    return int(passed < len(lines) or not lines)


if __name__ == "__main__":
    sys.exit(main())
