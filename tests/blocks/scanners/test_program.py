"""A scanner's program runs alone: with no setting of the machine, and leaving nothing behind."""

import asyncio
from pathlib import Path

import pytest

from blocks.scanners.program import Answer, Program
from tests.blocks.scanners.contract import has_ended
from tests.fakes.scanners import FakeProgram


@pytest.fixture
def program(tmp_path: Path) -> FakeProgram:
    """One that says a word."""
    fake = FakeProgram(tmp_path, "scanner")
    fake.answer("look", "seen", "done", 3)
    return fake


async def test_gives_both_streams_and_the_exit_code(program: FakeProgram) -> None:
    """Whatever they mean."""
    assert await Program(str(program.path), 30).run("look") == Answer(3, "seen", "done")


async def test_machine_settings_do_not_reach_it(program: FakeProgram, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that nobody weakens a scan by accident; what it is given by us does."""
    monkeypatch.setenv("TRIVY_SEVERITY", "CRITICAL")
    await Program(str(program.path), 30, {"OURS": "1"}).run("look")
    assert "TRIVY_SEVERITY" not in program.seen
    assert program.seen["OURS"] == "1"


async def test_runs_in_a_folder_of_its_own_that_is_gone_afterwards(program: FakeProgram, tmp_path: Path) -> None:
    """An ignore file that lies about is not read."""
    (program.folder / "look").write_text("pwd; ls -A | wc -l\n")
    where, files = (await Program(str(program.path), 30).run("look")).out.split()
    assert files == "0"
    assert where == program.seen["HOME"]
    assert not Path(where).exists()


async def test_says_of_itself_once_what_it_is(program: FakeProgram, tmp_path: Path) -> None:
    """And again as soon as another file has its name."""
    program.answer("--version", "scanner 1")
    scanner = Program(str(program.path), 30, memory=tmp_path / "memory")
    assert [await scanner.about_itself("--version") for _ in range(2)] == [Answer(0, "scanner 1", "")] * 2
    assert len(program.calls) == 1
    program.answer("--version", "scanner 2")
    program.path.write_text(program.path.read_text() + "# another\n")
    assert (await scanner.about_itself("--version")).out == "scanner 2"


async def test_what_it_said_badly_or_what_was_kept_badly_is_asked_again(program: FakeProgram, tmp_path: Path) -> None:
    """So that nothing wrong is remembered for ever."""
    program.answer("--version", "", "out of memory", 1)
    scanner = Program(str(program.path), 30, memory=tmp_path / "memory")
    assert (await scanner.about_itself("--version")).code == 1
    program.answer("--version", "scanner 1")
    assert (await scanner.about_itself("--version")).out == "scanner 1"
    (kept,) = (tmp_path / "memory").iterdir()
    kept.write_text('{"code": 0')
    assert (await scanner.about_itself("--version")).out == "scanner 1"
    assert len(program.calls) == 3


async def test_where_nothing_can_be_kept_it_is_asked_each_time(program: FakeProgram, tmp_path: Path) -> None:
    """A storage that is full or somebody else's stops nobody."""
    program.answer("--version", "scanner 1")
    (tmp_path / "memory").write_text("a file where a folder should be")
    scanner = Program(str(program.path), 30, memory=tmp_path / "memory")
    assert [(await scanner.about_itself("--version")).out for _ in range(2)] == ["scanner 1"] * 2
    assert len(program.calls) == 2


async def test_given_up_it_is_ended(program: FakeProgram) -> None:
    """With everything it started."""
    program.hang("look")
    running = asyncio.create_task(Program(str(program.path), 30).run("look"))
    async with asyncio.timeout(60):
        while not program.has_child:
            await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await has_ended(program.child)


async def test_given_up_while_it_starts_it_is_ended(program: FakeProgram) -> None:
    """With everything it started: it may be running before we are told so."""
    program.hang("look")
    running = asyncio.create_task(Program(str(program.path), 30).run("look"))
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not program.has_child or await has_ended(program.child)


async def test_what_outlives_it_does_not_hold_it_up(program: FakeProgram) -> None:
    """Though it still could write; it is ended as well."""
    (program.folder / "look").write_text(f"sleep 600 & echo $! > {program.folder}/child\necho said\n")
    assert (await Program(str(program.path), 30).run("look")).out == "said\n"
    assert await has_ended(program.child)


@pytest.mark.parametrize(
    ("err", "expected"),
    [
        pytest.param("", "it said nothing", id="nothing"),
        pytest.param("one\n\n  two\n", "one | two", id="lines"),
        pytest.param("1\n2\n3\n4\n5\n", "2 | 3 | 4 | 5", id="the last four"),
        pytest.param("x" * 500, "x" * 400, id="bounded"),
    ],
)
def test_last_words_are_short_and_never_the_answer(err: str, expected: str) -> None:
    """In the answer a secret could stand."""
    assert Answer(1, "the-secret-itself", err).last_words == expected
