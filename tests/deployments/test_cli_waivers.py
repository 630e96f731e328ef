"""`pluginctl waiver`, against a served API."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from deployments.cli import run
from deployments.terminal.exits import ExitCode
from tests.deployments.conftest import Stage

WHERE = "default/dev/@backstage/plugin-catalog"
FINDING = "vulnerability:CVE-2026-0001:lodash"


def add(until: datetime) -> list[str]:
    """The command that waives the finding until that day."""
    said = ["--owner", "team-search", "--reason", "never called", "--until", f"{until:%Y-%m-%d}"]
    return ["waiver", "add", WHERE, FINDING, *said]


def test_a_waiver_is_added_listed_and_revoked(signed_in: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    until = datetime.now(UTC) + timedelta(days=30)
    assert run([*add(until), "--json"]) == ExitCode.OK
    made = json.loads(capsys.readouterr().out)
    # The whole day counts.
    assert made["expiresAt"].startswith(f"{until + timedelta(days=1):%Y-%m-%d}T00:00:00")
    assert run(["waiver", "list"]) == ExitCode.OK
    head, line = capsys.readouterr().out.splitlines()
    assert head.split() == ["ID", "TENANT", "ENV", "PLUGIN", "FINDING", "OWNER", "UNTIL", "STATE"]
    assert (line.split()[0], line.split()[4:6], line.split()[-1]) == (made["id"][:8], [FINDING, "team-search"], "stands")
    assert run(["waiver", "revoke", made["id"][:8], "--reason", "it is called"]) == ExitCode.OK
    told = capsys.readouterr().out
    assert ("owner    team-search" in told, "never called" in told, "it is called" in told) == (True, True, True)
    assert run(["waiver", "list", "--tenant", "default"]) == ExitCode.OK
    assert capsys.readouterr().out.split()[-1] == "revoked"
    assert len(signed_in.record.waived) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        pytest.param(["waiver", "list"], ExitCode.OK, "there is no waiver that you may see", id="none"),
        pytest.param(["waiver", "revoke", "abcd", "--reason", "x"], ExitCode.NOT_FOUND, "there is no waiver abcd", id="unknown"),
        pytest.param(add(datetime.now(UTC) - timedelta(days=3)), ExitCode.CONFLICT, "has run out waives nothing", id="run out"),
        pytest.param(
            ["waiver", "add", "dev/x", FINDING, "--owner", "o", "--reason", "r", "--until", "2026-01-01"],
            ExitCode.WRONG_USE,
            "does not name a plugin somewhere",
            id="no place",
        ),
    ],
)
def test_what_cannot_be_done_is_said(
    signed_in: Stage, capsys: pytest.CaptureFixture[str], arguments: list[str], code: ExitCode, told: str
) -> None:
    assert run(arguments) == code
    assert told in capsys.readouterr().err
    assert signed_in.record.waived == {}
