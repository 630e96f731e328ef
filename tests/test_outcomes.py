"""The table of kinds is what really happened: a session of pytest is run on tests that pass, fail, and fail to set up or clean up."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from rich.console import Console

from tests.outcomes import Outcome, Outcomes, draw, merge, read, write

PLAYED = """
import pytest

@pytest.mark.kind("abort", "canary")
def test_abort(): pass

@pytest.mark.world
@pytest.mark.kind("abort", "canary")
def test_abort_really(): assert False

@pytest.mark.kind("bad", "canary")
@pytest.mark.parametrize("good", [True, False])
def test_bad(good): assert good

@pytest.fixture
def broken():
    yield
    raise OSError

@pytest.mark.kind("good", "blue-green")
def test_good(broken): pass

@pytest.fixture
def missing(): raise OSError

@pytest.mark.kind("scale", "canary")
def test_scale(missing): pass

def test_of_something_else(): pass
"""
SESSION = [
    "-c",
    "/dev/null",
    "-o",
    "markers=kind: a kind\nworld: a real one",
    "-o",
    "asyncio_default_fixture_loop_scope=function",
    "-q",
]
SESSION += ["--import-mode=importlib", "-p", "no:cacheprovider"]


def play(folder: Path, *only: str) -> dict[tuple[str, str, str], bool]:
    """What stands in the file after a session with these tests."""
    (folder / "test_played.py").write_text(PLAYED)
    pytest.main(
        [*SESSION, "--rootdir", str(folder), str(folder / "test_played.py"), *only], plugins=[Outcomes(folder / "e2e.json")]
    )
    return {one.place: one.passed for one in read(folder / "e2e.json")}


def test_what_failed_anywhere_did_not_pass(tmp_path: Path) -> None:
    assert play(tmp_path) == {
        ("abort", "canary", "fake"): True,
        ("abort", "canary", "real"): False,
        ("bad", "canary", "fake"): False,
        ("good", "blue-green", "fake"): False,
        ("scale", "canary", "fake"): False,
    }


def test_a_session_replaces_what_it_played_and_leaves_the_rest(tmp_path: Path) -> None:
    known = [
        Outcome("abort", "canary", "fake", passed=False, seconds=1),
        Outcome("old", "canary", "real", passed=True, seconds=1),
    ]
    write(tmp_path / "e2e.json", known)
    assert play(tmp_path, "-k", "test_abort and not really") == {
        ("abort", "canary", "fake"): True,
        ("old", "canary", "real"): True,
    }


def test_lanes_that_end_at_the_same_time_lose_nothing_of_each_other(tmp_path: Path) -> None:
    kinds = [f"kind {number}" for number in range(40)]

    def finish(kind: str) -> None:
        lane = Outcomes(tmp_path / "e2e.json")
        lane.seen[kind, "canary", "fake"] = Outcome(kind, "canary", "fake", passed=True, seconds=1)
        lane.pytest_sessionfinish()

    with ThreadPoolExecutor(8) as lanes:
        list(lanes.map(finish, kinds))
    assert {one.kind for one in read(tmp_path / "e2e.json")} == set(kinds)


def test_a_session_without_kinds_writes_nothing(tmp_path: Path) -> None:
    assert play(tmp_path, "-k", "something_else") == {}
    assert not (tmp_path / "e2e.json").exists()


def test_the_file_can_be_read_by_others(tmp_path: Path) -> None:
    write(tmp_path / "e2e.json", [Outcome("abort", "canary", "fake", passed=True, seconds=1.5)])
    (line,) = json.loads((tmp_path / "e2e.json").read_text())
    assert line == {"kind": "abort", "strategy": "canary", "world": "fake", "passed": True, "seconds": 1.5}


def test_the_drawing_has_worlds_beside_each_other() -> None:
    lines = merge([], [Outcome("abort", "canary", world, passed=world == "fake", seconds=1) for world in ("fake", "real")])
    console = Console(width=80)
    with console.capture() as drawn:
        console.print(draw(lines))
    assert "passed" in drawn.get()
    assert "FAILED" in drawn.get()
