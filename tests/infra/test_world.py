"""The local world keeps secrets, comes back from any end, follows whoever asks for it last, and leaves nothing when it goes."""

import asyncio
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.conftest import World
from tests.e2e.api import Product
from tests.e2e.left import plain
from tests.infra import machine
from tests.infra.conftest import Installed

pytestmark = [pytest.mark.world, pytest.mark.timeout(1800)]

# Whatever carries one of these names or addresses is ours; other runtimes of the machine use others.
OURS = re.compile(r"plugin[-_]pipeline|\bpp0\b|kube-proxy|kubepods|10\.244\.0\.|10\.96\.0\.|cni-|^process ")


def answers(product: Product, hello: Installed) -> bool:
    """The plugin answers through Envoy, and the API still knows it."""
    try:
        seen = product.api.get(f"/api/v1/installations/{hello['id']}")
        return (product.call(hello, "/hello").status, seen.status_code) == (200, 200) and bool(
            seen.json()["phase"] == "succeeded"
        )
    except httpx.HTTPError:
        return False


def test_secrets_are_encrypted_at_rest(product: Product, hello: Installed) -> None:
    """What stands in a Secret is in no file of etcd; what stands in a ConfigMap is, so the search would find it."""
    hidden, open_value = secrets.token_hex(16), secrets.token_hex(16)
    where = ("-n", hello["namespace"])
    product.kubectl("create", "secret", "generic", "at-rest", f"--from-literal=value={hidden}", *where)
    product.kubectl("create", "configmap", "at-rest", f"--from-literal=value={open_value}", *where)
    try:
        look = f"cat {machine.STATE}/etcd/member/wal/*.wal {machine.STATE}/etcd/member/snap/db | grep -cao"
        assert int(machine.administer("bash", "-c", f"{look} {open_value}")) > 0
        assert machine.administer("bash", "-c", f"{look} {hidden} || true").strip() == "0"
    finally:
        product.kubectl("delete", "secret/at-rest", "configmap/at-rest", *where)


@pytest.mark.parametrize(
    "name",
    [
        "etcd",
        "apiserver",
        "containerd",
        "kubelet",
        "metrics-server",
        "postgres",
        "envoy",
        "dockerd",
        "prefect",
        "worker",
        "kubernetes-worker",
        "api",
    ],
)
def test_killed_process_comes_back(product: Product, hello: Installed, name: str) -> None:
    """The supervisor starts it again, it becomes ready, and the plugin that was there still answers."""
    machine.eventually(lambda: machine.process(name)["is_ready"] == "Ready", f"{name} is ready")
    before = machine.process(name)
    machine.kill(str(before["pid"]))

    def again() -> bool:
        now = machine.process(name)
        return bool(now["restarts"] > before["restarts"] and (now["status"], now["is_ready"]) == ("Running", "Ready"))

    machine.eventually(again, f"{name} is ready again")
    machine.eventually(lambda: answers(product, hello), "the plugin answers")


def test_world_that_is_up_is_left_alone() -> None:
    """A second start changes nothing: the same processes, the same file of addresses."""
    machine.script("up.sh")
    before = (machine.kept(), (machine.STATE / "world.env").stat().st_mtime_ns)
    assert re.fullmatch(r"The world is up \([0-9.]+ s\): .*\n", machine.script("up.sh"))
    assert (machine.kept(), (machine.STATE / "world.env").stat().st_mtime_ns) == before


def record_of(product: Product, hello: Installed) -> Installed:
    """All that is recorded of the plugin but how it is just now: a keeper asks that again and again."""
    return {name: value for name, value in product.see(hello["id"]).items() if name != "health"}


def test_everything_killed_at_once_comes_back(product: Product, hello: Installed) -> None:
    """With stale sockets, pid files, mounts and containers everywhere: the next start clears them and keeps all data."""
    before = record_of(product, hello)
    machine.eventually(lambda: machine.kill(*machine.marked()), "every process of the world is dead")
    assert "ended without 'make down'" in machine.script("up.sh")
    machine.eventually(lambda: answers(product, hello), "the plugin answers")
    assert record_of(product, hello) == before
    assert machine.run(machine.ROOT / "infra/local/doctor.sh").stdout == "Nothing is missing.\n"


