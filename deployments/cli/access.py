"""The command with which a local pipeline gets its tokens."""

from typing import Annotated

import typer

from blocks.settings import read_settings
from deployments.api.identity import Expected, Role
from deployments.cli.session import Session
from deployments.terminal.exits import ExitCode, Stop
from deployments.tokens import Person, issue_token, make_access


class Access:
    """Who may come in on this machine."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def make_token(
        self,
        *,
        subject: Annotated[
            str | None, typer.Option("--as", metavar="NAME", help="Print a token for this person instead.")
        ] = None,
        role: Annotated[list[Role] | None, typer.Option(help="A role of that person; may be given again.")] = None,
        tenant: Annotated[list[str] | None, typer.Option(help="A tenant of that person; all if none is named.")] = None,
    ) -> int:
        """Make the key and the token of a local pipeline, or renew them; `make run` calls this.

        With --as it prints a token for somebody else, good for a day: to try on one machine what takes two people.
        """
        settings = read_settings()
        expected = Expected(settings.jwt_issuer, settings.jwt_audience)
        folder, screen = self._session.folders[0], self._session.screen
        if subject is not None:
            person = Person(subject, tuple(one.value for one in role or ()), tuple(tenant or ()))
            screen.write([issue_token(folder, expected, person)])
            return ExitCode.OK
        if role or tenant:
            raise Stop(ExitCode.WRONG_USE, "--role and --tenant are those of somebody else", "say whose with --as NAME")
        url = f"http://{settings.api_host}:{settings.api_port}"
        access = make_access(folder, settings.jwt_public_key, expected, url)
        screen.say(f"{'made' if access.renewed else 'kept'} the token in {access.token}")
        return ExitCode.OK
