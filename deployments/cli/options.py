"""The arguments and options of `pluginctl`, each said once."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from deployments.terminal.exits import ExitCode, Stop

LONG = 1800.0

Url: TypeAlias = Annotated[str | None, typer.Option(envvar="PLUGINCTL_URL", help="Address of the API.")]
Token: TypeAlias = Annotated[
    str | None, typer.Option(envvar="PLUGINCTL_TOKEN", help="Bearer token; prefer the variable, others can read command lines.")
]
Folder: TypeAlias = Annotated[
    Path | None, typer.Option(envvar="PLUGINCTL_FOLDER", help="Folder with the local token and URL, made by make run.")
]
Which: TypeAlias = Annotated[str, typer.Argument(metavar="ID", help="Id, the beginning of one, or tenant/environment/plugin.")]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Timeout: TypeAlias = Annotated[float, typer.Option(min=0, help="Seconds to wait at most.")]
Key: TypeAlias = Annotated[
    str | None, typer.Option(help="Idempotency key: the same key and request is the same operation for 24 hours.")
]
Reason: TypeAlias = Annotated[str, typer.Option(help="Why; it stays in the timeline.")]
PlanHash: TypeAlias = Annotated[str | None, typer.Option("--plan", metavar="HASH", help="Apply this plan and nothing else.")]


@dataclass(frozen=True)
class FromFile:
    """Where the request is."""

    file: Annotated[str | None, typer.Argument(metavar="FILE", help="Request in JSON or YAML; - is standard input.")] = None
    named: Annotated[str | None, typer.Option("--file", "-f", metavar="FILE", help="The same.")] = None

    @property
    def name(self) -> str:
        """The file's name, or `Stop` if none or more than one is given."""
        given = [name for name in (self.file, self.named) if name is not None]
        if len(given) != 1:
            said = "a request is needed" if not given else f"{self.file} and {self.named} are two requests"
            raise Stop(ExitCode.WRONG_USE, said, "give one FILE, or --file FILE; - is standard input")
        return given[0]


@dataclass(frozen=True)
class Doing:
    """How something is asked for, and what is seen of it."""

    wait: Annotated[bool, typer.Option("--wait", help="Show the steps until the operation has ended.")] = False
    timeout: Timeout = LONG
    key: Key = None
    as_json: AsJson = False

    @property
    def patience(self) -> float | None:
        """Seconds to wait for the end, or None not to wait."""
        return self.timeout if self.wait else None


@dataclass(frozen=True)
class Ballot:
    """What is said about a plan."""

    comment: Annotated[str, typer.Option(help="What you say to it; it stays in the timeline.")]
    plan_hash: Annotated[str | None, typer.Option("--hash", help="The plan that was read; if left out, the one that stands.")] = (
        None
    )
    yes: Annotated[bool, typer.Option("--yes", help="Do not show the plan and ask; needs --hash.")] = False
