"""A person's Secret reaches the plugin as a file; the database's password is in its Secret and nowhere else."""

import asyncio
import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from blocks.settings import Settings
from tests.e2e.answers import ASK
from tests.e2e.api import Product, locked
from tests.e2e.conftest import Tenant
from tests.e2e.left import plain

pytestmark = pytest.mark.world
TARGET = "http://localhost:7007/.backstage/health/v1"
READ = """
    SELECT 'journal ' || j.step || ' ' || j.kind, j.payload FROM journal j JOIN operation o ON o.id = j.operation
        WHERE o.installation = $1
    UNION ALL SELECT 'request', request FROM operation WHERE installation = $1
    UNION ALL SELECT 'reason', reason FROM operation WHERE installation = $1
    UNION ALL SELECT 'artefact ' || a.key, a.value FROM artefact a JOIN operation o ON o.id = a.operation WHERE o.installation = $1
"""
SEEN_BY_EVERYBODY = ("configmaps", "deployments", "pods", "replicasets", "events", "httproutes", "services", "serviceaccounts")


def test_secret_made_beforehand_takes_effect_in_the_configuration(product: Product, own_tenant: Tenant) -> None:
    namespace = f"{own_tenant.name}-dev"
    ours = {"app.kubernetes.io/managed-by": "plugin-pipeline"}
    product.kubectl("apply", "-f", "-", told=dump("Namespace", {"name": namespace, "labels": ours}))
    about = {"name": "upstream", "namespace": namespace}
    product.kubectl("apply", "-f", "-", told=dump("Secret", about, stringData={"address": TARGET}))
    request = product.request("backend", own_tenant.name)
    endpoint = request["config"]["proxy"]["endpoints"]["/self"]
    # Without the Secret the proxy knows no target: that it answers shows that the file was mounted and read.
    del endpoint["target"]
    path = ["proxy", "endpoints", "/self", "target"]
    seen = own_tenant.install({**request, "secretRefs": [{"secret": "upstream", "key": "address", "path": path}]})
    assert seen["phase"] == "succeeded", seen["operation"]["reason"]
    assert ASK["backend"](product, seen) == locked(seen)
    shown = [json.dumps(product.objects(kind, namespace)) for kind in ("configmaps", "deployments", "pods")]
    assert not [text for text in shown if TARGET in text]


def test_database_password_is_in_its_secret_and_nowhere_else(product: Product, tenant: Tenant) -> None:
    seen = tenant.plugin("backend")
    (password,) = [
        base64.b64decode(one["data"]["password"]).decode()
        for one in product.objects("secrets", seen["namespace"])
        if one["metadata"]["name"] == f"{seen['slug']}-database"
    ]
    assert len(password) > 30
    forms = (password, base64.b64encode(password.encode()).decode())
    places = dict(places_of(product, seen))
    assert [
        name for name in ("configmaps", "plan", "journal make_plan done", "flow run", "flow run's log") if not places[name]
    ] == []
    assert [name for name, text in places.items() if any(form in text for form in forms)] == []


def places_of(product: Product, seen: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every text that somebody other than the plugin can read, by where it is."""
    for kind in SEEN_BY_EVERYBODY:
        yield kind, json.dumps(product.objects(kind, seen["namespace"]))
    yield from asyncio.run(read_record(product, seen["id"]))
    yield "plan", read_plan(seen)
    yield "installation in the API", json.dumps(seen)
    yield "report", product.api.get(seen["links"]["report"]).text
    yield "plugin's own log", product.api.get(seen["links"]["logs"]).text
    yield from read_flow_run(product, seen["links"]["flowRun"].rpartition("/")[2])
    for file in Path(product.world.pipeline_state, "log").glob("*.log"):
        yield file.name, file.read_text(errors="replace")


async def read_record(product: Product, installation: str) -> list[tuple[str, str]]:
    """Everything that the record holds of the installation."""
    connection = await asyncpg.connect(plain(product.world.database_url))
    try:
        return [(name, text) for name, text in await connection.fetch(READ, installation)]
    finally:
        await connection.close()


def read_plan(seen: Mapping[str, Any]) -> str:
    """The plan's document from the storage."""
    (document,) = [one["result"]["document"] for one in seen["operation"]["steps"] if one["name"] == "make_plan"]
    name = str(document).removeprefix("sha256:")
    return (Settings().storage_dir / "artefacts" / name[:2] / name).read_text()


def read_flow_run(product: Product, flow_run: str) -> Iterator[tuple[str, str]]:
    """What Prefect's own pages tell of the flow run."""
    prefect = product.prefect
    yield "flow run", prefect.get(f"flow_runs/{flow_run}").text
    wanted = {"logs": {"flow_run_id": {"any_": [flow_run]}}, "limit": 200}
    yield "flow run's log", json.dumps(prefect.post("logs/filter", json=wanted).json())
    wanted = {"artifacts": {"flow_run_id": {"any_": [flow_run]}}}
    yield "flow run's artifacts", json.dumps(prefect.post("artifacts/filter", json=wanted).json())


def dump(kind: str, about: Mapping[str, Any], **rest: Any) -> str:
    """An object as kubectl takes it."""
    return json.dumps({"apiVersion": "v1", "kind": kind, "metadata": about, **rest})
