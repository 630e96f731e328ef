"""One database and one role for each plugin: made once, closed to others, dropped by whom it was made."""

import asyncio
import base64
import hashlib
import hmac
import secrets
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from blocks.databases import PluginDatabases, scram_verifier
from blocks.domain.errors import Refused, Transient
from blocks.ports.cluster import Databases
from tests.conftest import World
from tests.fakes.databases import MemoryDatabases
from tests.faults.postgres import open_postgres

# Rows to be vacuumed so slowly that it lasts until the test is over.
MUCH_TO_TIDY = (
    """CREATE TABLE much WITH (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0,
       autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1) AS SELECT generate_series(1, 100000)""",
    "DELETE FROM much",
)
TIDYING = "SELECT 1 FROM pg_stat_activity WHERE backend_type = 'autovacuum worker' AND query LIKE '%much%'"
FIRST, SECOND = UUID(int=1), UUID(int=2)
# The exchange that RFC 7677, section 3, prints, with its password "pencil"; so are the proofs below.
NONCE = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
EXCHANGE = f"n=user,r={NONCE[:20]},r={NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r={NONCE}".encode()


@pytest.fixture(params=["memory", pytest.param("world", marks=pytest.mark.world)])
def databases(request: pytest.FixtureRequest) -> Databases:
    """A server in memory, and the real one."""
    if request.param == "memory":
        return MemoryDatabases()
    return PluginDatabases(request.getfixturevalue("world").plugin_database_admin_url)


@pytest.fixture
async def name(databases: Databases) -> AsyncIterator[str]:
    """A name of this test's own; what is left of it is dropped."""
    name = f"p_{secrets.token_hex(8)}"
    yield name
    await databases.drop(name)


async def standing(databases: Databases, name: str) -> list[str]:
    return [one for one in await databases.names() if one.endswith(name)]


async def log_in(world: World, name: str, password: str, database: str = "") -> asyncpg.Connection:
    admin = make_url(world.plugin_database_admin_url)
    return await asyncpg.connect(host=admin.host, port=admin.port, user=name, password=password, database=database or name)


async def test_it_is_made_once(databases: Databases, name: str) -> None:
    assert (await databases.ensure(name, "one", FIRST)).created
    assert (await databases.ensure(name, "one", FIRST)).created
    assert not (await databases.ensure(name, "one", SECOND)).created
    assert await standing(databases, name) == [f"database {name}", f"role {name}"]


async def test_it_is_dropped_by_the_operation_that_made_it(databases: Databases, name: str) -> None:
    await databases.ensure(name, "one", FIRST)
    assert not await databases.drop(name, SECOND)
    assert await standing(databases, name)
    assert await databases.drop(name, FIRST)
    assert await standing(databases, name) == []


async def test_dropping_what_is_not_there_is_no_error(databases: Databases, name: str) -> None:
    assert not await databases.drop(name, FIRST)
    assert not await databases.drop(name)


async def test_it_is_dropped_for_anybody_who_asks_for_no_one(databases: Databases, name: str) -> None:
    await databases.ensure(name, "one", FIRST)
    assert await databases.drop(name)
    assert await standing(databases, name) == []


@pytest.mark.parametrize("bad", ["postgres", "p_0; DROP DATABASE x", "P_0123456789ABCDEF", ""])
async def test_no_other_name_gets_near_the_server(databases: Databases, bad: str) -> None:
    with pytest.raises(Refused, match="not the name"):
        await databases.ensure(bad, "one", FIRST)
    with pytest.raises(Refused, match="not the name"):
        await databases.drop(bad)


@pytest.mark.world
async def test_the_last_password_opens_it_and_no_other(world: World) -> None:
    databases, name = PluginDatabases(world.plugin_database_admin_url), f"p_{secrets.token_hex(8)}"
    await databases.ensure(name, "before", FIRST)
    await databases.ensure(name, "after'; --", FIRST)
    connection = await log_in(world, name, "after'; --")
    await connection.execute("CREATE SCHEMA its_own")
    await connection.close()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await log_in(world, name, "before")
    await databases.drop(name)


