"""The commands about sets: several plugins as one."""

from typing import Annotated, TypeAlias
from uuid import UUID

import typer

from blocks.domain.journal import Phase
from deployments.api.set_shown import SetShown
from deployments.cli.options import AsJson, Doing, FromFile, Reason
from deployments.cli.session import Session
from deployments.terminal.exits import ExitCode
from deployments.terminal.files import read_request
from deployments.terminal.sets import await_set, describe_set

SetId: TypeAlias = Annotated[UUID, typer.Argument(metavar="ID", help="Id of the set.")]
SetHash: TypeAlias = Annotated[str, typer.Option("--hash", help="The hash of the set whose plans were read.")]
Comment: TypeAlias = Annotated[str, typer.Option(help="What you say to it; it stays in the timeline.")]


class Sets:
    """Install, look at, approve and cancel."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def install(self, request: FromFile, doing: Doing) -> int:
        """Install or update the plugins that a request names, stage by stage together, and take all back if one is bad."""
        server = self._session.server
        accepted = server.install_set(read_request(request.name), doing.key)
        if not accepted.created:
            self._session.screen.say("nothing new was begun: all of it serves already, or is on its way")
        seen = server.plugin_set(accepted.id)
        if not doing.wait:
            return self._show(seen, as_json=doing.as_json)
        ended = await_set(server, seen, doing.timeout)
        self._show(ended, as_json=doing.as_json)
        return ExitCode.OK if ended.phase is Phase.SUCCEEDED else ExitCode.FAILED

    def status(self, which: SetId, *, as_json: AsJson = False) -> int:
        """Show a set: where it stands, the bad plugin if there is one, and how far each is."""
        return self._show(self._session.server.plugin_set(which), as_json=as_json)

    def approve(self, which: SetId, plans: SetHash, comment: Comment, *, as_json: AsJson = False) -> int:
        """Approve all plans of a set at once."""
        return self._say(which, "approve", {"hash": plans, "comment": comment}, as_json=as_json)

    def cancel(self, which: SetId, reason: Reason, *, as_json: AsJson = False) -> int:
        """Take all plugins of a set back."""
        return self._say(which, "cancel", {"reason": reason}, as_json=as_json)

    def _say(self, which: UUID, word: str, body: dict[str, str], *, as_json: bool) -> int:
        server = self._session.server
        server.say_to_set(which, word, body)
        return self._show(server.plugin_set(which), as_json=as_json)

    def _show(self, seen: SetShown, *, as_json: bool) -> int:
        screen = self._session.screen
        if as_json:
            screen.show_json(seen.model_dump(mode="json", by_alias=True))
        else:
            screen.write(describe_set(seen))
        return ExitCode.OK
