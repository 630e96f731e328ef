"""A service with a next release, people who use it meanwhile, and what the timeline says of how that one came."""

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

import httpx

from tests.e2e.api import Product
from tests.e2e.folders import Service
from tests.e2e.traffic import RATE, Traffic, using

STAGES = (20, 60, 100)
CANARY: dict[str, Any] = {
    "strategy": "canary",
    "strategyConfig": {"stages": "20,60,100", "stageInterval": "12", "analysis": {"interval": 5, "minRequests": 5}},
}
# In the whole suite a right split is doubted once in a million times; there are so many looks at one.
ALARM = 1e-6 / 10
# Seconds that Envoy may take to follow a route after it was accepted.
FOLLOWS = 1.5
BAD = "const failing = Math.random() < 0.7 && pathname === '/hello';"


def publish(service: Service, version: str, *, bad: bool = False) -> None:
    """The folder holds the next version from now on; a bad one is ready and fails those who use it."""
    before = (service.folder / "plugin.yaml").read_text()
    service.write("plugin.yaml", re.sub("^version: .*", f"version: {version}", before, flags=re.MULTILINE))
    server = service.sample("server.mjs")
    if bad:
        failing = server.replace("  const found =", f"  {BAD}\n  const found =")
        server = failing.replace("found ? 200 : 404", "failing ? 500 : found ? 200 : 404")
    service.write("server.mjs", server)


def has_begun(step: str) -> Callable[[Mapping[str, Any]], bool]:
    """Whether the newest operation is that far."""
    return lambda seen: any(one["name"] == step for one in seen["operation"]["steps"])


def entries(product: Product, seen: dict[str, Any]) -> list[dict[str, Any]]:
    """What the timeline says of the newest operation."""
    answer = product.api.get(f"/api/v1/installations/{seen['id']}/timeline", params={"limit": 500}).raise_for_status()
    return [one for one in answer.json()["items"] if one["operation"] == seen["operation"]["id"]]


def people(product: Product, seen: dict[str, Any], rate: int = RATE) -> AbstractContextManager[Traffic]:
    """Users of the installation's greeting, so many a second."""
    return using(product.world.gateway_url, httpx.URL(seen["revision"]["url"]).host, "/hello", rate=rate)


def at(told: list[dict[str, Any]], step: str, kind: str = "done") -> float:
    """When the step came to this, in seconds since 1970."""
    said = next(one["at"] for one in told if (one["step"], one["kind"]) == (step, kind))
    return datetime.fromisoformat(said).timestamp()
