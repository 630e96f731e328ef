"""One way to open, read and write the database, on PostgreSQL and on SQLite."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import BigInteger, Select, event, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolEmpty
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from blocks.domain.errors import Transient

P = ParamSpec("P")
R = TypeVar("R")
# A worker that is stopped inside a transaction keeps its row lock: PostgreSQL ends such a session after this time.
IDLE_IN_TRANSACTION = "5s"


class now_ms(FunctionElement[int]):  # noqa: N801 (a SQL function, written as SQL writes it)
    """Milliseconds since 1970 by the database's own clock, when the row is written and not when the transaction began."""

    type = BigInteger()
    inherit_cache = True


@compiles(now_ms, "postgresql")
def _on_postgresql(*_: Any, **__: Any) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"


@compiles(now_ms, "sqlite")
def _on_sqlite(*_: Any, **__: Any) -> str:
    return "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"


def open_database(url: str) -> AsyncEngine:
    """An engine for the URL; nothing is connected yet."""
    if url.startswith("postgresql"):
        limits = {"idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION}
        return create_async_engine(url, pool_pre_ping=True, connect_args={"server_settings": limits})
    engine = create_async_engine(url, connect_args={"timeout": 10})
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    return engine


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One transaction, committed at the end; what the database cannot do now is `Transient`, a broken rule is the caller's."""
    try:
        async with engine.begin() as connection:
            yield connection
    except IntegrityError:
        raise
    except (DBAPIError, PoolEmpty, OSError) as problem:
        raise Transient("the database did not answer", "see whether DATABASE_URL points at a running database") from problem


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


def _prepare_sqlite(connection: Any, _: Any) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
