"""`pluginctl set`, against a served API on a real record."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from blocks.catalog.database import open_database
from blocks.catalog.migrate import migrate
from blocks.catalog.seals import FolderSeals
from deployments.api.examples import SET_EXAMPLES
from deployments.cli import run
from deployments.terminal.exits import ExitCode
from tests.deployments.builders import make_token
from tests.deployments.conftest import served
from tests.deployments.real import RealDesk

EXAMPLE = Path(__file__).resolve().parents[2] / "infra/local/requests/set.json"
BOTH: Any = SET_EXAMPLES["pair"]["value"]


@pytest.fixture
def request_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The set of the page's example in a file, and an API that the command line knows."""
    address = f"sqlite+aiosqlite:///{tmp_path}/record.db"
    asyncio.run(prepare(address))
    path = tmp_path / "set.json"
    path.write_text(json.dumps(BOTH))
    desk = RealDesk(open_database(address), FolderSeals(tmp_path / "seals", tmp_path / "seals.key"))
    with served(desk) as url:
        monkeypatch.setenv("PLUGINCTL_URL", url)
        monkeypatch.setenv("PLUGINCTL_TOKEN", make_token())
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
        yield str(path)
    asyncio.run(desk.engine.dispose())


async def prepare(address: str) -> None:
    """An empty record at the address."""
    engine = open_database(address)
    await migrate(engine)
    await engine.dispose()


def test_a_set_is_asked_for_looked_at_and_cancelled(request_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["set", "install", request_file, "--json"]) == ExitCode.OK
    made = json.loads(capsys.readouterr().out)
    assert run(["set", "status", made["id"]]) == ExitCode.OK
    head, first, second = capsys.readouterr().out.splitlines()
    assert head == f"{made['id']}  acme/dev/search  requested"
    assert [first.split(), second.split()] == [
        ["1.", "@backstage/plugin-search-backend", "install", "requested"],
        ["2.", "@backstage/plugin-search", "install", "requested"],
    ]
    assert run(["set", "cancel", made["id"], "--reason", "not today"]) == ExitCode.OK
    told = capsys.readouterr().out
    assert "withdrawn" in told
    assert "bad      @backstage/plugin-search-backend: ann cancelled it: not today" in told
    assert run(["set", "approve", made["id"], "--hash", f"sha256:{'0' * 64}", "--comment", "x"]) == ExitCode.CONFLICT


def test_what_cannot_be_asked_for_is_said(request_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(request_file).write_text(json.dumps(BOTH | {"plugins": [BOTH["plugins"][0]]}))
    assert run(["set", "install", request_file]) == ExitCode.WRONG_USE
    assert "plugins" in capsys.readouterr().err
    assert run(["set", "install", request_file, "--wait", "--timeout", "0"]) == ExitCode.WRONG_USE


@pytest.mark.usefixtures("request_file")
def test_who_waits_no_longer_is_told_that_it_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["set", "install", str(EXAMPLE), "--wait", "--timeout", "0"]) == ExitCode.TIMED_OUT
    assert "pluginctl set status" in capsys.readouterr().err
