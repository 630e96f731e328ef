"""The commands about waivers: findings that somebody answers for until a day."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from deployments.api.waived import WaiverShown
from deployments.cli.options import AsJson, Reason
from deployments.cli.session import Session
from deployments.terminal.exits import ExitCode
from deployments.terminal.find import find_waiver, read_spot
from deployments.terminal.waivers import describe_waiver, draw_waivers


@dataclass(frozen=True)
class Answering:
    """Who answers for a finding, and how long."""

    owner: Annotated[str, typer.Option(metavar="WHO", help="Who answers for it.")]
    until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The last day on which it counts (UTC).")]

    @property
    def said(self) -> dict[str, str]:
        """The same, as the API takes it."""
        expires = self.until.replace(tzinfo=UTC) + timedelta(days=1)
        return {"owner": self.owner, "expiresAt": expires.isoformat()}


class Waivers:
    """Add, list and revoke."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(
        self,
        where: Annotated[str, typer.Argument(metavar="WHERE", help="Whose finding, as tenant/environment/plugin.")],
        finding: Annotated[str, typer.Argument(metavar="FINDING", help="As an objection names it: kind:id:subject.")],
        reason: Reason,
        answering: Answering,
        *,
        as_json: AsJson = False,
    ) -> int:
        """Waive one finding of one plugin until a day; every verdict that rests on it names it."""
        spot = read_spot(where)
        said = {"finding": finding, "reason": reason} | answering.said
        return self._show(self._session.server.waive(spot | said), as_json=as_json)

    def list_all(
        self,
        *,
        tenant: Annotated[str | None, typer.Option(help="Only of this tenant.")] = None,
        environment: Annotated[str | None, typer.Option(help="Only in dev, staging or prod.")] = None,
        as_json: AsJson = False,
    ) -> int:
        """List the waivers that you may see, those that count no longer too."""
        screen = self._session.screen
        found = list(self._session.server.waivers({"tenant": tenant, "environment": environment}))
        if as_json:
            screen.show_json([one.model_dump(mode="json", by_alias=True) for one in found])
        elif found:
            screen.draw(draw_waivers(found, datetime.now(UTC)))
        else:
            screen.say("there is no waiver that you may see")
        return ExitCode.OK

    def revoke(
        self,
        which: Annotated[str, typer.Argument(metavar="WAIVER", help="Id of the waiver, or the beginning of one.")],
        reason: Reason,
        *,
        as_json: AsJson = False,
    ) -> int:
        """Let a waiver count no longer: what serves goes on, what is planned with it is stale."""
        server = self._session.server
        return self._show(server.revoke_waiver(find_waiver(server, which), {"reason": reason}), as_json=as_json)

    def _show(self, waiver: WaiverShown, *, as_json: bool) -> int:
        screen = self._session.screen
        if as_json:
            screen.show_json(waiver.model_dump(mode="json", by_alias=True))
        else:
            screen.write(describe_waiver(waiver))
        return ExitCode.OK
