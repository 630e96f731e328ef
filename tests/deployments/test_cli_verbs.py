"""`pluginctl` with every verb and word, against a served API."""

import json
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from blocks.domain.journal import Kind, Reason
from deployments.cli import run
from deployments.terminal.exits import ExitCode
from tests.deployments.builders import make_body, make_token
from tests.deployments.conftest import PlayedRecord, Stage
from tests.deployments.scenes import Scenes, fails, put, succeeds, type_in_terminal

WHERE = "default/dev/@backstage/plugin-catalog"
OTHER = "2.0.9"


@pytest.fixture
def other_file(tmp_path: Path) -> str:
    """A request for the next release."""
    path = tmp_path / "other.json"
    path.write_text(json.dumps(make_body(plugin=make_body()["plugin"] | {"version": OTHER})))
    return str(path)


def ends(record: PlayedRecord, operation: UUID) -> Scenes:
    """An operation that ends well at the first look."""
    return [lambda: record.succeed(operation)]


def planning(stage: Stage, changes: int = 1) -> Callable[[PlayedRecord, UUID], Scenes]:
    """A plan that comes to so many changes."""

    def scenes(record: PlayedRecord, operation: UUID) -> Scenes:
        return [lambda: stage.make_plan(operation, changes), lambda: record.succeed(operation)]

    return scenes


def waits(stage: Stage) -> Callable[[PlayedRecord, UUID], Scenes]:
    """An operation that is planned and then waits for an approval."""
    return lambda _, operation: [lambda: stage.park(operation)]


def verbs(stage: Stage) -> list[tuple[str, str]]:
    """Every operation's verb and phase, in their order."""
    return [(one.view.verb, one.view.phase.value) for one in stage.record.asked.values()]


