"""The fake world: a real record on a real PostgreSQL, real processes, and around them a cluster and its neighbours that count."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect.settings import PREFECT_API_URL
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.audit import Audit
from blocks.catalog.database import open_database
from blocks.catalog.journal import Journal
from blocks.catalog.leases import Leases
from blocks.catalog.migrate import migrate
from blocks.catalog.requests import Requests
from blocks.catalog.slots import Slots
from blocks.catalog.views import Views
from blocks.catalog.words import Words
from blocks.domain.manifest import InstallRequest
from blocks.settings import Settings
from blocks.toolchain import open_seals
from deployments.pools.forking import ended
from tests.chaos.far import serve_parts
from tests.chaos.ledger import Ledger
from tests.chaos.mortal import Fate
from tests.chaos.parts import CountedBuilder, CountedDatabases, Gateway
from tests.chaos.worker import Job, spawn, warm_up
from tests.fakes.cluster import open_fake_cluster
from tests.fakes.images import MemoryRegistry

TTL = 1.0
# So many lives at once: while one waits for a lease to run out, another has the processors.
SIDE_BY_SIDE = 5


@dataclass(frozen=True)
class Order:
    """What is to be carried."""

    verb: str
    operation: UUID
    request: InstallRequest


@dataclass(frozen=True)
class End:
    """How a worker ended: its process, its exit code (minus the signal's number), and when, in milliseconds since 1970."""

    pid: int
    code: int
    at: float


class Word:
    """Where a worker in the middle of something lets the test speak: by the worker's process, who is spoken to."""

    def __init__(self) -> None:
        self.said: dict[int, asyncio.Future[None]] = {}
        self.heard: dict[int, asyncio.Future[None]] = {}

    def expect(self, pid: int) -> tuple["asyncio.Future[None]", "asyncio.Future[None]"]:
        """When the worker has come to its point, and what lets it go on."""
        loop = asyncio.get_running_loop()
        return self.heard.setdefault(pid, loop.create_future()), self.said.setdefault(pid, loop.create_future())

    async def speak(self, pid: int) -> None:
        """The worker waits here until the test has spoken."""
        heard, said = self.expect(pid)
        heard.set_result(None)
        await said


@dataclass
class Ground:
    """A world and the doors into its record; `settings` are those of every worker."""

    engine: AsyncEngine
    settings: dict[str, str]
    far: str
    folder: Path
    word: Word
    is_real: bool = False
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(SIDE_BY_SIDE))

    def __post_init__(self) -> None:
        # The record's own doors; nothing else of the settings is used here.
        self.seals = open_seals(
            Settings(storage_dir=Path(self.settings["STORAGE_DIR"]), secrets_dir=Path(self.settings["SECRETS_DIR"]))
        )
        self.requests, self.words = Requests(self.engine), Words(self.engine, self.seals)
        self.leases, self.slots = Leases(self.engine, TTL), Slots(self.engine)
        self.journal, self.views = Journal(self.engine, self.seals), Views(self.engine)
        self.audit = Audit(self.engine, self.seals)

    def start(self, order: Order, fate: Fate | None = None) -> BaseProcess:
        """A worker that carries the operation."""
        log, window = self.folder / f"{order.operation}.log", PREFECT_API_URL.value() or ""
        job = Job(order.verb, order.operation, order.request, self.settings, self.far, window, log, self.is_real)
        return spawn(job, fate)


@dataclass
class FakeGround(Ground):
    """A world in which everything outside is in this process."""

    ledger: Ledger = field(kw_only=True)
    gateway: Gateway = field(kw_only=True)
    builder: CountedBuilder = field(kw_only=True)
    registry: MemoryRegistry = field(kw_only=True)
    databases: CountedDatabases = field(kw_only=True)


@asynccontextmanager
async def open_fake_ground(database_url: str, folder: Path) -> AsyncIterator[FakeGround]:
    """A fake world with an empty record at the address; the Prefect server is the one that is set now."""
    engine, registry, word = open_database(database_url), MemoryRegistry(), Word()
    await asyncio.gather(migrate(engine), asyncio.to_thread(warm_up))
    async with open_fake_cluster() as cluster:
        gateway, builder, databases = Gateway(cluster), CountedBuilder(registry), CountedDatabases()
        ledger = Ledger(cluster, gateway)
        parts = {"web": gateway, "images": builder, "registry": registry, "databases": databases, "word": word}
        async with serve_parts(parts) as far:
            settings = _settings(database_url, folder) | {"KUBECONFIG": str(cluster.kubeconfig(folder))}
            told: dict[str, Any] = {
                "ledger": ledger,
                "gateway": gateway,
                "builder": builder,
                "registry": registry,
                "databases": databases,
            }
            yield FakeGround(engine, settings, far, folder, word, **told)
    await engine.dispose()


def _settings(database_url: str, folder: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": database_url,
        "STORAGE_DIR": str(folder / "storage"),
        "SECRETS_DIR": str(folder / "secrets"),
        "REGISTRY": "registry.test",
        "LEASE_TTL": str(TTL),
        "LEASE_RENEW": str(TTL / 3),
        "PROGRESS_DEADLINE": "20",
    }


async def await_end(process: BaseProcess) -> End:
    """How the worker ended."""
    await ended(process)
    assert process.pid is not None
    assert process.exitcode is not None
    return End(process.pid, process.exitcode, time.time() * 1000)


def make_name() -> str:
    """A name that nobody has had before."""
    return f"c{secrets.token_hex(4)}"
