"""The database is shot, cut off or locked while an operation is carried: nothing is concluded, and the operation goes on."""

import asyncio
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest
from sqlmodel import col

from blocks.catalog.database import open_database, pick, statement
from blocks.catalog.leases import Leases
from blocks.catalog.tables import Operation
from blocks.domain.errors import RecordAway
from blocks.settings import Settings
from tests.fakes.cluster import FakeCluster
from tests.faults.line import ask_for_line, line, outcome
from tests.faults.postgres import Postgres, open_postgres

pytestmark = pytest.mark.usefixtures("prefect_server")
# How a client asks for encryption, before anything else.
ENCRYPTION = struct.pack("!I", 80877103)
Trouble = Callable[[Postgres], Awaitable[None]]


@pytest.fixture
async def postgres() -> AsyncIterator[Postgres]:
    """A server of this test's own."""
    async with open_postgres() as server:
        yield server


async def restart(server: Postgres) -> None:
    """The server is shot and started again."""
    await server.shoot()
    await server.start()


async def stay_away(server: Postgres) -> None:
    """It stays away for longer than a lease lasts."""
    await server.shoot()
    await asyncio.sleep(4)
    await server.start()


async def cut_again_and_again(server: Postgres) -> None:
    """Its connections are cut, new ones too."""
    for _ in range(10):
        await server.cut_connections()
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("trouble", [restart, stay_away, cut_again_and_again])
async def test_an_operation_goes_on_when_its_database_comes_back(
    postgres: Postgres, fake: FakeCluster, tmp_path: Path, trouble: Trouble
) -> None:
    operation = await ask_for_line(postgres.url, fake)
    troubling = asyncio.create_task(trouble_at(fake, "thing-3", lambda: trouble(postgres)))
    runs = await carry_to_the_end(operation, settings_for(postgres.url, fake, tmp_path))
    await troubling
    ended = await outcome(postgres.url, operation, fake)
    assert ended.is_whole, (runs, ended)


async def test_an_operation_goes_on_when_another_process_lets_go_of_sqlite(fake: FakeCluster, tmp_path: Path) -> None:
    file = tmp_path / "record.db"
    url = f"sqlite+aiosqlite:///{file}"
    operation = await ask_for_line(url, fake)
    troubling = asyncio.create_task(trouble_at(fake, "thing-3", lambda: lock(file, 10)))
    runs = await carry_to_the_end(operation, settings_for(url, fake, tmp_path))
    await troubling
    ended = await outcome(url, operation, fake)
    assert ended.is_whole, (runs, ended)


async def test_a_database_that_is_away_is_said_to_be_away(postgres: Postgres) -> None:
    engine = open_database(postgres.url)
    leases = Leases(engine, 6)
    await postgres.shoot()
    with pytest.raises(RecordAway, match="the database did not answer"):
        await leases.idle(0)
    await postgres.start()
    await engine.dispose()


@pytest.mark.parametrize(
    ("code", "said"), [("57P03", "the database system is starting up"), ("53300", "sorry, too many clients already")]
)
async def test_a_database_that_cannot_be_connected_to_now_is_said_to_be_away(code: str, said: str) -> None:
    async with refuse_everybody(code, said) as url:
        engine = open_database(url)
        with pytest.raises(RecordAway, match=said):
            await Leases(engine, 6).idle(0)
        await engine.dispose()


@asynccontextmanager
async def refuse_everybody(code: str, said: str) -> AsyncIterator[str]:
    """The address of a server that speaks PostgreSQL's protocol and says this to whoever connects."""
    fields = b"".join(
        kind + text.encode() + b"\0" for kind, text in ((b"S", "FATAL"), (b"V", "FATAL"), (b"C", code), (b"M", said))
    )

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        (length,) = struct.unpack("!I", await reader.readexactly(4))
        if (await reader.readexactly(length - 4))[:4] == ENCRYPTION:
            writer.write(b"N")
            (length,) = struct.unpack("!I", await reader.readexactly(4))
            await reader.readexactly(length - 4)
        writer.write(b"E" + struct.pack("!I", len(fields) + 5) + fields + b"\0")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1") as server:
        yield f"postgresql+asyncpg://postgres@127.0.0.1:{server.sockets[0].getsockname()[1]}/postgres"


async def trouble_at(fake: FakeCluster, thing: str, trouble: Callable[[], Awaitable[None]]) -> None:
    """Make trouble as soon as the thing stands: between the effect of a step and its result."""
    while ("configmaps", "here", thing) not in fake.store.objects:
        await asyncio.sleep(0)
    await trouble()


async def lock(file: Path, seconds: float) -> None:
    """Another process keeps the whole database to itself."""
    opened = f"sqlite3.connect({str(file)!r}, isolation_level=None)"
    program = f"import sqlite3, time; {opened}.execute('BEGIN EXCLUSIVE'); time.sleep({seconds})"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stderr=subprocess.DEVNULL)
    await process.wait()


def settings_for(url: str, fake: FakeCluster, folder: Path) -> Settings:
    """Settings with leases that run out soon."""
    return Settings(
        database_url=url,
        kubeconfig=fake.kubeconfig(folder),
        storage_dir=folder / "storage",
        secrets_dir=folder / "secrets",
        lease_ttl=1.5,
        lease_renew=0.5,
    )


async def carry_to_the_end(operation: UUID, settings: Settings) -> list[str]:
    """What every run ended with, started as a keeper does: whenever the operation is idle."""
    carrier, runs = line(settings), list[str]()
    async with asyncio.timeout(300):
        while await is_unfinished(operation, settings):
            runs.append((await carrier(operation, return_state=True)).name or "")
            await asyncio.sleep(0.1)
    return runs


async def is_unfinished(operation: UUID, settings: Settings) -> bool:
    """Whether the operation is still to be carried; not knowing is a yes."""
    engine = open_database(settings.database_url)
    try:
        async with statement(engine) as database:
            phase = (await database.execute(pick(Operation.phase).where(col(Operation.id) == operation))).scalar_one()
    except RecordAway:
        return True
    else:
        return phase in ("requested", "applying", "undoing")
    finally:
        await engine.dispose()
