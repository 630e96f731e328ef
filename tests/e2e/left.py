"""What an operation may leave behind, read from where it would be: cluster, database server, image registry and the record's rows."""

import asyncio
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
from sqlalchemy.engine import make_url

from blocks.databases import PluginDatabases
from blocks.domain.naming import namespace, slug
from tests.e2e.api import Product

# Rows that stand for something in the world; operations and their journal are history and stay.
ROWS = {
    "revisions that serve": "SELECT count(*) FROM installation WHERE tenant = $1 AND revision > 0",
    "revisions": "SELECT count(*) FROM revision r JOIN installation i ON i.id = r.installation WHERE i.tenant = $1",
    "operations that have not ended": """SELECT count(*) FROM operation o JOIN installation i ON i.id = o.installation
        WHERE i.tenant = $1 AND o.phase NOT IN ('succeeded', 'withdrawn')""",
}
ROUTES = ("httproutes", "deployments", "services", "pods", "secrets", "configmaps", "networkpolicies")


@dataclass(frozen=True)
class Left:
    """Everything of one tenant that is there, in words; two of these can be compared."""

    objects: frozenset[str]
    databases: frozenset[str]
    tags: frozenset[str]
    rows: tuple[tuple[str, int], ...]


def take_inventory(product: Product, tenant: str, plugin: str) -> Left:
    """What is there of the tenant in the cluster and of its installations in databases and rows, and every image tag of the plugin."""
    return Left(
        objects_in(product, namespace(tenant, "dev")),
        frozenset(asyncio.run(_databases(product, tenant))),
        frozenset(tags_of(product, plugin)),
        tuple((name, asyncio.run(count(product, query, tenant))) for name, query in ROWS.items()),
    )


def objects_in(product: Product, name: str) -> frozenset[str]:
    """What is in the namespace, and itself."""
    kinds = ",".join(("namespaces", *ROUTES))
    everywhere = product.kubectl("get", "namespaces", "-o", "name").split()
    there = product.kubectl("get", kinds.removeprefix("namespaces,"), "-n", name, "-o", "name", "--ignore-not-found").split()
    return frozenset(there) | {one for one in everywhere if one == f"namespace/{name}"}


def tags_of(product: Product, plugin: str) -> list[str]:
    """The tags of the plugin's images in the registry."""
    answer = httpx.get(f"http://{product.world.registry}/v2/plugins/{slug(plugin)}/tags/list", trust_env=False, timeout=60)
    assert answer.status_code in (200, 404), answer.text
    return (answer.json().get("tags") or []) if answer.status_code == 200 else []


async def count(product: Product, query: str, *values: object) -> Any:
    """The one value that the query gives."""
    connection = await asyncpg.connect(plain(product.world.database_url))
    try:
        return await connection.fetchval(query, *values)
    finally:
        await connection.close()


def plain(url: str) -> str:
    """The address as asyncpg takes it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


async def _databases(product: Product, tenant: str) -> list[str]:
    found = await count(product, "SELECT array_agg(id::text) FROM installation WHERE tenant = $1", tenant) or []
    mine = {f"p_{one.replace('-', '')[:16]}" for one in found}
    names = await PluginDatabases(product.world.plugin_database_admin_url).names()
    return [one for one in names if one.partition(" ")[2] in mine]