@pytest.fixture
def other_clone(tmp_path: Path) -> Iterator[Path]:
    """Another clone of the same code; afterwards the world follows this one again."""
    yield machine.copy_clone(tmp_path / "clone")
    machine.script("up.sh")


def test_world_follows_the_clone_that_asks_last(product: Product, hello: Installed, other_clone: Path) -> None:
    """API, keeper, worker and new flow runs are the other clone's; it is said whose world it was, and data stays."""
    said = machine.script("up.sh", clone=other_clone)
    assert f"(from {machine.ROOT}, since" in said
    assert f"from now on it runs the code of {other_clone}" in said
    for name in ("api", "keeper", "worker", "kubernetes-worker"):
        pid = machine.process(name)["pid"]
        assert machine.administer("readlink", f"/proc/{pid}/cwd").strip() == str(other_clone)
    machine.eventually(lambda: answers(product, hello), "the plugin answers")


def test_clone_with_other_versions_is_refused(product: Product, hello: Installed, other_clone: Path) -> None:
    """Before anything is built or touched, with a sentence that says whose world it is and what to do."""
    with (other_clone / "infra/tools/toolchain.txt").open("a") as pins:
        pins.write("# another\n")
    for name in ("parts.sh", "up.sh"):
        done = machine.run(other_clone / "infra/local" / name)
        assert done.returncode == 1
        assert f"(from {machine.ROOT}, since" in done.stderr
        assert "is running with other versions than this clone pins. Stop it first: 'make down'" in done.stderr
    assert answers(product, hello)


def test_clone_older_than_the_record_is_refused(product: Product, hello: Installed, other_clone: Path, world: World) -> None:
    """A sentence instead of a traceback, and the product that understands the record goes on."""
    newest = asyncio.run(set_schema(world, "9999"))
    try:
        done = machine.run(other_clone / "infra/local/up.sh")
    finally:
        asyncio.run(set_schema(world, newest))
    assert done.returncode == 1
    assert "the record has schema 9999, which this version of the product does not know" in done.stderr
    assert "Traceback" not in done.stderr
    assert answers(product, hello)


async def set_schema(world: World, revision: str) -> str:
    """Let the record say that it has another schema; returns the one that it said before."""
    connection = await asyncpg.connect(plain(world.database_url))
    before = str(await connection.fetchval("SELECT version_num FROM alembic_version"))
    await connection.execute("UPDATE alembic_version SET version_num = $1", revision)
    await connection.close()
    return before


@pytest.mark.parametrize(
    ("tool", "sentence"),
    [
        ("git", "- git is missing: sudo apt-get install git\n"),
        ("make", "- make is missing: sudo apt-get install make\n"),
    ],
)
def test_doctor_names_what_is_missing(tmp_path: Path, tool: str, sentence: str) -> None:
    """With the command that mends it; and counts."""
    for folder in reversed(os.environ["PATH"].split(":")):
        for program in Path(folder).glob("*"):
            if program.name != tool:
                (tmp_path / program.name).unlink(missing_ok=True)
                (tmp_path / program.name).symlink_to(program)
    done = machine.run(machine.ROOT / "infra/local/doctor.sh", path=str(tmp_path))
    assert done.returncode == 1
    assert done.stdout.startswith(f"{sentence}1 thing missing. ")


def test_nothing_is_left_of_a_world(product: Product, hello: Installed) -> None:
    """Stopped, started empty and taken down: the machine is the same as without it; with its data back, everything is as before."""
    machine.script("down.sh", "--keep-data")
    machine.administer("mv", "-T", str(machine.STATE), str(machine.KEPT))
    without = machine.inventory()
    assert not [fact for fact in without if OURS.search(fact)]
    machine.script("up.sh")
    assert [fact for fact in machine.inventory() if OURS.search(fact)]
    machine.script("down.sh")
    assert machine.inventory() == without
    machine.administer("mv", "-T", str(machine.KEPT), str(machine.STATE))
    machine.script("up.sh")
    machine.eventually(lambda: answers(product, hello), "the plugin answers")
