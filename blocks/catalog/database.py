"""One way to open, read and write the database, on PostgreSQL and on SQLite."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from functools import wraps
from pathlib import Path
from time import CLOCK_BOOTTIME, clock_gettime
from typing import Any, ParamSpec, TypeVar
from zlib import crc32

from sqlalchemy import BigInteger, Select, event, select
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NotSupportedError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolEmpty
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import QueuePool
from sqlalchemy.sql.functions import FunctionElement

from blocks.domain.errors import RecordAway

P = ParamSpec("P")
R = TypeVar("R")
# A worker that is stopped inside a transaction keeps its row lock: PostgreSQL ends such a session after this time.
IDLE_IN_TRANSACTION = "5s"
# Seconds that a statement waits for another process to let go of SQLite.
LONGEST_LOCK = 10
# What the system calls its present start; and more milliseconds than any start lasts.
BOOT_ID, A_LONG_TIME = Path("/proc/sys/kernel/random/boot_id"), 2**40
# A statement that the database understood and would refuse again: a broken rule is the caller's, the rest are mistakes of ours.
REFUSED = (IntegrityError, ProgrammingError, DataError, NotSupportedError)


class now_ms(FunctionElement[int]):  # noqa: N801 (a SQL function, written as SQL writes it)
    """Milliseconds since 1970 by the database's own clock, when the row is written and not when the transaction began."""

    type = BigInteger()
    inherit_cache = True


class lease_ms(FunctionElement[int]):  # noqa: N801
    """Milliseconds by the clock that leases run by, which nobody can set; it says nothing about the time of day.

    PostgreSQL is one for all its clients, and its own clock it is. SQLite is one host: the time since it was started, which goes on while
    it sleeps, and after a new start every lease of before has run out.
    """

    type = BigInteger()
    inherit_cache = True


@compiles(lease_ms, "postgresql")
@compiles(now_ms, "postgresql")
def _on_postgresql(*_: Any, **__: Any) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"


@compiles(now_ms, "sqlite")
def _on_sqlite(*_: Any, **__: Any) -> str:
    return "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"


@compiles(lease_ms, "sqlite")
def _by_boot_time(*_: Any, **__: Any) -> str:
    return "lease_ms()"


class PatientEngine(AsyncEngine):
    """An engine that is not disposed of under a statement that a cancelled caller left running: its connection would be lost."""

    async def dispose(self, close: bool = True) -> None:  # noqa: FBT001, FBT002 (as the class above has it)
        """Nothing is connected any more; what still runs is waited for, but no longer than a locked SQLite lets a statement wait."""
        pool = self.pool
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_LOCK + 1):
                while isinstance(pool, QueuePool) and pool.checkedout():  # noqa: ASYNC110 (the pool tells nobody)
                    await asyncio.sleep(0.01)
        await super().dispose(close)


def open_database(url: str) -> AsyncEngine:
    """An engine for the URL; nothing is connected yet."""
    if url.startswith("postgresql"):
        limits = {"idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION}
        engine = PatientEngine(create_async_engine(url, pool_pre_ping=True, connect_args={"server_settings": limits}).sync_engine)
        event.listen(engine.sync_engine, "do_connect", _connect_postgresql)
        return engine
    engine = PatientEngine(create_async_engine(url, connect_args={"timeout": LONGEST_LOCK}).sync_engine)
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    return engine


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One transaction, committed at the end; a database that cannot do it now is `RecordAway`, a broken rule is the caller's.

    After `RecordAway` nobody knows whether it was committed: the answer to the commit may be what was lost. So look before repeating.
    """
    try:
        async with engine.begin() as connection:
            yield connection
    except REFUSED:
        raise
    except (DBAPIError, PoolEmpty, OSError) as problem:
        why = str(getattr(problem, "orig", problem)).partition("\n")[0]
        raise RecordAway(
            f"the database did not answer: {why}", "see whether DATABASE_URL points at a running database"
        ) from problem


@asynccontextmanager
async def statement(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One statement that is its own transaction: a third of the round trips."""
    async with transaction(engine.execution_options(isolation_level="AUTOCOMMIT")) as connection:
        yield connection


def pick(*fields: Any) -> Select[Any]:
    """A SELECT of table columns; they are declared as the values they hold, which `select` itself does not take."""
    chosen: Select[Any] = select(*fields)
    return chosen


def unbroken(call: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Let the call run to its end when its caller is cancelled: a statement cut in two keeps SQLite locked (aiosqlite)."""

    @wraps(call)
    async def whole(*args: P.args, **kwargs: P.kwargs) -> R:
        running = asyncio.ensure_future(call(*args, **kwargs))
        running.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # or asyncio says it was never seen
        return await asyncio.shield(running)

    return whole


def _connect_postgresql(dialect: Any, _: Any, place: Any, options: Any) -> Any:
    """A connection, or the driver's error in SQLAlchemy's words: 2.0 translates what a statement is told, and not what a greeting is."""
    driver = dialect.loaded_dbapi
    try:
        return dialect.connect(*place, **options)
    except (driver.asyncpg.PostgresError, driver.asyncpg.InterfaceError) as problem:  # starting up, shutting down, no room
        raise driver.OperationalError(str(problem)) from problem


def _prepare_sqlite(connection: Any, _: Any) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    began = _starts_of_host(connection) * A_LONG_TIME
    connection.create_function("lease_ms", 0, lambda: began + int(clock_gettime(CLOCK_BOOTTIME) * 1000))


def _starts_of_host(connection: Any) -> int:
    """How many starts of the host the database has seen; a file on another host has seen one more."""
    this = crc32(BOOT_ID.read_bytes()) & 0x7FFFFFFF  # the pragma holds 31 bits without a sign
    if _number(connection, "application_id") != this:
        connection.execute("BEGIN IMMEDIATE")
        if _number(connection, "application_id") != this:
            connection.execute(f"PRAGMA user_version={_number(connection, 'user_version') + 1}")
            connection.execute(f"PRAGMA application_id={this}")
        connection.execute("COMMIT")
    return _number(connection, "user_version")


def _number(connection: Any, pragma: str) -> int:
    cursor = connection.cursor()  # the connection's own `execute` returns one whose rows are awaited
    cursor.execute(f"PRAGMA {pragma}")
    return int(cursor.fetchone()[0])
