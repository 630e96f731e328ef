"""`pluginctl`, against a served API."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml

from blocks.domain.asking import Wish
from blocks.domain.errors import Refused, Transient
from blocks.domain.journal import Kind, Reason
from deployments.api.identity import Caller, Role, read_verifier
from deployments.cli import run
from deployments.terminal import follow
from deployments.terminal.exits import MEANING, ExitCode
from tests.deployments.builders import EXPECTED, make_body, make_token, read_cases
from tests.deployments.conftest import PlayedRecord, Stage
from tests.deployments.scenes import Scenes, fails, put, succeeds, type_in_terminal

ROOT = Path(__file__).resolve().parents[2]


def test_install_says_what_was_begun_and_how_to_go_on(
    signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["install", "-f", request_file]) == ExitCode.OK
    told = capsys.readouterr()
    assert "default/dev/@backstage/plugin-catalog  install requested" in told.out
    assert "--follow shows the steps" in told.err
    assert len(signed_in.started) == 1


def test_install_and_wait_tells_every_step_in_plain_lines(
    signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    signed_in.plan = succeeds
    assert run(["install", "-f", request_file, "--wait"]) == ExitCode.OK
    lines = capsys.readouterr().out.splitlines()
    steps = [line.split(" ", 1)[1] for line in lines[:-2]]
    assert steps in (
        ["resolve running", "resolve done in 1.0 s", "build running", "build done in 1.0 s"],
        ["resolve done in 1.0 s", "build running", "build done in 1.0 s"],
        ["resolve done in 1.0 s", "build done in 1.0 s"],
    )
    assert lines[-1].startswith("serves   @backstage/plugin-catalog@2.0.8 at http://")


def test_an_operation_that_fails_is_exit_code_1_with_its_reason(
    signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    signed_in.plan = fails
    assert run(["install", "-f", request_file, "--wait"]) == ExitCode.FAILED
    told = capsys.readouterr().out
    assert "install failed" in told
    assert "reason   there is no release 99 [unresolvable]" in told
    assert "ask for 2.0.8" in told


def test_json_on_standard_output_is_nothing_but_json(
    signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    signed_in.plan = succeeds
    assert run(["install", "-f", request_file, "--wait", "--json"]) == ExitCode.OK
    told = capsys.readouterr()
    assert json.loads(told.out)["phase"] == "succeeded"
    assert "build done" in told.err


def test_the_same_request_again_is_said_to_be_nothing_new(
    signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    put(signed_in, capsys, request_file)
    assert run(["install", "-f", request_file, "--wait"]) == ExitCode.OK
    assert "nothing new was begun" in capsys.readouterr().err
    assert len(signed_in.started) == 1


def test_the_same_key_answers_with_its_own_operation_and_not_with_the_newest(
    signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    signed_in.plan = fails
    assert run(["install", "-f", request_file, "--key", "k", "--wait"]) == ExitCode.FAILED
    capsys.readouterr()
    put(signed_in, capsys, request_file)
    assert run(["install", "-f", request_file, "--key", "k", "--wait"]) == ExitCode.FAILED


def test_a_wait_that_is_too_long_leaves_the_operation_running(
    signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["install", "-f", request_file, "--wait", "--timeout", "0"]) == ExitCode.TIMED_OUT
    assert "it goes on" in capsys.readouterr().err


def test_a_later_operation_does_not_stand_for_the_one_that_is_waited_for(
    signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def overtake(record: PlayedRecord, operation: UUID) -> Scenes:
        def both() -> None:
            record.succeed(operation)
            installation = record.asked[operation].installation
            row = {"verb": "uninstall", "revision": 1, "request": record.asked[operation].body, "priority": 1}
            later = record.begin(installation, "bob", Wish(), row)
            record.withdraw(later, Reason("refused", "no"))

        return [lambda: None, both]

    signed_in.plan = overtake
    assert run(["install", "-f", request_file, "--wait"]) == ExitCode.OK


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Whoever runs the tests in the background of a script ignores the signal, and its children would too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_leaves_the_operation_running(signed_in: Stage, request_file: str) -> None:
    signed_in.plan = lambda record, operation: [lambda: record.tell(operation, "resolve", Kind.INTENDED)]
    command = [sys.executable, "-m", "deployments.cli", "install", "-f", request_file, "--wait"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=os.environ | {"PYTHONUNBUFFERED": "1"}
    ) as process:
        assert process.stdout
        assert "resolve running" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == ExitCode.INTERRUPTED
    assert "the operation goes on without you" in said
    assert [one.view.phase.value for one in signed_in.record.asked.values()] == ["applying"]


def test_a_server_that_is_away_for_a_moment_is_asked_again(
    signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def falter(record: PlayedRecord, operation: UUID) -> Scenes:
        def fall() -> None:
            record.broken = Transient("the database did not answer")

        def rise() -> None:
            record.broken = None
            record.succeed(operation)

        return [lambda: None, fall, rise]

    signed_in.plan = falter
    assert run(["install", "-f", request_file, "--wait"]) == ExitCode.OK


def test_a_server_that_stays_away_ends_the_wait(
    signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fall(record: PlayedRecord, operation: UUID) -> Scenes:
        def break_it() -> None:
            record.broken = Transient("the database did not answer", "see whether it runs")

        return [lambda: None, break_it]

    monkeypatch.setattr(follow, "PATIENCE", 0.05)
    signed_in.plan = fall
    assert run(["install", "-f", request_file, "--wait"]) == ExitCode.UNREACHABLE
    assert "the database did not answer" in capsys.readouterr().err


def test_status_shows_what_serves_and_the_steps(signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    signed_in.plan = succeeds
    run(["install", "-f", request_file, "--wait"])
    capsys.readouterr()
    assert run(["status", "default/dev/@backstage/plugin-catalog"]) == ExitCode.OK
    told = capsys.readouterr().out
    assert "installed" in told
    assert "✓  resolve  done  1.0 s" in told
    assert "1.0 s" in told


def test_status_of_something_that_failed_is_not_a_failed_command(
    signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    signed_in.plan = fails
    run(["install", "-f", request_file, "--wait"])
    assert run(["status", "default/dev/backstage-plugin-catalog"]) == ExitCode.OK
    assert run(["status", "default/dev/backstage-plugin-catalog", "--follow"]) == ExitCode.FAILED


def test_lists_are_whole_lines(signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    installed = put(signed_in, capsys, request_file)
    assert run(["list"]) == ExitCode.OK
    head, line = capsys.readouterr().out.splitlines()
    assert head.split() == ["ID", "TENANT", "ENV", "PLUGIN", "STATE", "RELEASE", "URL"]
    assert line.split() == [
        installed["id"][:8], "default", "dev", "@backstage/plugin-catalog", "installed", "2.0.8", installed["revision"]["url"],
    ]  # fmt: skip


def test_lists_are_filtered_and_come_as_json(signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    installed = put(signed_in, capsys, request_file)
    assert run(["list", "--tenant", "default", "--phase", "succeeded", "--json"]) == ExitCode.OK
    assert [one["id"] for one in json.loads(capsys.readouterr().out)] == [installed["id"]]
    assert run(["list", "--tenant", "nobody", "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out) == []


@pytest.mark.parametrize("said", ["whole", "beginning", "capitals", "default/dev/@backstage/plugin-catalog"])
def test_an_installation_is_named_by(said: str, signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    installation = put(signed_in, capsys, request_file)["id"]
    name = {"whole": installation, "beginning": installation[:6], "capitals": installation[:6].upper()}.get(said, said)
    assert run(["status", name, "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["id"] == installation


def test_a_beginning_of_two_names_neither(signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    put(signed_in, capsys, request_file)
    (view,) = signed_in.record.installed.values()
    twin = UUID(int=view.id.int ^ 1)
    signed_in.record.installed[twin] = type(view)(**{**vars(view), "id": twin, "tenant": "twin"})
    signed_in.record.begin(twin, "ann", Wish(), {"verb": "install", "revision": 1, "request": "", "priority": 1})
    assert run(["status", str(view.id)[:8]]) == ExitCode.WRONG_USE
    assert "twin/dev/@backstage/plugin-catalog" in capsys.readouterr().err


def test_logs_are_printed_as_they_are(signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    installation = put(signed_in, capsys, request_file)["id"]
    assert run(["logs", installation, "--tail", "1"]) == ExitCode.OK
    assert capsys.readouterr().out == "ready\n"
    assert run(["logs", installation, "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["lines"] == ["listening on 3000", "ready"]


def test_logs_that_cannot_be_read_are_said(signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    installation = put(signed_in, capsys, request_file)["id"]
    signed_in.logs_are_away = Refused("the cluster said no", "give it rights")
    assert run(["logs", installation]) == ExitCode.UNREACHABLE
    assert capsys.readouterr().err == "pluginctl: the cluster said no\n  give it rights\n"


def test_a_report_is_markdown(signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    installation = put(signed_in, capsys, request_file)["id"]
    assert run(["report", installation]) == ExitCode.OK
    told = capsys.readouterr().out
    assert told.startswith("# install @backstage/plugin-catalog for default/dev: succeeded")
    assert f"- installation: {signed_in.url}/api/v1/installations/{installation}" in told
    assert run(["report", installation, "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["report"] == told


@pytest.mark.parametrize(
    ("flags", "drops"),
    [pytest.param([], [False], id="keeps the data"), pytest.param(["--drop-data"], [True], id="drops it")],
)
def test_uninstall(
    flags: list[str], drops: list[bool], signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    installation = put(signed_in, capsys, request_file)["id"]
    assert run(["uninstall", installation, *flags, "--wait", "--json"]) == ExitCode.OK
    told = json.loads(capsys.readouterr().out)
    assert (told["operation"]["verb"], told["phase"], told["revision"]) == ("uninstall", "succeeded", None)
    assert [one.view.wish.drop_data for one in signed_in.record.asked.values()] == [False, *drops]
    assert run(["uninstall", installation]) == ExitCode.CONFLICT


def test_version_tells_both(signed_in: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["version", "--json"]) == ExitCode.OK
    told = json.loads(capsys.readouterr().out)
    assert told["pluginctl"] == told["server"]


def test_version_works_without_a_server(
    signed_in: Stage, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLUGINCTL_URL", "http://127.0.0.1:1")
    assert run(["version"]) == ExitCode.OK
    told = capsys.readouterr()
    assert told.out.startswith("pluginctl ")
    assert "not known" in told.err


@pytest.mark.parametrize("case", read_cases("commands.json"), ids=lambda case: case["rule"])
def test_a_command(case: dict[str, Any], signed_in: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "request"
    path.write_text(case.get("file", ""))
    code = run([str(path) if word == "FILE" else word for word in case["command"]])
    told = capsys.readouterr()
    assert (code, told.out) == (case["exit"], "")
    assert case["says"] in told.err
    assert told.err.startswith("pluginctl: ")
    assert "Traceback" not in told.err
    assert signed_in.record.asked == {}


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        pytest.param({"roles": ["viewer"]}, ExitCode.NOT_ALLOWED, id="without the role"),
        pytest.param({"exp": 1}, ExitCode.NOT_ALLOWED, id="with a token that has run out"),
    ],
)
def test_installing_is_not_allowed(
    claims: dict[str, Any], code: ExitCode, signed_in: Stage, request_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLUGINCTL_TOKEN", make_token(**claims))
    assert run(["install", "-f", request_file]) == code
    assert signed_in.record.asked == {}


def test_yaml_is_read_from_standard_input(signed_in: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-m", "deployments.cli", "install", "-f", "-", "--json"]
    done = subprocess.run(command, input=yaml.safe_dump(make_body()), capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == ExitCode.OK, done.stderr
    assert json.loads(done.stdout)["created"] is True


def test_the_local_token_is_found_by_itself(
    signed_in: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PLUGINCTL_URL")
    monkeypatch.delenv("PLUGINCTL_TOKEN")
    assert run(["list"]) == ExitCode.NOT_ALLOWED
    assert "there is no token" in capsys.readouterr().err
    folder = tmp_path / "config/plugin-pipeline"
    folder.mkdir(parents=True)
    (folder / "token").write_text(f"{make_token()}\n")
    (folder / "url").write_text(f"{signed_in.url}\n")
    assert run(["list", "--json"]) == ExitCode.OK


def test_make_token_leaves_what_the_command_line_finds(
    signed_in: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JWT_PUBLIC_KEY", str(tmp_path / "token.pub"))
    assert run(["make-token"]) == ExitCode.OK
    assert run(["make-token"]) == ExitCode.OK
    told = capsys.readouterr().err
    assert "made the token" in told
    assert "kept the token" in told
    assert (tmp_path / "config/plugin-pipeline/token").exists()
    assert (tmp_path / "token.pub").exists()


def test_make_token_as_somebody_else_prints_what_the_api_takes(
    signed_in: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["make-token", "--as", "bob", "--role", "approver", "--role", "viewer", "--tenant", "acme"]
    assert run(command) == ExitCode.FAILED
    assert "there is no signing key" in capsys.readouterr().err
    monkeypatch.setenv("JWT_PUBLIC_KEY", str(tmp_path / "token.pub"))
    assert run(["make-token"]) == ExitCode.OK
    kept = (tmp_path / "config/plugin-pipeline/token").read_text()
    assert run(command) == ExitCode.OK
    caller = read_verifier(tmp_path / "token.pub", EXPECTED).verify(capsys.readouterr().out.strip())
    assert caller == Caller("bob", frozenset({"acme"}), frozenset({Role.APPROVER, Role.VIEWER}))
    assert (tmp_path / "config/plugin-pipeline/token").read_text() == kept
    assert run(["make-token", "--role", "admin"]) == ExitCode.WRONG_USE


def test_help_names_every_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == ExitCode.OK
    told = " ".join(capsys.readouterr().out.split())
    assert not [code for code, meaning in MEANING.items() if f"{code.value}: {meaning}" not in told]


def test_in_a_terminal_the_steps_are_drawn_live(signed_in: Stage, request_file: str) -> None:
    signed_in.plan = succeeds
    code, told = type_in_terminal(["install", "-f", request_file, "--wait"])
    assert code == ExitCode.OK, told
    assert "\x1b[" in told
    assert "✓" in told
    assert "serves   @backstage/plugin-catalog@2.0.8" in told
