"""The commands about watches: whose releases are looked for, and what a new one leads to."""

from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import typer

from blocks.domain.watch import Action
from deployments.api.watched import WatchShown
from deployments.cli.options import AsJson, Reason
from deployments.cli.session import Session
from deployments.terminal.exits import ExitCode, Stop
from deployments.terminal.find import find_watch, read_spot
from deployments.terminal.watches import describe_watch, draw_discovered, draw_watches

Which: TypeAlias = Annotated[
    str, typer.Argument(metavar="WATCH", help="Id of the watch, the beginning of one, or tenant/environment/plugin.")
]
Where: TypeAlias = Annotated[str, typer.Argument(metavar="WHAT", help="What to watch, as tenant/environment/plugin.")]


@dataclass(frozen=True)
class FromWhere:
    """Where releases are looked for, if not where the installation has them from."""

    registry: Annotated[str | None, typer.Option(metavar="URL", help="Only to hear of releases: another npm registry.")] = None
    token_ref: Annotated[str | None, typer.Option(metavar="NAME", help="Name of the token that opens it.")] = None
    folder: Annotated[str | None, typer.Option(metavar="PATH", help="A plugin folder with a service instead of npm.")] = None

    @property
    def said(self) -> dict[str, Any]:
        """What was said of the source, as the API takes it."""
        if self.folder is not None:
            if self.registry or self.token_ref:
                raise Stop(ExitCode.WRONG_USE, "a watch looks in one place", "give --folder or --registry")
            return {"source": {"type": "folder", "path": self.folder}}
        npm = {"registry": self.registry, "tokenRef": self.token_ref}
        given = {name: value for name, value in npm.items() if value is not None}
        return {"source": {"type": "npm", **given}} if given else {}


@dataclass(frozen=True)
class Saying:
    """Which releases count, and what a new one leads to."""

    action: Annotated[Action | None, typer.Option(help="Only record a new release, plan it, or request the update.")] = None
    version: Annotated[str | None, typer.Option(metavar="RANGE", help="Only releases in this npm range count.")] = None
    prereleases: Annotated[bool | None, typer.Option("--prereleases/--no-prereleases", help="Prereleases count too.")] = None
    enabled: Annotated[bool | None, typer.Option("--enabled/--disabled", help="Whether anybody looks.")] = None

    @property
    def said(self) -> dict[str, Any]:
        """What was said, as the API takes it."""
        action = self.action.value if self.action else None
        named = {"action": action, "version": self.version, "prereleases": self.prereleases, "enabled": self.enabled}
        return {name: value for name, value in named.items() if value is not None}


class Watches:
    """Add, list, show, change and remove."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, where: Where, reason: Reason, saying: Saying, source: FromWhere, *, as_json: AsJson = False) -> int:
        """Watch the releases of a plugin; an update is requested for whoever may approve it, exactly as if a person had asked."""
        spot = read_spot(where)
        return self._show(self._session.server.set_watch(spot | saying.said | source.said | {"reason": reason}), as_json=as_json)

    def list_all(
        self,
        *,
        tenant: Annotated[str | None, typer.Option(help="Only of this tenant.")] = None,
        environment: Annotated[str | None, typer.Option(help="Only in dev, staging or prod.")] = None,
        as_json: AsJson = False,
    ) -> int:
        """List the watches that you may see."""
        screen = self._session.screen
        found = list(self._session.server.watches({"tenant": tenant, "environment": environment}))
        if as_json:
            screen.show_json([one.model_dump(mode="json", by_alias=True) for one in found])
        elif found:
            screen.draw(draw_watches(found))
        else:
            screen.say("there is no watch that you may see")
        return ExitCode.OK

    def show(self, which: Which, *, as_json: AsJson = False) -> int:
        """Show a watch: when somebody last looked, which releases were found, and what was done about each."""
        server = self._session.server
        return self._show(server.watch(find_watch(server, which)), as_json=as_json)

    def change(self, which: Which, reason: Reason, saying: Saying, source: FromWhere, *, as_json: AsJson = False) -> int:
        """Change what is named and leave the rest as it is; --disabled looks no more and forgets nothing."""
        said = saying.said | source.said
        if not said:
            raise Stop(ExitCode.WRONG_USE, "nothing is to be changed", "give --action, --version, --disabled …")
        server = self._session.server
        return self._show(server.change_watch(find_watch(server, which), said | {"reason": reason}), as_json=as_json)

    def remove(self, which: Which) -> int:
        """Look no more and forget what was found; what was requested because of it goes on."""
        server = self._session.server
        server.remove_watch(find_watch(server, which))
        self._session.screen.say("nobody looks any more")
        return ExitCode.OK

    def _show(self, watch: WatchShown, *, as_json: bool) -> int:
        screen = self._session.screen
        if as_json:
            screen.show_json(watch.model_dump(mode="json", by_alias=True))
            return ExitCode.OK
        screen.write(describe_watch(watch))
        if watch.discovered:
            screen.draw(draw_discovered(watch))
        return ExitCode.OK
