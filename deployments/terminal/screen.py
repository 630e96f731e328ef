"""Where it is shown: data on standard output, words about it on standard error, live where there is a terminal."""

import json
import sys
from collections.abc import Iterable, Iterator

from rich.console import Console, RenderableType
from rich.live import Live
from rich.markdown import Markdown

from deployments.api.shapes import InstallationShown
from deployments.terminal.drawing import describe_changes, describe_head, describe_rest, draw_installation
from deployments.terminal.exits import ExitCode, Stop
from deployments.terminal.follow import Wait, follow, interrupted, judge_end
from deployments.terminal.server import Server

# Wide enough that nothing is cut where nobody sees a terminal.
PLAIN_WIDTH = 400


class Screen:
    """The two consoles of one command."""

    def __init__(self) -> None:
        self._out = Console(highlight=False)
        if not self._out.is_terminal:
            self._out = Console(highlight=False, width=PLAIN_WIDTH)
        self._err = Console(highlight=False, stderr=True)

    def say(self, sentence: str) -> None:
        """Say something about the data."""
        self._err.print(sentence, markup=False, soft_wrap=True)

    def write(self, lines: Iterable[str]) -> None:
        """Show plain lines."""
        for line in lines:
            self._out.print(line, markup=False, soft_wrap=True)

    def draw(self, drawn: RenderableType) -> None:
        """Show a drawing."""
        self._out.print(drawn, crop=False)

    def show_markdown(self, text: str) -> None:
        """Show Markdown, drawn where there is a terminal and as it is elsewhere."""
        if self._out.is_terminal:
            self._out.print(Markdown(text))
        else:
            self.write(text.splitlines())

    def show_json(self, value: object) -> None:
        """Show data for programs."""
        self._out.print(json.dumps(value, indent=2, ensure_ascii=False), markup=False, soft_wrap=True)

    def show(self, seen: InstallationShown, *, as_json: bool) -> None:
        """Show one installation."""
        if as_json:
            self.show_json(seen.model_dump(mode="json", by_alias=True))
        else:
            self.draw(draw_installation(seen))

    def must_agree(self, question: str) -> None:
        """Nothing if the person at the terminal says yes, else `Stop`."""
        if not sys.stdin.isatty():
            raise Stop(ExitCode.WRONG_USE, "nobody is there to be asked", "read the plan, then give --hash and --yes")
        if self._err.input(f"{question} [y/N] ", markup=False).strip().lower() not in ("y", "yes"):
            raise Stop(ExitCode.FAILED, "nothing was said", "the operation still waits")

    def await_end(self, server: Server, wait: Wait) -> InstallationShown:
        """The installation once the operation has ended; each change is said, because standard output is for what comes of it."""
        try:
            return self._say_changes(follow(server, wait), self._err)
        except KeyboardInterrupt as stopped:
            raise interrupted(wait) from stopped

    def follow(self, server: Server, wait: Wait, *, as_json: bool) -> ExitCode:
        """Show each change until the operation has ended; the exit code says how."""
        live = self._out.is_terminal and not as_json
        try:
            seen = self._watch(follow(server, wait)) if live else self._tell(follow(server, wait), as_json=as_json)
        except KeyboardInterrupt as stopped:
            raise interrupted(wait) from stopped
        return judge_end(seen.phase, wait.wanted)

    def _watch(self, sights: Iterator[InstallationShown]) -> InstallationShown:
        """Draw each sight over the one before."""
        seen = next(sights)
        with Live(draw_installation(seen), console=self._out, refresh_per_second=4) as drawing:
            for seen in sights:
                drawing.update(draw_installation(seen))
        return seen

    def _tell(self, sights: Iterator[InstallationShown], *, as_json: bool) -> InstallationShown:
        """Write a line for each change, to standard error where the data is to be JSON."""
        seen = self._say_changes(sights, self._err if as_json else self._out)
        if as_json:
            self.show(seen, as_json=True)
        else:
            self.write([*describe_head(seen), *describe_rest(seen)])
        return seen

    def _say_changes(self, sights: Iterator[InstallationShown], console: Console) -> InstallationShown:
        before, seen = None, next(sights)
        while seen is not before:
            for line in describe_changes(before, seen):
                console.print(line, markup=False, soft_wrap=True)
            before, seen = seen, next(sights, seen)
        return seen
