"""`pluginctl watch`, against a served API."""

import json
from typing import Any
from uuid import UUID

import pytest

from blocks.domain.journal import Reason
from blocks.domain.watch import Discovered, Done
from deployments.cli import run
from deployments.terminal.exits import ExitCode
from tests.deployments.conftest import Stage
from tests.deployments.scenes import put

NAME = "@backstage/plugin-catalog"
WHERE = f"default/dev/{NAME}"
ADD = ["watch", "add", WHERE, "--reason", "fixes"]
OPERATION = UUID("12345678-0000-0000-0000-000000000000")


def add(capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, Any]:
    """The watch that was added."""
    assert run([*ADD, *more, "--json"]) == ExitCode.OK
    shown: dict[str, Any] = json.loads(capsys.readouterr().out)
    return shown


def test_a_watch_is_added_listed_shown_changed_and_removed(
    signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    put(signed_in, capsys, request_file)
    made = add(capsys, "--action", "update", "--version", "^2", "--prereleases")
    assert (made["action"], made["version"], made["prereleases"], made["actor"]) == ("update", "^2", True, "ann")
    assert run(["watch", "list"]) == ExitCode.OK
    head, line = capsys.readouterr().out.splitlines()
    assert head.split() == ["ID", "TENANT", "ENV", "PLUGIN", "ACTION", "VERSION", "FOUND", "LOOKED", "STATE"]
    assert (line.split()[:5], line.split()[-1]) == ([made["id"][:8], "default", "dev", NAME, "update"], "new")
    assert run(["watch", "change", made["id"][:8], "--disabled", "--no-prereleases", "--reason", "release freeze"]) == ExitCode.OK
    told = capsys.readouterr().out
    assert ("update ^2\n" in told, "by ann" in told, "release freeze" in told, "nobody looks" in told) == (True, True, True, True)
    assert run(["watch", "remove", WHERE]) == ExitCode.OK
    assert run(["watch", "show", WHERE]) == ExitCode.NOT_FOUND
    assert f"there is no watch {WHERE}" in capsys.readouterr().err
    assert run(["watch", "list"]) == ExitCode.OK
    assert "there is no watch that you may see" in capsys.readouterr().err


def test_a_watch_shows_what_it_found_and_what_was_done(signed_in: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    watch = UUID(add(capsys)["id"])
    at = 1_700_000_000_000
    signed_in.record.see(
        watch,
        Discovered(f"{NAME}@2.2.0", at, Done.UPDATE_REQUESTED, operation=OPERATION),
        Discovered(f"{NAME}@2.1.0", at, Done.QUARANTINED, "it was rolled back here: slow"),
    )
    signed_in.record.fail_to_look(watch, Reason("transient", "the registry is away", "try again later"))
    assert run(["watch", "show", WHERE]) == ExitCode.OK
    told = capsys.readouterr().out
    assert "problem  the registry is away [transient]\n         try again later" in told
    first, second = told.splitlines()[-2:]
    assert first.split() == [f"{NAME}@2.2.0", *first.split()[1:3], "update-requested", "12345678"]
    assert second.endswith("it was rolled back here: slow")
    assert run(["watch", "list", "--json"]) == ExitCode.OK
    (listed,) = json.loads(capsys.readouterr().out)
    assert (listed["discovered"], listed["problem"]["code"]) == ([], "transient")


@pytest.mark.parametrize(
    ("options", "source"),
    [
        pytest.param([], None, id="where the installation has them"),
        pytest.param(
            ["--registry", "https://npm.example", "--token-ref", "npm"],
            {"type": "npm", "registry": "https://npm.example", "tokenRef": "npm"},
            id="another registry",
        ),
        pytest.param(["--folder", "hello"], {"type": "folder", "path": "hello"}, id="a folder"),
    ],
)
def test_releases_are_looked_for_in(
    options: list[str], source: object, signed_in: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    assert add(capsys, *options)["source"] == source


@pytest.mark.parametrize(
    ("command", "code", "says"),
    [
        pytest.param(["watch", "add", NAME, "--reason", "r"], ExitCode.WRONG_USE, "tenant/environment/plugin", id="of no tenant"),
        pytest.param(["watch", "add", WHERE], ExitCode.WRONG_USE, "--reason", id="without a reason"),
        pytest.param([*ADD, "--action", "install"], ExitCode.WRONG_USE, "record", id="with an action there is not"),
        pytest.param([*ADD, "--version", "newest"], ExitCode.WRONG_USE, "version: newest is neither", id="with no range"),
        pytest.param([*ADD, "--folder", "a", "--registry", "http://b"], ExitCode.WRONG_USE, "one place", id="in two places"),
        pytest.param([*ADD, "--action", "update"], ExitCode.CONFLICT, "set the action record", id="where nothing serves"),
        pytest.param(
            ["watch", "change", WHERE, "--reason", "r"], ExitCode.WRONG_USE, "nothing is to be changed", id="to nothing"
        ),
        pytest.param(["watch", "show", "catalog"], ExitCode.WRONG_USE, "does not name a watch", id="by a word"),
        pytest.param(["watch", "remove", "abcd"], ExitCode.NOT_FOUND, "there is no watch abcd", id="that is not there"),
    ],
)
def test_no_watch(command: list[str], code: ExitCode, says: str, signed_in: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command) == code
    assert says in capsys.readouterr().err
    assert signed_in.record.watched == {}
