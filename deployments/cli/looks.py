"""The commands that only look."""

import sys
from typing import Annotated

import typer

from deployments.api.release import own_version
from deployments.cli.options import LONG, AsJson, Timeout, Which
from deployments.cli.session import Session
from deployments.terminal.drawing import draw_list
from deployments.terminal.exits import ExitCode, Stop
from deployments.terminal.follow import Wait


class Looks:
    """How things stand, what the plugin says, and which releases these are."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def status(
        self,
        which: Which,
        *,
        follow_it: Annotated[bool, typer.Option("--follow", help="Go on until the operation has ended.")] = False,
        timeout: Timeout = LONG,
        as_json: AsJson = False,
    ) -> int:
        """Show an installation: what serves, the steps of its newest operation, and why it stands where it stands."""
        server, screen = self._session.server, self._session.screen
        seen = server.installation(self._session.find(which), traffic=True)
        if follow_it:
            return screen.follow(server, Wait(seen.id, seen.operation.id, timeout), as_json=as_json)
        screen.show(seen, as_json=as_json)
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
        screen = self._session.screen
        found = list(self._session.server.installations({"tenant": tenant, "environment": environment, "phase": phase}))
        if as_json:
            screen.show_json([one.model_dump(mode="json", by_alias=True) for one in found])
        elif found:
            screen.draw(draw_list(found))
        else:
            screen.say("there is no installation that you may see")
        return ExitCode.OK

    def logs(
        self,
        which: Which,
        *,
        tail: Annotated[int, typer.Option(min=1, max=10_000, help="Lines of each pod.")] = 200,
        as_json: AsJson = False,
    ) -> int:
        """Print the plugin's own last words."""
        installation = self._session.find(which)
        pieces = self._session.server.logs(installation, tail)
        if as_json:
            self._session.screen.show_json({"installation": str(installation), "lines": "".join(pieces).splitlines()})
            return ExitCode.OK
        for piece in pieces:
            sys.stdout.write(piece)
        return ExitCode.OK

    def report(self, which: Which, *, as_json: AsJson = False) -> int:
        """Print the account of the newest operation: what was resolved, built, scanned, judged and made."""
        installation = self._session.find(which)
        account = self._session.server.report(installation)
        if as_json:
            self._session.screen.show_json({"installation": str(installation), "report": account})
        else:
            self._session.screen.show_markdown(account)
        return ExitCode.OK

    def version(self, *, as_json: AsJson = False) -> int:
        """Say which release this is, and which one the server is."""
        screen = self._session.screen
        try:
            server = str(self._session.server.status()["versions"]["pluginPipeline"])
        except Stop as stop:
            server = ""
            screen.say(f"the server's version is not known: {stop.message}")
        if as_json:
            screen.show_json({"pluginctl": own_version(), "server": server or None})
        else:
            screen.write([f"pluginctl {own_version()}", *([f"server {server}"] if server else [])])
        return ExitCode.OK
