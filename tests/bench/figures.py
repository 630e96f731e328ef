"""What is measured, as a table for people and as `build/bench.json` for machines.

To add a figure: make a `Figure` in one of the files named in `__main__.py`.
A speed is claimed only as a ratio of two things measured in the same run.
"""

import json
import os
import platform
import statistics
from dataclasses import asdict, dataclass, field
from pathlib import Path

import prefect
from rich.console import Console
from rich.table import Table

RESULT = Path("build/bench.json")
VERSIONS = {"python": platform.python_version(), "prefect": prefect.__version__, "kernel": platform.release()}


@dataclass(frozen=True)
class Figure:
    """One measured thing; `theirs` is what ours is held against, `pairs` every single pair of (ours, theirs)."""

    name: str
    unit: str
    pairs: tuple[tuple[float, float | None], ...]
    goal: str = ""
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def ratios(self) -> list[float]:
        """Ours ÷ theirs, for each pair that has both."""
        return [ours / theirs for ours, theirs in self.pairs if theirs]

    def row(self) -> dict[str, object]:
        """Everything that `bench.json` says about the figure."""
        ours = [pair[0] for pair in self.pairs]
        theirs = [pair[1] for pair in self.pairs if pair[1] is not None]
        return asdict(self) | {
            "ours": statistics.median(ours),
            "theirs": statistics.median(theirs) if theirs else None,
            "ratio": statistics.median(self.ratios) if self.ratios else None,
            "median": statistics.median(self.ratios or ours),
            "worst": max(self.ratios or ours),
            "load_average": os.getloadavg(),
            "versions": VERSIONS | self.versions,
        }


def report(figures: list[Figure]) -> None:
    """Print the table and write the file."""
    rows = [figure.row() for figure in figures]
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(rows, indent=1) + "\n")
    table = Table("figure", "unit", "ours", "theirs", "ratio", "worst", "goal", "pairs")
    for row, figure in zip(rows, figures, strict=True):
        numbers = [f"{row[name]:.3f}" if isinstance(row[name], float) else "" for name in ("ours", "theirs", "ratio", "worst")]
        table.add_row(figure.name, figure.unit, *numbers, figure.goal, str(len(figure.pairs)))
    Console(width=150).print(table)