@pytest.mark.parametrize(
    ("changes", "code"), [pytest.param(0, 0, id="nothing to do is 0"), pytest.param(3, 2, id="changes are 2")]
)
def test_a_plan_says_with_its_code_that(
    changes: int, code: int, signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    signed_in.plan = planning(signed_in, changes)
    assert run(["plan", request_file, "--json"]) == code
    told = capsys.readouterr()
    shown = json.loads(told.out)
    assert (shown["changes"], shown["hash"][:7], shown["document"]["schema"]) == (changes, "sha256:", 2)
    assert "make_plan done" in told.err
    assert verbs(signed_in) == [("plan", "succeeded")]


def test_a_plan_is_drawn(signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    signed_in.plan = planning(signed_in)
    assert run(["plan", request_file]) == 2
    assert "1 object is created" in capsys.readouterr().out


def test_a_plan_of_another_release_is_not_drawn_but_can_be_had(
    signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def scenes(record: PlayedRecord, operation: UUID) -> Scenes:
        def make() -> None:
            signed_in.make_plan(operation)
            signed_in.documents["sha256:document"] = b'{"schema": 3}'
            record.succeed(operation)

        return [make]

    signed_in.plan = scenes
    assert run(["plan", request_file]) == ExitCode.UNREACHABLE
    assert "another release" in capsys.readouterr().err
    assert run(["plan", request_file, "--json"]) == 2


def test_a_plan_that_fails_is_1_with_its_reason(signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    signed_in.plan = fails
    assert run(["plan", request_file]) == ExitCode.FAILED
    told = capsys.readouterr()
    assert (told.out, "there is no release 99\n  ask for 2.0.8" in told.err) == ("", True)


@pytest.mark.parametrize(
    "command", [["plan"], ["plan", "nowhere.json"], ["plan", "FILE", "--jsn"], ["plan", "FILE", "--timeout", "x"]]
)
def test_a_plan_that_was_not_asked_for_rightly_is_not_taken_for_changes(
    command: list[str], signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([request_file if word == "FILE" else word for word in command]) == ExitCode.FAILED
    assert signed_in.record.asked == {}


def test_a_plan_that_was_read_can_be_installed_and_nothing_else(signed_in: Stage, request_file: str) -> None:
    digest = f"sha256:{'ab' * 32}"
    assert run(["install", request_file, "--plan", digest]) == ExitCode.OK
    (asked,) = signed_in.record.asked.values()
    assert asked.view.wish.plan_hash == digest
    assert run(["install", request_file, "--plan", "abc"]) == ExitCode.WRONG_USE


def test_one_request_is_named_once(signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["install", request_file, "--file", "other.json"]) == ExitCode.WRONG_USE
    assert "are two requests" in capsys.readouterr().err
    assert signed_in.record.asked == {}


def test_an_update_wants_something_that_serves(
    signed_in: Stage, request_file: str, other_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["update", request_file]) == ExitCode.CONFLICT
    assert "there is nothing to update" in capsys.readouterr().err
    put(signed_in, capsys, request_file)
    assert run(["update", other_file, "--wait"]) == ExitCode.OK
    assert verbs(signed_in) == [("install", "succeeded"), ("update", "succeeded")]


def test_an_update_of_nothing_is_wrong_use(signed_in: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.json").write_text("{}")
    assert run(["update", str(tmp_path / "empty.json")]) == ExitCode.WRONG_USE
    assert "names no plugin" in capsys.readouterr().err


def test_the_way_back_its_quarantine_and_the_way_out_of_it(
    signed_in: Stage, request_file: str, other_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    put(signed_in, capsys, request_file)
    assert run(["update", other_file, "--wait"]) == ExitCode.OK
    assert run(["rollback", WHERE, "--reason", "it is slow", "--wait"]) == ExitCode.OK
    assert "rolled back" in capsys.readouterr().out
    assert run(["revisions", WHERE]) == ExitCode.OK
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split() == ["REVISION", "RELEASE", "SERVED", "STATE", "IMAGE"]
    assert (first.split()[4], second.split()[4]) == ("serves", "quarantined")
    assert run(["rollback", WHERE, "--reason", "again", "--to", "2"]) == ExitCode.CONFLICT
    assert run(["quarantine", WHERE]) == ExitCode.OK
    told = capsys.readouterr()
    assert ("it is slow" in told.out, "lift its quarantine" in told.err) == (True, True)
    bad = f"@backstage/plugin-catalog@{OTHER}"
    assert run(["lift", WHERE, bad, "--reason", "mended"]) == ExitCode.OK
    assert run(["lift", WHERE, bad, "--reason", "mended"]) == ExitCode.CONFLICT
    assert run(["quarantine", WHERE, "--json"]) == ExitCode.OK
    (one,) = json.loads(capsys.readouterr().out)
    assert (one["release"], one["liftedBy"], one["liftedWhy"]) == (bad, "ann", "mended")
    assert run(["rollback", WHERE, "--reason", "again", "--to", "2", "--wait"]) == ExitCode.OK
    capsys.readouterr()
    assert run(["revisions", WHERE, "--json"]) == ExitCode.OK
    assert [(one["number"], one["serving"]) for one in json.loads(capsys.readouterr().out)] == [(2, True), (1, False)]


def test_what_serves_is_switched_off_and_on_and_started_anew(
    signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    put(signed_in, capsys, request_file)
    assert run(["disable", WHERE, "--reason", "maintenance", "--wait"]) == ExitCode.OK
    assert "disabled @backstage/plugin-catalog@2.0.8" in capsys.readouterr().out
    assert run(["disable", WHERE, "--reason", "maintenance"]) == ExitCode.CONFLICT
    assert run(["enable", WHERE, "--wait"]) == ExitCode.OK
    assert run(["reload", WHERE, "--wait", "--json"]) == ExitCode.OK
    assert [verb for verb, _ in verbs(signed_in)] == ["install", "disable", "enable", "reload"]


REASONED = ["rollback", "disable", "cancel", "freeze", "unfreeze", "promote", "retry", "pause", "resume", "abort"]


@pytest.mark.parametrize("command", REASONED)
def test_a_reason_is_needed_to(command: str, signed_in: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, WHERE]) == ExitCode.WRONG_USE
    assert "--reason" in capsys.readouterr().err


@pytest.mark.parametrize(("stop", "go_on"), [("freeze", "unfreeze"), ("pause", "resume")])
def test_a_freeze_is_shown_with_what_leads_on(
    stop: str, go_on: str, signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    signed_in.plan = lambda record, operation: [lambda: record.tell(operation, "resolve", Kind.INTENDED)]
    run(["install", request_file, "--wait", "--timeout", "0"])
    assert run([stop, WHERE, "--reason", "wait", "--wait"]) == ExitCode.OK
    capsys.readouterr()
    assert run(["status", WHERE]) == ExitCode.OK
    told = capsys.readouterr().out
    assert ("install frozen" in told, "pluginctl retry" in told, "ann froze it: wait" in told) == (True, True, True)
    signed_in.plan = ends
    assert run([go_on, WHERE, "--reason", "go", "--wait"]) == ExitCode.OK


@pytest.mark.parametrize("word", ["cancel", "abort"])
def test_a_cancel_takes_back(word: str, signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["install", request_file]) == ExitCode.OK
    assert run([word, WHERE, "--reason", "no need", "--wait"]) == ExitCode.OK
    assert "ann cancelled it: no need [cancelled]" in capsys.readouterr().out
    assert verbs(signed_in) == [("install", "withdrawn")]


def undecided(record: PlayedRecord, operation: UUID) -> Scenes:
    """A stage of which only a person can say how to go on."""
    question = json.dumps({"why": vars(Reason("undecided", "no requests were answered; go on or back?"))})

    def park() -> None:
        record.tell(operation, "watch_stage:1", Kind.INTENDED)
        record.tell(operation, "watch_stage:1", Kind.PARKED, question)

    return [park]


def test_a_stage_that_waits_says_why_and_is_promoted(
    signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    signed_in.plan = undecided
    run(["install", request_file, "--wait", "--timeout", "0"])
    assert "waits    no requests were answered; go on or back?" in capsys.readouterr().out
    assert run(["status", WHERE]) == ExitCode.OK
    told = capsys.readouterr().out
    assert ("install waiting" in told, "pluginctl promote" in told, "waits    no requests were answered" in told) == (True,) * 3
    signed_in.plan = passes
    assert run(["promote", WHERE, "--reason", "I tried it", "--wait"]) == ExitCode.OK
    assert " s: a person promoted it" in capsys.readouterr().out


def passes(record: PlayedRecord, operation: UUID) -> Scenes:
    """The stage is over, and all goes well."""
    over = json.dumps({"why": "a person promoted it", "next": 2})
    return [lambda: record.tell(operation, "watch_stage:1", Kind.DONE, over), lambda: record.succeed(operation)]


@pytest.mark.parametrize(
    ("flags", "fully"), [pytest.param([], False, id="this stage"), pytest.param(["--fully"], True, id="all before the last")]
)
def test_a_promotion_is_of(flags: list[str], fully: bool, signed_in: Stage, request_file: str) -> None:  # noqa: FBT001
    run(["install", request_file])
    (operation,) = signed_in.record.asked
    signed_in.record.tell(operation, "watch_stage:1", Kind.INTENDED)
    assert run(["promote", WHERE, "--reason", "I tried it", *flags]) == ExitCode.OK
    assert json.loads(signed_in.record.asked[operation].entries[-1].payload) == {"fully": fully, "reason": "I tried it"}


def test_a_stage_must_be_watched_to_be_promoted(signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    put(signed_in, capsys, request_file)
    assert run(["promote", WHERE, "--reason", "go"]) == ExitCode.CONFLICT
    assert "no stage is watched" in capsys.readouterr().err


def test_a_retry_asks_for_the_same_again(signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    signed_in.plan = fails
    assert run(["install", request_file, "--wait"]) == ExitCode.FAILED
    signed_in.plan = succeeds
    assert run(["retry", WHERE, "--reason", "published by now", "--wait"]) == ExitCode.OK
    assert verbs(signed_in) == [("install", "withdrawn"), ("install", "succeeded")]


def test_a_retry_of_what_cannot_be_taken_back_accepts_that_it_stays(signed_in: Stage, request_file: str) -> None:
    run(["install", request_file])
    (operation,) = signed_in.record.asked
    signed_in.record.tell(operation, "hand_over_data", Kind.INTENDED)
    signed_in.record.tell(operation, "operation", Kind.FAILED, '{"code": "refused", "message": "no", "hint": ""}')
    signed_in.record.freeze_at(operation, Reason("point-of-no-return", "the new tables stay"))
    assert run(["retry", WHERE, "--reason", "they may", "--accept-remaining"]) == ExitCode.OK
    assert signed_in.record.asked[operation].entries[-1].payload == '{"acceptRemaining":true,"reason":"they may"}'


@pytest.fixture
def as_bob(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From here on it is bob who types."""
    return lambda: monkeypatch.setenv("PLUGINCTL_TOKEN", make_token(sub="bob"))


@pytest.fixture
def waiting(signed_in: Stage, request_file: str, as_bob: Callable[[], None], capsys: pytest.CaptureFixture[str]) -> Stage:
    """What ann asked for waits for an approval, and it is bob who types."""
    signed_in.plan = waits(signed_in)
    run(["install", request_file, "--wait", "--timeout", "0"])
    run(["status", WHERE])
    capsys.readouterr()
    signed_in.plan = ends
    as_bob()
    return signed_in


HASH = f"sha256:{'ab' * 32}"


def test_what_waits_says_how_to_approve_it(waiting: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["status", WHERE]) == ExitCode.OK
    told = capsys.readouterr().out
    assert "waits    for approval by 1 admin or approver, not ann" in told
    assert f"--hash {HASH}" in told
    assert run(["approvals"]) == ExitCode.OK
    _, line = capsys.readouterr().out.splitlines()
    assert (line.split()[5], line.split()[-1]) == ("ann", HASH)


def test_a_plan_that_was_read_is_approved_without_a_question(waiting: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["approve", WHERE, "--hash", HASH, "--comment", "fine", "--yes", "--wait"]) == ExitCode.OK
    assert verbs(waiting) == [("install", "succeeded")]
    capsys.readouterr()
    assert run(["approvals"]) == ExitCode.OK
    assert "nothing waits for your word" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "code", "phase"),
    [
        pytest.param("y\n", ExitCode.OK, "succeeded", id="yes is an approval"),
        pytest.param("n\n", ExitCode.FAILED, "parked", id="no is none"),
        pytest.param("\n", ExitCode.FAILED, "parked", id="nothing is none"),
    ],
)
def test_in_a_terminal_the_plan_is_shown_and_one_is_asked(typed: str, code: ExitCode, phase: str, waiting: Stage) -> None:
    ended, told = type_in_terminal(["approve", WHERE, "--comment", "fine", "--wait"], typed)
    assert (ended, verbs(waiting)) == (code, [("install", phase)]), told
    assert "1 object is created" in told
    assert f"approve exactly {HASH}?" in told


def test_what_goes_is_shown_before_one_says_yes_to_that(
    signed_in: Stage, request_file: str, as_bob: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    put(signed_in, capsys, request_file)
    signed_in.plan = lambda _, operation: [lambda: signed_in.park(operation, step="recall_plan")]
    run(["uninstall", WHERE, "--wait", "--timeout", "0"])
    run(["status", WHERE])
    signed_in.plan = ends
    as_bob()
    ended, told = type_in_terminal(["approve", WHERE, "--comment", "fine", "--wait"], "y\n")
    assert ended == ExitCode.OK, told
    assert ("- Service/catalog" in told, "1 objects go" in told) == (True, True)
    assert verbs(signed_in) == [("install", "succeeded"), ("uninstall", "succeeded")]


def test_another_plan_is_not_approved(waiting: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    other = f"sha256:{'00' * 32}"
    assert run(["approve", WHERE, "--hash", other, "--comment", "fine", "--yes"]) == ExitCode.CONFLICT
    assert f"not {other}" in capsys.readouterr().err
    assert verbs(waiting) == [("install", "parked")]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        pytest.param(["--yes"], ExitCode.WRONG_USE, "give its --hash too", id="unread"),
        pytest.param([], ExitCode.WRONG_USE, "nobody is there to be asked", id="where nobody can be asked"),
    ],
)
def test_a_plan_is_not_approved(
    words: list[str], code: ExitCode, says: str, waiting: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["approve", WHERE, "--comment", "fine", *words]) == code
    assert says in capsys.readouterr().err
    assert verbs(waiting) == [("install", "parked")]


def test_nobody_approves_what_they_asked_for(
    waiting: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PLUGINCTL_TOKEN", make_token(sub="ann"))
    command = ["approve", WHERE, "--hash", HASH, "--comment", "fine", "--yes"]
    assert run(command) == ExitCode.NOT_ALLOWED
    assert "nobody answers for a plan of their own" in capsys.readouterr().err


def test_a_refusal_is_the_way_back(waiting: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["refuse", WHERE, "--comment", "too large", "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["status"] == "undoing"
    assert verbs(waiting) == [("install", "undoing")]


@pytest.mark.parametrize("word", ["approve", "refuse"])
def test_nobody_answers_without_a_word(word: str, waiting: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([word, WHERE, "--hash", HASH]) == ExitCode.WRONG_USE
    assert "--comment" in capsys.readouterr().err
    assert verbs(waiting) == [("install", "parked")]


def test_there_must_be_something_to_approve(signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    put(signed_in, capsys, request_file)
    assert run(["approve", WHERE, "--hash", HASH, "--comment", "fine", "--yes"]) == ExitCode.CONFLICT
    assert "waits for no approval: it is succeeded" in capsys.readouterr().err


def test_a_timeline_is_told_and_comes_as_json_lines(
    signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    installed = put(signed_in, capsys, request_file)
    assert run(["timeline", WHERE]) == ExitCode.OK
    head, first, last = capsys.readouterr().out.splitlines()
    assert head.split() == ["AT", "OPERATION", "ACTOR", "STEP", "WHAT", "TOOK", "RESULT"]
    assert (first.split()[4:7], last.split()[4:7]) == (["ann", "operation", "requested"], ["worker", "operation", "finished"])
    assert run(["timeline", installed["id"], "--jsonl"]) == ExitCode.OK
    assert [json.loads(line)["kind"] for line in capsys.readouterr().out.splitlines()] == ["requested", "finished"]


def test_an_audit_names_the_first_entry_that_was_edited(
    signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    put(signed_in, capsys, request_file)
    assert run(["audit", "verify"]) == ExitCode.OK
    assert "the journal is whole" in capsys.readouterr().err
    (asked,) = signed_in.record.asked.values()
    asked.entries[0] = type(asked.entries[0])(**{**vars(asked.entries[0]), "actor": "mallory"})
    assert run(["audit", "verify"]) == ExitCode.FAILED
    assert capsys.readouterr().out == f"{asked.view.id}  entry 1  edited\n"
    assert run(["audit", "verify", "--json"]) == ExitCode.FAILED
    assert json.loads(capsys.readouterr().out)["whole"] is False


def test_an_audit_is_copied_out(signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    put(signed_in, capsys, request_file)
    assert run(["audit", "export"]) == ExitCode.OK
    assert [json.loads(line)["seq"] for line in capsys.readouterr().out.splitlines()] == [1]


def test_an_audit_is_not_for_everybody(signed_in: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLUGINCTL_TOKEN", make_token(roles=["developer"]))
    assert run(["audit", "verify"]) == run(["audit", "export"]) == ExitCode.NOT_ALLOWED


def test_the_same_key_is_the_same_word(signed_in: Stage, request_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    put(signed_in, capsys, request_file)
    signed_in.plan = lambda *_: []
    for _ in range(2):
        assert run(["reload", WHERE, "--key", "k"]) == ExitCode.OK
    assert "nothing new was begun" in capsys.readouterr().err
    assert [verb for verb, _ in verbs(signed_in)] == ["install", "reload"]
