"""`pluginctl`: install, watch, list, read and remove plugins from a terminal, through the API and with no right of its own.

To add a command: write a method of `Pluginctl` that asks `self.server` and shows, and name it in `make_cli`. Data goes to standard
output, everything that is said about it to standard error.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from blocks.domain.errors import PipelineError
from blocks.settings import read_settings
from deployments.api.identity import Expected
from deployments.api.release import own_version
from deployments.api.shapes import Accepted
from deployments.terminal.drawing import describe_head, draw_list
from deployments.terminal.exits import ExitCode, Stop, explain_codes
from deployments.terminal.files import find_address, read_request
from deployments.terminal.find import find_installation
from deployments.terminal.follow import Wait, judge_end
from deployments.terminal.screen import Screen
from deployments.terminal.server import Server, open_server
from deployments.tokens import make_access

APP = "plugin-pipeline"

Url: TypeAlias = Annotated[str | None, typer.Option(envvar="PLUGINCTL_URL", help="Address of the API.")]
Token: TypeAlias = Annotated[
    str | None, typer.Option(envvar="PLUGINCTL_TOKEN", help="Bearer token; prefer the variable, others can read command lines.")
]
Folder: TypeAlias = Annotated[
    Path | None, typer.Option(envvar="PLUGINCTL_FOLDER", help="Folder with the local token and URL, made by make run.")
]
Which: TypeAlias = Annotated[str, typer.Argument(metavar="ID", help="Id, the beginning of one, or tenant/environment/plugin.")]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Waiting: TypeAlias = Annotated[bool, typer.Option("--wait", help="Show the steps until the operation has ended.")]
Timeout: TypeAlias = Annotated[float, typer.Option(min=0, help="Seconds to wait at most.")]
RequestFile: TypeAlias = Annotated[str, typer.Option("--file", "-f", help="Request in JSON or YAML; - is standard input.")]
Key: TypeAlias = Annotated[
    str | None, typer.Option(help="Idempotency key: the same key and request is the same operation for 24 hours.")
]
LONG = 1800.0


class Pluginctl:
    """The commands and what they share: a screen, and the server once it is known."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self._given: tuple[str | None, str | None, Path | None] = (None, None, None)

    @property
    def folders(self) -> list[Path]:
        """Where the token and the URL may be, the first that has them wins."""
        usual = Path(typer.get_app_dir(APP))
        return [self._given[2], usual] if self._given[2] else [usual]

    @property
    def server(self) -> Server:
        """The API that was named, or the local one."""
        url, token, _ = self._given
        return open_server(find_address(url, token, self.folders))

    def begin(self, url: Url = None, token: Token = None, folder: Folder = None) -> None:
        """Install, watch and remove plugins of a developer portal, each installation as one transaction."""
        self._given = (url, token, folder)

    def install(
        self, file: RequestFile, *, wait: Waiting = False, key: Key = None, timeout: Timeout = LONG, as_json: AsJson = False
    ) -> int:
        """Install the plugin that a request names."""
        server = self.server
        return self._carry(server, server.install(read_request(file), key), timeout if wait else None, as_json=as_json)

    def uninstall(
        self,
        which: Which,
        *,
        drop_data: Annotated[bool, typer.Option("--drop-data", help="Drop the plugin's own database too.")] = False,
        wait: Waiting = False,
        timeout: Timeout = LONG,
        as_json: AsJson = False,
    ) -> int:
        """Take a plugin away; its database stays unless --drop-data is given."""
        server = self.server
        accepted = server.uninstall(find_installation(server, which), drop_data=drop_data)
        return self._carry(server, accepted, timeout if wait else None, as_json=as_json)

    def status(
        self,
        which: Which,
        *,
        follow_it: Annotated[bool, typer.Option("--follow", help="Go on until the operation has ended.")] = False,
        timeout: Timeout = LONG,
        as_json: AsJson = False,
    ) -> int:
        """Show an installation: what serves, the steps of its newest operation, and why it stands where it stands."""
        server = self.server
        seen = server.installation(find_installation(server, which))
        if follow_it:
            return self.screen.follow(server, Wait(seen.id, seen.operation.id, timeout), as_json=as_json)
        self.screen.show(seen, as_json=as_json)
        return ExitCode.OK

    def list_all(
        self,
        *,
        tenant: Annotated[str | None, typer.Option(help="Only of this tenant.")] = None,
        environment: Annotated[str | None, typer.Option(help="Only in dev, staging or prod.")] = None,
        phase: Annotated[str | None, typer.Option(help="Only where the newest operation is in this phase.")] = None,
        as_json: AsJson = False,
    ) -> int:
        """List the installations that you may see."""
        found = list(self.server.installations({"tenant": tenant, "environment": environment, "phase": phase}))
        if as_json:
            self.screen.show_json([one.model_dump(mode="json", by_alias=True) for one in found])
        elif found:
            self.screen.draw(draw_list(found))
        else:
            self.screen.say("there is no installation that you may see")
        return ExitCode.OK

    def logs(
        self,
        which: Which,
        *,
        tail: Annotated[int, typer.Option(min=1, max=10_000, help="Lines of each pod.")] = 200,
        as_json: AsJson = False,
    ) -> int:
        """Print the plugin's own last words."""
        server = self.server
        installation = find_installation(server, which)
        pieces = server.logs(installation, tail)
        if as_json:
            self.screen.show_json({"installation": str(installation), "lines": "".join(pieces).splitlines()})
            return ExitCode.OK
        for piece in pieces:
            sys.stdout.write(piece)
        return ExitCode.OK

    def report(self, which: Which, *, as_json: AsJson = False) -> int:
        """Print the account of the newest operation: what was resolved, built, scanned, judged and made."""
        server = self.server
        installation = find_installation(server, which)
        account = server.report(installation)
        if as_json:
            self.screen.show_json({"installation": str(installation), "report": account})
        else:
            self.screen.show_markdown(account)
        return ExitCode.OK

    def version(self, *, as_json: AsJson = False) -> int:
        """Say which release this is, and which one the server is."""
        try:
            server = str(self.server.status()["versions"]["pluginPipeline"])
        except Stop as stop:
            server = ""
            self.screen.say(f"the server's version is not known: {stop.message}")
        if as_json:
            self.screen.show_json({"pluginctl": own_version(), "server": server or None})
        else:
            self.screen.write([f"pluginctl {own_version()}", *([f"server {server}"] if server else [])])
        return ExitCode.OK

    def make_token(self) -> int:
        """Make the key and the token of a local pipeline, or renew them; `make run` calls this."""
        settings = read_settings()
        expected = Expected(settings.jwt_issuer, settings.jwt_audience)
        url = f"http://{settings.api_host}:{settings.api_port}"
        access = make_access(self.folders[0], settings.jwt_public_key, expected, url)
        self.screen.say(f"{'made' if access.renewed else 'kept'} the token in {access.token}")
        return ExitCode.OK

    def _carry(self, server: Server, accepted: Accepted, timeout: float | None, *, as_json: bool) -> int:
        """Say what was begun and, with a timeout, wait for its end."""
        if not accepted.created:
            self.screen.say(f"nothing new was begun: operation {accepted.operation} answers this request already")
        if timeout is not None and not accepted.status.is_final:
            return self.screen.follow(server, Wait(accepted.id, accepted.operation, timeout), as_json=as_json)
        if timeout is not None:
            self.screen.show(server.installation(accepted.id), as_json=as_json)
            return judge_end(accepted.status)
        if as_json:
            self.screen.show_json(accepted.model_dump(mode="json", by_alias=True))
            return ExitCode.OK
        self.screen.write(describe_head(server.installation(accepted.id)))
        self.screen.say(f"pluginctl status {accepted.id} --follow shows the steps")
        return ExitCode.OK