@pytest.mark.world
async def test_a_plugin_does_not_get_into_anothers(world: World) -> None:
    databases = PluginDatabases(world.plugin_database_admin_url)
    mine, other = (f"p_{secrets.token_hex(8)}" for _ in range(2))
    for name in (mine, other):
        await databases.ensure(name, "hush", FIRST)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await log_in(world, mine, "hush", other)
    for name in (mine, other):
        await databases.drop(name)


@pytest.mark.world
async def test_it_is_dropped_while_it_is_used(world: World) -> None:
    databases, name = PluginDatabases(world.plugin_database_admin_url), f"p_{secrets.token_hex(8)}"
    await databases.ensure(name, "hush", FIRST)
    connection = await log_in(world, name, "hush")
    assert await databases.drop(name)
    connection.terminate()


async def test_it_is_dropped_while_the_server_tidies_it_up() -> None:
    name = f"p_{secrets.token_hex(8)}"
    async with open_postgres(autovacuum_naptime="1s") as server:
        await server.execute("CREATE ROLE tender LOGIN CREATEDB CREATEROLE")
        databases = PluginDatabases(server.url.replace("postgres@", "tender@"))
        await databases.ensure(name, "hush", FIRST)
        await server.execute(*MUCH_TO_TIDY, database=name)
        async with asyncio.timeout(60):
            while not await server.execute(TIDYING):
                await asyncio.sleep(0.1)
        assert await databases.drop(name, FIRST)
        assert await databases.names() == ()


@pytest.mark.world
async def test_somebody_elses_role_is_not_taken(world: World) -> None:
    databases, name = PluginDatabases(world.plugin_database_admin_url), f"p_{secrets.token_hex(8)}"
    admin = await asyncpg.connect(
        make_url(world.plugin_database_admin_url).set(drivername="postgresql").render_as_string(hide_password=False)
    )
    await admin.execute(f"CREATE ROLE {name}")
    with pytest.raises(Refused, match="is not ours"):
        await databases.ensure(name, "hush", FIRST)
    assert not await databases.drop(name)
    await admin.execute(f"DROP ROLE {name}")
    await admin.close()


@pytest.mark.world
async def test_who_may_not_make_roles_is_refused(world: World) -> None:
    databases, name = PluginDatabases(world.plugin_database_admin_url), f"p_{secrets.token_hex(8)}"
    await databases.ensure(name, "hush", FIRST)
    url = make_url(world.plugin_database_admin_url).set(drivername="postgresql", username=name, password="hush", database=name)
    weak = PluginDatabases(url.render_as_string(hide_password=False))
    with pytest.raises(Refused, match="permission denied"):
        await weak.ensure(f"p_{secrets.token_hex(8)}", "x", FIRST)
    await databases.drop(name)


@pytest.mark.parametrize(
    ("url", "error", "said"),
    [
        pytest.param("postgresql://me@127.0.0.1:1/x", Transient, "does not answer", id="a closed port is worth another try"),
        pytest.param("", Refused, "no database server", id="no address is refused"),
        pytest.param("mysql://me@127.0.0.1/x", Refused, "is not one", id="another kind of server is refused"),
    ],
)
async def test_a_server_that_cannot_be_had(url: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        await PluginDatabases(url).names()


def test_the_server_is_told_what_the_standard_says() -> None:
    salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    stored, server = map(base64.b64decode, scram_verifier("pencil", salt).split("$")[2].split(":"))
    assert base64.b64encode(hmac.digest(server, EXCHANGE, "sha256")) == b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    proof = base64.b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    client = bytes(one ^ other for one, other in zip(proof, hmac.digest(stored, EXCHANGE, "sha256"), strict=True))
    assert hashlib.sha256(client).digest() == stored
