"""`pluginctl`: every verb of the pipeline from a terminal, through the API and with no right of its own.

To add a command: write a method of the class that it fits (`wishes.py`, `words.py`, `looks.py`, `past.py`, `watches.py`, `waivers.py`,
`sets.py`) that asks `session.server` and shows, and name it in `name_commands`. Data goes to standard output, everything that is said about
it to standard error.
"""

import sys
from collections.abc import Callable, Mapping, Sequence

import typer

from blocks.domain.errors import PipelineError
from deployments.cli.access import Access
from deployments.cli.flat import flatten
from deployments.cli.looks import Looks
from deployments.cli.past import Past
from deployments.cli.session import Session
from deployments.cli.sets import Sets
from deployments.cli.waivers import Waivers
from deployments.cli.watches import Watches
from deployments.cli.wishes import Wishes
from deployments.cli.words import Words
from deployments.terminal.exits import ExitCode, Stop, explain_codes
from deployments.terminal.screen import Screen

PLAN = "plan"
Commands = Mapping[str, Mapping[str, Callable[..., int]]]


def name_commands(session: Session) -> Commands:
    """The commands under the names that people type, in the groups in which the help shows them."""
    wishes, words, looks, past = Wishes(session), Words(session), Looks(session), Past(session)
    change = (wishes.install, wishes.update, wishes.rollback, wishes.enable, wishes.disable, wishes.reload, wishes.uninstall)
    say = (words.approvals, words.approve, words.refuse, words.cancel, words.freeze, words.unfreeze, words.promote, words.retry)
    # what hands that know Argo Rollouts type
    known = {"pause": words.freeze, "resume": words.unfreeze, "abort": words.cancel}
    look_back = (past.revisions, past.quarantine, past.lift, past.timeline)
    look = (looks.status, looks.logs, looks.report, looks.version)
    return {
        "Change": {PLAN: wishes.plan} | {one.__name__: one for one in change},
        "Have a say": {one.__name__: one for one in say} | known,
        "Look": {"list": looks.list_all} | {one.__name__: one for one in (*look, *look_back)},
        "Set up": {"make-token": Access(session).make_token},
    }


def make_cli() -> typer.Typer:
    """The whole command line."""
    session = Session(Screen())
    cli = typer.Typer(
        name="pluginctl",
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
        epilog=explain_codes(),
        rich_markup_mode="markdown",
    )
    cli.callback()(session.begin)
    for group, commands in name_commands(session).items():
        for name, command in commands.items():
            cli.command(name, rich_help_panel=group)(flatten(command))
    past = Past(session)
    audit = typer.Typer(no_args_is_help=True, help="Check the journal of everything, or copy it out.")
    audit.command("verify")(flatten(past.verify))
    audit.command("export")(flatten(past.export))
    cli.add_typer(audit, name="audit", rich_help_panel="Look")
    cli.add_typer(make_watch(Watches(session)), name="watch", rich_help_panel="Change")
    cli.add_typer(make_waiver(Waivers(session)), name="waiver", rich_help_panel="Have a say")
    cli.add_typer(make_set(Sets(session)), name="set", rich_help_panel="Change")
    return cli


def make_set(sets: Sets) -> typer.Typer:
    """The commands about sets."""
    made = typer.Typer(no_args_is_help=True, help="Install several plugins as one, and take all of them back if one is bad.")
    named: Mapping[str, Callable[..., int]] = {
        one.__name__: one for one in (sets.install, sets.status, sets.approve, sets.cancel)
    }
    for name, command in named.items():
        made.command(name)(flatten(command))
    return made


def make_waiver(waivers: Waivers) -> typer.Typer:
    """The commands about waivers."""
    waiver = typer.Typer(no_args_is_help=True, help="Answer for a finding until a day, so that the gates let it through.")
    named: Mapping[str, Callable[..., int]] = {"add": waivers.add, "list": waivers.list_all, "revoke": waivers.revoke}
    for name, command in named.items():
        waiver.command(name)(flatten(command))
    return waiver


def make_watch(watches: Watches) -> typer.Typer:
    """The commands about watches."""
    watch = typer.Typer(
        no_args_is_help=True, help="Look for new releases on a schedule, and update to them where that is wanted."
    )
    named: Mapping[str, Callable[..., int]] = {
        "add": watches.add,
        "list": watches.list_all,
        "show": watches.show,
        "change": watches.change,
        "remove": watches.remove,
    }
    for name, command in named.items():
        watch.command(name)(flatten(command))
    return watch


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
        return _wrong_use(problem)


def main() -> None:
    """The entry point."""
    sys.exit(run(sys.argv[1:]))


def _wrong_use(problem: typer.TyperException) -> ExitCode:
    """2 says wrong use, but from a plan 2 says that there are changes."""
    context = getattr(problem, "ctx", None)
    return ExitCode.FAILED if context is not None and context.info_name == PLAN else ExitCode.WRONG_USE
