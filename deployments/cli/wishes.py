"""The commands that change an installation, and the one that says what would change."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from blocks.domain.journal import Phase
from deployments.cli.options import LONG, AsJson, Doing, FromFile, PlanHash, Reason, Timeout, Which
from deployments.cli.session import Session
from deployments.terminal.exits import ExitCode, PlanCode, Stop
from deployments.terminal.files import read_request
from deployments.terminal.follow import Wait


class Wishes:
    """Install, update, plan, uninstall, roll back, and the three switches."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def install(self, request: FromFile, doing: Doing, plan: PlanHash = None) -> int:
        """Install the plugin that a request names; where something else of it serves, this is the update."""
        return self._install(read_request(request.name), doing, plan)

    def update(self, request: FromFile, doing: Doing, plan: PlanHash = None) -> int:
        """Update the plugin that a request names: another release, another configuration, or both."""
        body = read_request(request.name)
        self._must_serve(body)
        return self._install(body, doing, plan)

    def plan(self, request: FromFile, *, timeout: Timeout = LONG, as_json: AsJson = False) -> int:
        """Show what installing or updating would do, and do nothing. Exit code 0: nothing to do, 2: changes, 1: it would fail."""
        try:
            return self._plan(read_request(request.name), timeout, as_json=as_json)
        except Stop as stop:
            # 2 says that there are changes, so whatever else would be 2 is 1 here.
            code = ExitCode.FAILED if stop.code is ExitCode.WRONG_USE else stop.code
            raise Stop(code, stop.message, stop.hint, stop.lines) from stop

    def uninstall(
        self,
        which: Which,
        doing: Doing,
        *,
        drop_data: Annotated[bool, typer.Option("--drop-data", help="Drop the plugin's own database too.")] = False,
    ) -> int:
        """Take a plugin away; its database stays unless --drop-data is given."""
        session = self._session
        accepted = session.server.uninstall(session.find(which), drop_data=drop_data, key=doing.key)
        return session.carry(accepted, doing)

    def rollback(
        self,
        which: Which,
        reason: Reason,
        doing: Doing,
        *,
        to: Annotated[
            int | None, typer.Option("--to", min=1, help="Number of the revision; if left out, the last good one.")
        ] = None,
    ) -> int:
        """Go back to an earlier revision: image, configuration and lock together; what served goes into quarantine."""
        named = {} if to is None else {"revision": to}
        return self._say("rollback", which, {"reason": reason, **named}, doing)

    def enable(self, which: Which, doing: Doing, *, reason: Reason = "") -> int:
        """Let what was disabled serve again."""
        return self._say("enable", which, {"reason": reason}, doing)

    def disable(self, which: Which, reason: Reason, doing: Doing) -> int:
        """Let the route answer 503 and scale the plugin to nothing; its data and revisions stay."""
        return self._say("disable", which, {"reason": reason}, doing)

    def reload(self, which: Which, doing: Doing, *, reason: Reason = "") -> int:
        """Start the same revision anew, pod by pod, while it serves."""
        return self._say("reload", which, {"reason": reason}, doing)

    def _install(self, body: Any, doing: Doing, plan: str | None) -> int:
        return self._session.carry(self._session.server.install(body, doing.key, plan), doing)

    def _say(self, verb: str, which: str, body: Mapping[str, object], doing: Doing) -> int:
        session = self._session
        return session.carry(session.server.say(session.find(which), verb, body, doing.key), doing)

    def _plan(self, body: Any, timeout: float, *, as_json: bool) -> int:
        session = self._session
        accepted = session.server.plan(body)
        ended = session.screen.await_end(session.server, Wait(accepted.id, accepted.operation, timeout))
        if ended.phase is not Phase.SUCCEEDED:
            reason = ended.operation.reason
            said = (reason.message, reason.hint) if reason else (f"the plan was not made: it is {ended.phase}", "")
            raise Stop(ExitCode.FAILED, *said)
        plan = session.server.plan_of(accepted.id, accepted.operation)
        session.show_plan(plan, as_json=as_json)
        return PlanCode.CHANGES if plan.changes else PlanCode.NOTHING

    def _must_serve(self, body: Any) -> None:
        plugin, tenant, environment = _named(body)
        there = self._session.server.installations({"tenant": tenant, "environment": environment})
        if not any(one.plugin == plugin and one.revision for one in there):
            said = f"nothing of {plugin} serves for {tenant}/{environment}, so there is nothing to update"
            raise Stop(ExitCode.CONFLICT, said, "pluginctl install puts it up")


def _named(body: Any) -> tuple[str, str, str]:
    """Plugin, tenant and environment of a request that nobody has checked yet; the server says what is wrong with one without a name."""
    plugin = body.get("plugin") if isinstance(body, dict) else None
    if not isinstance(plugin, dict) or not isinstance(plugin.get("name"), str):
        raise Stop(ExitCode.WRONG_USE, "the request names no plugin", "the API's page /api/docs has examples")
    return plugin["name"], str(body.get("tenant", "default")), str(body.get("environment", "dev"))
