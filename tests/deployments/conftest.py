"""A served API for whoever comes over the network: uvicorn on this machine, the record in memory."""

import json
import socket
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from time import sleep
from uuid import UUID

import pytest
import uvicorn

from blocks.domain.status import InstallationView
from deployments.terminal import follow
from tests.deployments.builders import Desk, make_body, make_token
from tests.fakes.operations import FakeRecord


class PlayedRecord(FakeRecord):
    """A record in which the next scene is played before each look at an installation."""

    def __init__(self) -> None:
        super().__init__()
        self.scenes: deque[Callable[[], None]] = deque()

    async def installation(self, installation: UUID) -> InstallationView | None:
        """One installation, after the next scene."""
        if self.scenes:
            self.scenes.popleft()()
        return await super().installation(installation)


@dataclass
class Stage(Desk):
    """The API on a record that is played; `plan` says which scenes follow when a run is started."""

    record: PlayedRecord = field(default_factory=PlayedRecord)
    plan: Callable[[PlayedRecord, UUID], list[Callable[[], None]]] = lambda _, __: []
    url: str = ""

    async def dispatch(self, operation: UUID) -> None:
        """Let the scenes of this operation follow."""
        await super().dispatch(operation)
        self.record.scenes.extend(self.plan(self.record, operation))


@pytest.fixture
def stage() -> Iterator[Stage]:
    """The API, served at `stage.url`."""
    stage = Stage()
    with served(stage) as stage.url:
        yield stage


@contextmanager
def served(desk: Desk) -> Iterator[str]:
    """The API of the desk, served at this address."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(desk.app(), lifespan="off", log_config=None, timeout_graceful_shutdown=2))
    thread = Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    while not server.started:
        sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def signed_in(stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Stage:
    """The served API, known to the command line with an admin's token and nothing else."""
    monkeypatch.setenv("PLUGINCTL_URL", stage.url)
    monkeypatch.setenv("PLUGINCTL_TOKEN", make_token())
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("PLUGINCTL_FOLDER", raising=False)
    monkeypatch.setattr(follow, "EVERY", 0.01)
    return stage


@pytest.fixture
def request_file(tmp_path: Path) -> str:
    """A request in a file."""
    path = tmp_path / "request.json"
    path.write_text(json.dumps(make_body()))
    return str(path)