def make_cli() -> typer.Typer:
    """The commands, under the names that people type."""
    commands = Pluginctl(Screen())
    cli = typer.Typer(
        name="pluginctl",
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
        epilog=explain_codes(),
        rich_markup_mode="markdown",
    )
    cli.callback()(commands.begin)
    named: dict[str, Callable[..., int]] = {
        "install": commands.install,
        "status": commands.status,
        "list": commands.list_all,
        "logs": commands.logs,
        "report": commands.report,
        "uninstall": commands.uninstall,
        "version": commands.version,
        "make-token": commands.make_token,
    }
    for name, command in named.items():
        cli.command(name)(command)
    return cli


def run(arguments: Sequence[str]) -> int:
    """The exit code of one command line; whatever goes wrong is one sentence and a hint on standard error."""
    try:
        return int(make_cli()(arguments, prog_name="pluginctl", standalone_mode=False) or ExitCode.OK)
    except Stop as stop:
        sys.stderr.write(f"pluginctl: {stop}\n")
        return stop.code
    except PipelineError as problem:
        sys.stderr.write(f"pluginctl: {problem}\n")
        return ExitCode.FAILED
    except typer.TyperException as problem:
        sys.stderr.write(f"pluginctl: {problem.format_message()}\n  pluginctl --help and pluginctl COMMAND --help say how\n")
        return ExitCode.WRONG_USE


def main() -> None:
    """The entry point."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
