"""The commands that look back: revisions, quarantine, timeline and audit."""

import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from deployments.cli.options import AsJson, Key, Reason, Which
from deployments.cli.session import Session
from deployments.terminal.exits import ExitCode
from deployments.terminal.past import describe_break, draw_moments, draw_quarantine, draw_revisions


class Past:
    """What was, and whether the record of it is whole."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def revisions(self, which: Which, *, as_json: AsJson = False) -> int:
        """List what served and serves, the last first."""
        session = self._session
        found = session.server.revisions(session.find(which))
        if as_json:
            session.screen.show_json(found.model_dump(mode="json", by_alias=True)["items"])
        elif found.items:
            session.screen.draw(draw_revisions(found.items))
        else:
            session.screen.say("nothing of it ever served")
        return ExitCode.OK

    def quarantine(self, which: Which, *, as_json: AsJson = False) -> int:
        """List the releases that were rolled back and are not tried again, and those that were let out."""
        session = self._session
        found = session.server.quarantine(session.find(which))
        if as_json:
            session.screen.show_json(found.model_dump(mode="json", by_alias=True)["items"])
        elif found.items:
            session.screen.draw(draw_quarantine(found.items))
        else:
            session.screen.say("no release of it is or was in quarantine")
        return ExitCode.OK

    def lift(
        self,
        which: Which,
        release: Annotated[str, typer.Argument(metavar="RELEASE", help="As name@version.")],
        reason: Reason,
        key: Key = None,
    ) -> int:
        """Let a release that was rolled back be tried again."""
        session = self._session
        session.server.lift(session.find(which), {"release": release, "reason": reason}, key)
        session.screen.say(f"{release} may be tried again")
        return ExitCode.OK

    def timeline(
        self, which: Which, *, jsonl: Annotated[bool, typer.Option("--jsonl", help="Print JSON, a line for each entry.")] = False
    ) -> int:
        """Show everything that happened on an installation: who, what, why, what came of it, how long it took."""
        session = self._session
        installation = session.find(which)
        if jsonl:
            return _pour(session.server.timeline_lines(installation))
        session.screen.draw(draw_moments(session.server.timeline(installation)))
        return ExitCode.OK

    def verify(self, *, as_json: AsJson = False) -> int:
        """Say whether the journal is as it was written, and name the first entry that was edited, removed or reordered."""
        session = self._session
        found = session.server.verify()
        if as_json:
            session.screen.show_json(found.model_dump(mode="json", by_alias=True))
        else:
            session.screen.write([describe_break(one) for one in found.broken])
            for remark in found.remarks:
                session.screen.say(remark)
            session.screen.say("the journal is whole" if found.whole else "the journal was altered")
        return ExitCode.OK if found.whole else ExitCode.FAILED

    def export(self) -> int:
        """Print every entry of the journal as JSON Lines."""
        return _pour(self._session.server.export())


def _pour(pieces: Iterator[str]) -> int:
    for piece in pieces:
        sys.stdout.write(piece)
    return ExitCode.OK
