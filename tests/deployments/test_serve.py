"""The process: a port for each application, one clean stop."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from blocks.catalog.database import open_database
from blocks.catalog.migrate import migrate
from deployments.tokens import make_access
from tests.deployments.builders import EXPECTED, make_body

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
async def settings(tmp_path: Path) -> dict[str, str]:
    """The environment of a process on a record of its own, with nothing else of the world."""
    url = f"sqlite+aiosqlite:///{tmp_path}/record.db"
    engine = open_database(url)
    await migrate(engine)
    await engine.dispose()
    access = make_access(tmp_path / "access", tmp_path / "token.pub", EXPECTED, "")
    nowhere = {"PREFECT_API_URL": "http://127.0.0.1:1/api", "PROMETHEUS_URL": "http://127.0.0.1:1", "REGISTRY": "127.0.0.1:1"}
    ports = {"API_PORT": "0", "HEALTH_PORT": "0", "METRICS_PORT": "0", "CLOSED_PORT": "0"}
    hosts = {"API_HOST": "127.0.0.1", "CLOSED_HOST": "127.0.0.1"}
    folders = {"STORAGE_DIR": str(tmp_path / "storage"), "SECRETS_DIR": str(tmp_path / "secrets")}
    own = {"DATABASE_URL": url, "JWT_PUBLIC_KEY": str(access.public_key), "KUBECONFIG": str(tmp_path / "none")}
    return dict(os.environ) | nowhere | ports | hosts | folders | own


@contextmanager
def serving(settings: Mapping[str, str]) -> Iterator[tuple["subprocess.Popen[str]", dict[str, Any]]]:
    """The process and the ports that it listens on."""
    command = [sys.executable, "-m", "deployments.serve"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT, env=settings
    ) as process:
        try:
            assert process.stdout
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


def ask(port: int, path: str, token: str = "", **details: Any) -> httpx.Response:
    """The answer of one port."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.request(details.pop("method", "GET"), f"http://127.0.0.1:{port}{path}", headers=headers, timeout=30, **details)


async def test_every_port_answers_for_itself_and_sigterm_is_a_clean_stop(settings: dict[str, str], tmp_path: Path) -> None:
    token = (tmp_path / "access/token").read_text().strip()
    with serving(settings) as (process, listening):
        api, health, metrics = (listening[name] for name in ("api", "health", "metrics"))
        accepted = ask(api, "/api/v1/plugins/install", token, method="POST", json=make_body())
        shown = ask(api, accepted.headers["location"], token).json()
        status = ask(api, "/api/v1/status", token).json()
        ready = ask(health, "/health/readiness")
        scraped = ask(metrics, "/metrics").text
        lost = [
            ask(port, path).status_code
            for port, path in ((api, "/metrics"), (health, "/api/docs"), (metrics, "/health/liveness"))
        ]
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=30)
    assert (accepted.status_code, shown["phase"], ready.status_code) == (202, "requested", 200)
    assert {one["name"]: one["reachable"] for one in status["components"]} == {
        "database": True,
        "prefect": False,
        "cluster": False,
        "registry": False,
        "prometheus": False,
    }
    assert status["status"] == "degraded"
    assert 'plugin_installations{phase="requested",tenant="default"} 1.0' in scraped
    assert lost == [404, 404, 404]
    assert process.returncode == 0, said
    lines = [json.loads(line) for line in said.splitlines()]
    assert "operation waits" in {line["message"] for line in lines}
    assert not [line for line in lines if token in str(line)]


async def test_callers_of_a_disabled_plugin_are_answered_on_a_port_of_their_own(settings: dict[str, str]) -> None:
    socket = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    with serving(settings) as (_, listening):
        url = f"http://127.0.0.1:{listening['closed']}/api/v1/status"
        answers = [httpx.get(url, headers={"Host": "a-b.t1-dev.localhost"} | headers, timeout=30) for headers in ({}, socket)]
    for answer in answers:
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
        assert answer.json()["title"] == "This plugin is disabled"


async def test_a_record_without_tables_is_not_ready(settings: dict[str, str], tmp_path: Path) -> None:
    with serving(settings | {"DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path}/empty.db"}) as (_, listening):
        answers = [ask(listening["health"], path).status_code for path in ("/health/readiness", "/health/liveness")]
    assert answers == [503, 200]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param({"JWT_PUBLIC_KEY": "nowhere.pub"}, "public keys in nowhere.pub cannot be read", id="without keys"),
        pytest.param({"API_HOST": "192.0.2.1"}, "cannot be listened on", id="on an address of others"),
    ],
)
async def test_does_not_start(settings: dict[str, str], change: dict[str, str], says: str) -> None:
    command = [sys.executable, "-m", "deployments.serve"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=settings | change, timeout=60, check=False)
    assert done.returncode == 1
    assert says in json.loads(done.stdout)["message"]
