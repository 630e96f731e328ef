"""How soon bad numbers lead back, and how soon a stage is met once its pods are ready: on the running product, while people use it.

Both are told by the timeline and by the people: the first from the sample that decided to the route's way back being written, and to the
last answer that anybody had from the bad release; the second from the pods being ready to the first answer of the new release.
"""

import asyncio
from pathlib import Path
from typing import Any

from tests.bench.figures import Figure
from tests.conftest import read_world
from tests.e2e.api import Product
from tests.e2e.conftest import Tenant
from tests.e2e.folders import make_service
from tests.e2e.rollouts import CANARY, at, entries, people, publish
from tests.e2e.traffic import Answer

TIMES = 5
Told = list[dict[str, Any]]


async def measure() -> list[Figure]:
    """So many bad releases, one after the other."""
    seen = await asyncio.to_thread(lambda: [react() for _ in range(TIMES)])
    named = (
        ("deciding sample → route back", "≤ 2"),
        ("deciding sample → its last answer", "≤ 2"),
        ("pods ready → its first answer", "≤ 0.5"),
    )
    columns = zip(*seen, strict=True)
    return [
        Figure(name, "s", tuple((one, None) for one in column), goal) for (name, goal), column in zip(named, columns, strict=True)
    ]


def react() -> tuple[float, float, float]:
    """Seconds: to the route back, to the last answer of the bad release, and before that to the first one."""
    product = Product(read_world())
    tenant = Tenant(product, "bench")
    try:
        with make_service(Path(product.world.plugin_dir)) as service:
            request = service.request(product, tenant.name)
            first = tenant.install(request)
            publish(service, "1.2.0", bad=True)
            with people(product, first) as traffic:
                ended = product.await_end(product.ask(request | CANARY | {"config": {"greeting": "ahoj"}}))
            assert ended["phase"] == "withdrawn", ended["operation"]
            bad = [one for one in traffic.answers if one.release == f"{service.name}@1.2.0"]
            return read_times(entries(product, ended), bad)
    finally:
        tenant.leave()
        product.close()


def read_times(told: Told, bad: list[Answer]) -> tuple[float, float, float]:
    """The three times of one operation."""
    watched = ("watch_stage:1", "measured")
    decided = max(at([one], *watched) for one in told if (one["step"], one["kind"]) == watched)
    back, ready = at(told, "route_stage:1", "undone"), at(told, "roll_out")
    return back - decided, max(one.over for one in bad) - decided, min(one.over for one in bad) - ready
