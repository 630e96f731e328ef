"""The embedded worker as a process of its own, on a real Prefect server, with flows that do nothing for anybody."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.client.schemas.objects import StateType

from tests.deployments.pools.stand import ROOT, Stand, begun, wait_for, worker


@pytest.fixture(scope="module")
def working(stand: Stand, tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[bytes]]:
    with worker(stand, tmp_path_factory.mktemp("worker")) as process:
        yield process


@pytest.mark.usefixtures("working")
def test_each_run_is_a_warm_process_of_its_own_with_its_own_environment_and_level(stand: Stand, tmp_path: Path) -> None:
    pages = [tmp_path / "first", tmp_path / "second"]
    words = [{"WORD": "one", "PREFECT_LOGGING_LEVEL": "DEBUG"}, {"WORD": "two", "PREFECT_LOGGING_LEVEL": "WARNING"}]
    runs = [stand.start("tell", {"env": word}, page=str(page)) for word, page in zip(words, pages, strict=True)]
    assert [stand.ended(run) for run in runs] == [StateType.COMPLETED] * 2
    first, second = [json.loads(page.read_text()) for page in pages]
    assert first["pid"] != second["pid"]
    assert first["warm"]
    assert second["warm"]
    assert [first["word"], second["word"]] == ["one", "two"]
    assert [first["verbose"], second["verbose"]] == [True, False]
    assert first["folder"] == str(ROOT)


@pytest.mark.usefixtures("working")
def test_a_run_that_dies_kills_nothing_else(stand: Stand, tmp_path: Path) -> None:
    page = tmp_path / "page"
    other = stand.start("go_on", page=str(page), seconds=3)
    begun(page)
    assert stand.ended(stand.start("fall")) is StateType.CRASHED
    assert stand.ended(other) is StateType.COMPLETED


@pytest.mark.usefixtures("working")
def test_what_is_cancelled_is_really_ended(stand: Stand, tmp_path: Path) -> None:
    page = tmp_path / "page"
    run = stand.start("go_on", page=str(page), seconds=600)
    process = begun(page)
    wait_for(lambda: stand.state(run), lambda state: state is StateType.RUNNING)
    stand.cancel(run)
    assert stand.ended(run) is StateType.CANCELLED
    wait_for(process.is_running, lambda runs: not runs)
    assert not page.exists()
