"""`pluginctl` against the API's own process on a record on disk; only Prefect is away, so that the test itself is the worker."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from blocks.catalog.database import open_database
from blocks.catalog.migrate import migrate
from blocks.catalog.requests import Requested
from blocks.catalog.seals import FolderSeals
from deployments.cli import run
from deployments.terminal.exits import ExitCode
from deployments.tokens import make_access
from tests.deployments.api.records import Live, ask, freeze
from tests.deployments.builders import EXPECTED, HASH, make_body

ROOT = Path(__file__).resolve().parents[2]
WHERE = "default/prod/@backstage/plugin-catalog"


class Office:
    """The record on disk, and the hand of a worker on it; each call is an event loop of its own, as in another process."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite+aiosqlite:///{folder}/record.db"
        self._seals = FolderSeals(folder / "storage/seals", folder / "secrets/seals.key")

    def migrate(self) -> None:
        """Make the tables."""
        self._with(migrate)

    def ask(self, asked: Requested) -> None:
        """Let the operation wait for an approval of its plan."""
        self._with(lambda engine: ask(Live(engine, self._seals), asked, requester="ann"))

    def freeze(self, asked: Requested) -> None:
        """Let the operation stop."""
        self._with(lambda engine: freeze(Live(engine, self._seals), asked))

    def tamper(self, sql: str) -> None:
        """Change the record behind everybody's back."""

        async def change(engine: Any) -> None:
            async with engine.begin() as database:
                await database.execute(text(sql))

        self._with(change)

    def _with(self, do: Any) -> None:
        async def once() -> None:
            engine = open_database(self.url)
            await do(engine)
            await engine.dispose()

        asyncio.run(once())


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """An empty record on disk."""
    made = Office(tmp_path)
    made.migrate()
    return made


@pytest.fixture
def served(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """The API's process on that record, known to the command line."""
    access = make_access(tmp_path / "access", tmp_path / "token.pub", EXPECTED, "")
    nowhere = {"PREFECT_API_URL": "http://127.0.0.1:1/api", "PROMETHEUS_URL": "http://127.0.0.1:1", "REGISTRY": "127.0.0.1:1"}
    ports = {"API_PORT": "0", "HEALTH_PORT": "0", "METRICS_PORT": "0", "CLOSED_PORT": "0"}
    hosts = {"API_HOST": "127.0.0.1", "CLOSED_HOST": "127.0.0.1"}
    folders = {"STORAGE_DIR": str(tmp_path / "storage"), "SECRETS_DIR": str(tmp_path / "secrets")}
    own = {"DATABASE_URL": office.url, "JWT_PUBLIC_KEY": str(access.public_key), "KUBECONFIG": str(tmp_path / "none")}
    settings = dict(os.environ) | nowhere | ports | hosts | folders | own
    command = [sys.executable, "-m", "deployments.serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT, env=settings) as api:
        assert api.stdout
        monkeypatch.setenv("PLUGINCTL_URL", f"http://127.0.0.1:{json.loads(api.stdout.readline())['api']}")
        monkeypatch.setenv("PLUGINCTL_TOKEN", access.token.read_text().strip())
        yield office
        api.kill()


def install(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Requested:
    """A wish to install in prod, recorded as ann's."""
    (tmp_path / "request.json").write_text(json.dumps(make_body(environment="prod")))
    assert run(["install", str(tmp_path / "request.json"), "--json"]) == ExitCode.OK
    accepted = json.loads(capsys.readouterr().out)
    return Requested(UUID(accepted["id"]), UUID(accepted["operation"]), created=True)


def test_from_the_request_to_an_audit(served: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = install(tmp_path, capsys)
    served.ask(asked)
    assert run(["approve", WHERE, "--hash", HASH, "--comment", "fine", "--yes"]) == ExitCode.OK
    served.freeze(asked)
    assert run(["retry", WHERE, "--reason", "there is room now"]) == ExitCode.OK
    assert run(["cancel", WHERE, "--reason", "not today"]) == ExitCode.OK
    capsys.readouterr()
    assert run(["timeline", WHERE, "--jsonl"]) == ExitCode.OK
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["kind"] for one in told if one["actor"] != "worker"] == ["requested", "voted", "approved", "resumed", "cancelled"]
    assert run(["audit", "verify"]) == ExitCode.OK


@pytest.mark.parametrize(
    ("sql", "seq"),
    [
        pytest.param("UPDATE journal SET actor = 'mallory' WHERE seq = 2", 2, id="edited"),
        pytest.param("DELETE FROM journal WHERE seq = 2", 2, id="removed"),
        pytest.param("DELETE FROM journal WHERE seq = 3", 3, id="the last that was removed"),
        pytest.param("UPDATE journal SET seq = seq + 10 WHERE seq = 1", 1, id="moved to the end"),
    ],
)
def test_an_audit_names_the_first_entry_that_was(
    sql: str, seq: int, served: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = install(tmp_path, capsys)
    served.ask(asked)
    assert run(["cancel", WHERE, "--reason", "not today"]) == ExitCode.OK
    assert run(["audit", "verify"]) == ExitCode.OK
    capsys.readouterr()
    served.tamper(sql)
    assert run(["audit", "verify"]) == ExitCode.FAILED
    assert capsys.readouterr().out.startswith(f"{asked.operation}  entry {seq}  ")
