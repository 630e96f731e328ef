"""Alive and ready."""

import httpx
import pytest

from blocks.domain.errors import Transient
from deployments.api.health import make_health
from deployments.api.probes import record_probe
from tests.deployments.builders import Desk


async def ask(desk: Desk, path: str) -> httpx.Response:
    """The answer of the health port."""
    app = make_health({"database": record_probe(desk.record)})
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://health.test") as client:
        return await client.get(path)


@pytest.mark.parametrize("broken", [False, True], ids=["with the database", "without the database"])
async def test_it_is_alive(broken: bool) -> None:  # noqa: FBT001 (a table)
    desk = Desk()
    desk.record.broken = Transient("away") if broken else None
    assert (await ask(desk, "/health/liveness")).status_code == 200


async def test_it_is_ready_when_the_database_answers() -> None:
    answer = await ask(Desk(), "/health/readiness")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")


async def test_it_is_not_ready_without_the_database_and_says_so() -> None:
    desk = Desk()
    desk.record.broken = Transient("the database did not answer")
    answer = await ask(desk, "/health/readiness")
    assert (answer.status_code, answer.json()["status"]) == (503, "not ready")
    assert answer.json()["parts"] == [{"name": "database", "reachable": False, "message": "the database did not answer"}]
