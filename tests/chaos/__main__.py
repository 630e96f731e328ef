"""`make chaos`: every point, a table, and build/chaos.json."""

import asyncio
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from rich.console import Console
from rich.table import Table

from blocks.settings import WORLD
from tests.chaos.life import Outcome
from tests.chaos.play import Played, all_scripts, play_fake, play_races, play_real, real_scripts
from tests.chaos.product import play_product
from tests.chaos.window import open_window
from tests.conftest import World
from tests.e2e.api import Product

FIGURES = Path("build") / "chaos.json"


async def play(folder: Path) -> list[Played]:
    """Everything, one world after the other."""
    for name in ("fake", "races", "real"):
        (folder / name).mkdir()
    async with open_window(folder):
        fake = await play_fake(all_scripts(), folder / "fake")
        return [fake, await play_races(folder / "races"), await play_real(real_scripts(), folder / "real")]


def play_on_product() -> Played:
    """The processes of the local world."""
    product = Product(World(**{name.lower(): value for name, value in dotenv_values(WORLD).items()}))
    try:
        return Played(play_product(product), ())
    finally:
        product.close()


def figures(outcome: Outcome) -> Iterator[dict[str, Any]]:
    """One line for each death, or for what was done without one."""
    later = [*outcome.resumed_after] or [None]
    for point, seconds in zip(outcome.act.points or (f"{outcome.act.verb}: undisturbed",), later, strict=False):
        survived = {"survived": not outcome.complaints, "resumed_after_s": seconds}
        yield {"point": str(point), "verb": outcome.act.verb, "world": outcome.world, **survived}


def show(lines: Sequence[dict[str, Any]], wrong: Sequence[str]) -> None:
    """The table, what went wrong, and the sum."""
    table = Table("world", "point", "went on after", "survived")
    for line in lines:
        seconds = "" if line["resumed_after_s"] is None else f"{line['resumed_after_s']:.1f} s"
        table.add_row(line["world"], line["point"], seconds, "yes" if line["survived"] else "NO")
    console = Console()
    console.print(table)
    for one in wrong:
        console.print(one, markup=False)
    passed = sum(line["survived"] for line in lines)
    console.print(f"{passed} passed, {len(lines) - passed} failed")


def main() -> int:
    """Play, write and show; 0 if everything survived."""
    with tempfile.TemporaryDirectory() as folder:
        played = [*asyncio.run(play(Path(folder))), play_on_product()]
    outcomes = [outcome for one in played for outcome in one.outcomes]
    lines = [line for outcome in outcomes for line in figures(outcome)]
    wrong = [f"{outcome}: {complaint}" for outcome in outcomes for complaint in outcome.complaints]
    wrong += [complaint for one in played for complaint in one.record]
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.write_text(json.dumps(lines, indent=1))
    show(lines, wrong)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
