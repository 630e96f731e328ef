"""What the commands share: a screen, and the server once it is known."""

from pathlib import Path
from uuid import UUID

import typer

from blocks.domain.journal import Phase
from deployments.api.shapes import Accepted, PlanShown
from deployments.cli.options import Doing, Folder, Token, Url
from deployments.terminal.drawing import describe_head, draw_removal
from deployments.terminal.exits import ExitCode, Stop
from deployments.terminal.files import find_address
from deployments.terminal.find import find_installation
from deployments.terminal.follow import Wait, judge_end, look
from deployments.terminal.plan import draw_plan
from deployments.terminal.screen import Screen
from deployments.terminal.server import Server, open_server

APP = "plugin-pipeline"


class Session:
    """One command line: where it asks, and where it shows what was answered."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self._given: tuple[str | None, str | None, Path | None] = (None, None, None)
        self._server: Server | None = None

    def begin(self, url: Url = None, token: Token = None, folder: Folder = None) -> None:
        """Install, update, roll back and remove plugins of a developer portal, each operation as one transaction."""
        self._given = (url, token, folder)

    @property
    def folders(self) -> list[Path]:
        """Where the token and the URL may be, the first that has them wins."""
        usual = Path(typer.get_app_dir(APP))
        return [self._given[2], usual] if self._given[2] else [usual]

    @property
    def server(self) -> Server:
        """The API that was named, or the local one."""
        if self._server is None:
            url, token, _ = self._given
            self._server = open_server(find_address(url, token, self.folders))
        return self._server

    def find(self, which: str) -> UUID:
        """The installation that is meant, or `Stop`."""
        return find_installation(self.server, which)

    def carry(self, accepted: Accepted, doing: Doing, wanted: Phase = Phase.SUCCEEDED) -> int:
        """Say what was begun and, if that is wanted, wait for its end; `wanted` is the end that counts as good."""
        if not accepted.created:
            self.screen.say(f"nothing new was begun: operation {accepted.operation} answers this request already")
        wait = Wait(accepted.id, accepted.operation, doing.timeout, wanted)
        if doing.wait and not accepted.status.is_final:
            return self.screen.follow(self.server, wait, as_json=doing.as_json)
        if doing.wait:
            self.screen.show(self.server.installation(accepted.id), as_json=doing.as_json)
            return judge_end(accepted.status, wanted)
        if doing.as_json:
            self.screen.show_json(accepted.model_dump(mode="json", by_alias=True))
            return ExitCode.OK
        self.screen.write(describe_head(look(self.server, wait)))
        self.screen.say(f"pluginctl status {accepted.id} --follow shows the steps")
        return ExitCode.OK

    def show_plan(self, plan: PlanShown, *, as_json: bool) -> None:
        """Show the plan as people like to read it, or whole for programs."""
        if as_json:
            self.screen.show_json(plan.model_dump(mode="json", by_alias=True))
            return
        try:
            drawn = draw_removal(plan) if plan.verb == "uninstall" else draw_plan(plan.document, plan.hash)
        except (LookupError, TypeError, AttributeError) as problem:
            said = "the plan was made by another release than this pluginctl and cannot be drawn"
            raise Stop(
                ExitCode.UNREACHABLE, said, "see pluginctl version; --json of pluginctl plan shows it as it is"
            ) from problem
        self.screen.draw(drawn)
