"""How the embedded worker ends, asked to and killed, and what becomes of its runs."""

import signal
from pathlib import Path

from prefect.client.schemas.objects import StateType

from tests.deployments.pools.stand import PATIENCE, Stand, begun, wait_for, worker


def test_told_to_stop_it_lets_runs_end_and_kills_those_that_do_not(stand: Stand, tmp_path: Path) -> None:
    soon, late = tmp_path / "soon", tmp_path / "late"
    with worker(stand, tmp_path, WORKER_GRACE="6") as process:
        runs = [stand.start("go_on", page=str(page), seconds=length) for page, length in ((soon, 4), (late, 600))]
        children = [begun(page) for page in (soon, late)]
        process.send_signal(signal.SIGTERM)
        unheard = stand.start("tell", page=str(tmp_path / "never"))
        assert process.wait(PATIENCE) == 0
    assert soon.read_text() == "ended"
    assert not late.exists()
    assert not any(child.is_running() for child in children)
    assert [stand.ended(run) for run in runs] == [StateType.COMPLETED, StateType.CRASHED]
    assert stand.state(unheard) is StateType.SCHEDULED


def test_runs_go_on_without_a_worker_that_was_killed(stand: Stand, tmp_path: Path) -> None:
    page = tmp_path / "page"
    with worker(stand, tmp_path) as process:
        run = stand.start("go_on", page=str(page), seconds=3)
        child = begun(page)
        process.kill()
        assert process.wait(PATIENCE) == -signal.SIGKILL
        assert stand.ended(run) is StateType.COMPLETED
        wait_for(child.is_running, lambda runs: not runs)
    assert page.read_text() == "ended"
