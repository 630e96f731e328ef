"""The commands with which people have a say on the newest operation of an installation."""

from typing import Annotated

import typer

from blocks.domain.journal import Phase
from deployments.api.shapes import InstallationShown
from deployments.cli.options import AsJson, Ballot, Doing, Reason, Which
from deployments.cli.session import Session
from deployments.terminal.drawing import draw_approvals
from deployments.terminal.exits import ExitCode, Stop

REFUSE = "refuse"


class Words:
    """Cancel, freeze, unfreeze, promote, retry, approve and refuse."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def cancel(self, which: Which, reason: Reason, doing: Doing) -> int:
        """Take an operation back, in whatever phase it is."""
        return self._say("cancel", which, {"reason": reason}, doing, Phase.WITHDRAWN)

    def freeze(self, which: Which, reason: Reason, doing: Doing) -> int:
        """Stop an operation where it stands, until somebody says how to go on."""
        return self._say("freeze", which, {"reason": reason}, doing, Phase.FROZEN)

    def unfreeze(self, which: Which, reason: Reason, doing: Doing) -> int:
        """Let an operation go on in the direction in which it was frozen."""
        return self._say("unfreeze", which, {"reason": reason}, doing)

    def promote(
        self,
        which: Which,
        reason: Reason,
        doing: Doing,
        *,
        fully: Annotated[bool, typer.Option(help="Go on to the last stage: all requests at once, and watched there.")] = False,
    ) -> int:
        """Say that the stage of a canary that is watched now is good enough."""
        return self._say("promote", which, {"reason": reason, "fully": fully}, doing)

    def retry(
        self,
        which: Which,
        reason: Reason,
        doing: Doing,
        *,
        accept_remaining: Annotated[bool, typer.Option(help="Leave what cannot be taken back as it is.")] = False,
    ) -> int:
        """Try again what froze, or ask once more for what failed before it had a plan."""
        return self._say("retry", which, {"reason": reason, "acceptRemaining": accept_remaining}, doing)

    def approve(self, which: Which, ballot: Ballot, doing: Doing) -> int:
        """Approve exactly one plan; it is shown first, and you are asked."""
        if ballot.yes and not ballot.plan_hash:
            raise Stop(ExitCode.WRONG_USE, "--yes says yes to a plan that was read", "give its --hash too")
        seen = self._waiting(which)
        said = ballot.plan_hash
        if not ballot.yes:
            plan = self._session.server.plan_of(seen.id, seen.operation.id)
            self._session.show_plan(plan, as_json=False)
            said = said or plan.hash
            self._session.screen.must_agree(f"approve exactly {said}?")
        return self._vote("approve", seen, {"hash": said, "comment": ballot.comment}, doing)

    def refuse(self, which: Which, ballot: Ballot, doing: Doing) -> int:
        """Refuse a plan; the operation ends, and what it prepared is taken back."""
        seen = self._waiting(which)
        standing = seen.operation.approval
        said = ballot.plan_hash or (standing.hash if standing else "")
        return self._vote(REFUSE, seen, {"hash": said, "comment": ballot.comment}, doing)

    def approvals(self, *, as_json: AsJson = False) -> int:
        """List what waits for your word."""
        screen, found = self._session.screen, self._session.server.approvals()
        if as_json:
            screen.show_json([one.model_dump(mode="json", by_alias=True) for one in found])
        elif found:
            screen.draw(draw_approvals(found))
        else:
            screen.say("nothing waits for your word")
        return ExitCode.OK

    def _say(self, verb: str, which: str, body: dict[str, object], doing: Doing, wanted: Phase = Phase.SUCCEEDED) -> int:
        session = self._session
        return session.carry(session.server.say(session.find(which), verb, body, doing.key), doing, wanted)

    def _vote(self, verb: str, seen: InstallationShown, body: dict[str, object], doing: Doing) -> int:
        session = self._session
        accepted = session.server.say(seen.id, f"operations/{seen.operation.id}/{verb}", body, doing.key)
        return session.carry(accepted, doing, Phase.WITHDRAWN if verb == REFUSE else Phase.SUCCEEDED)

    def _waiting(self, which: str) -> InstallationShown:
        seen = self._session.server.installation(self._session.find(which))
        if seen.operation.approval is None:
            said = f"{seen.operation.verb} of {seen.plugin} waits for no approval: it is {seen.phase}"
            raise Stop(ExitCode.CONFLICT, said, "pluginctl approvals lists what waits for your word")
        return seen
