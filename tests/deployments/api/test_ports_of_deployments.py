"""The contract of deployments, orders and neighbours: the record in memory answers as the real one does, on each database."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.requests import Requested
from blocks.catalog.seals import FolderSeals
from blocks.domain.asking import Busy, KeyReused
from blocks.domain.deployment import Deployment, NotDescribed
from blocks.domain.errors import Terminal
from tests.builders import make_request
from tests.deployments.api.records import ANN, InMemory, Live, Record, fail, install, see, serve

NAME = "@backstage/plugin-catalog"
BOB = replace(ANN, actor="bob", key="k")


def deploy(**changes: Any) -> Deployment:
    """A deployment of the plugin's next release."""
    said = {"pluginId": NAME, "pluginVersion": "2.1.0", "tenantId": "default", "environment": "Development"}
    return Deployment.model_validate(said | changes)


class Deployments:
    """What both must do."""

    async def test_a_deployment_updates_what_serves_and_leaves_the_rest(self, record: Record) -> None:
        served = await serve(record, replicas=3)
        asked = await record.requests.request_deployment(deploy(), BOB)
        order = await record.orders.order(asked.operation)
        assert (asked.installation, asked.created, order.installation) == (served.installation, True, served.installation)
        assert (order.verb, order.revision, order.actor, order.request.replicas) == ("update", 2, "bob", 3)
        assert (order.request.plugin.version, order.request.strategy) == ("2.1.0", "canary")
        assert (await see(record, asked)).operation.id == asked.operation

    async def test_the_same_deployment_is_the_same_operation(self, record: Record) -> None:
        await serve(record)
        first = await record.requests.request_deployment(deploy(), ANN)
        assert await record.requests.request_deployment(deploy(), ANN) == replace(first, created=False)
        with pytest.raises(Busy):
            await record.requests.request_deployment(deploy(totalInstances=2), ANN)
        await record.succeed(first)
        assert await record.requests.request_deployment(deploy(), ANN) == replace(first, created=False)

    async def test_a_key_stands_for_one_deployment_whatever_came_of_it(self, record: Record) -> None:
        await serve(record)
        first = await record.requests.request_deployment(deploy(), BOB)
        await fail(record, first)
        assert await record.requests.request_deployment(deploy(), BOB) == replace(first, created=False)
        with pytest.raises(KeyReused):
            await record.requests.request_deployment(deploy(totalInstances=2), BOB)

    @pytest.mark.parametrize(
        "wrong",
        [
            pytest.param({"tenantId": "acme"}, id="another tenant"),
            pytest.param({"environment": "Production"}, id="another environment"),
            pytest.param({"pluginId": "ledger"}, id="another plugin"),
        ],
    )
    async def test_what_does_not_serve_is_not_described(self, record: Record, wrong: dict[str, str]) -> None:
        await serve(record)
        with pytest.raises(NotDescribed):
            await record.requests.request_deployment(deploy(**wrong), ANN)

    async def test_what_was_taken_back_or_does_not_fit_leaves_nothing_behind(self, record: Record) -> None:
        asked = await install(record)
        await fail(record, asked)
        with pytest.raises(NotDescribed):
            await record.requests.request_deployment(deploy(), ANN)
        await serve(record)
        with pytest.raises(ValidationError):
            await record.requests.request_deployment(deploy(strategy="RollingUpdate", strategyConfig={}), ANN)
        assert (await see(record, asked)).operation.verb == "install"

    async def test_an_operation_that_is_not_there_has_no_order(self, record: Record) -> None:
        with pytest.raises(Terminal, match="there is no operation"):
            await record.orders.order(UUID(int=1))

    async def test_neighbours_are_what_serves_for_the_tenant(self, record: Record) -> None:
        catalog = await serve(record)
        needs = await self._serve(record, "shop", "prod", depends_on=[NAME])
        await serve(record, tenant="acme")
        await install(record, plugin={"name": "not-yet"})
        switched = await record.requests.request_switch(needs.installation, ANN, "disable")
        await record.succeed(switched)
        first, second = await record.neighbours.neighbours("default")
        assert (first.installation, first.environment, first.plugin, first.needs) == (catalog.installation, "dev", NAME, ())
        assert (first.release, first.enabled) == (f"{NAME}@2.0.8", True)
        assert (second.environment, second.plugin, second.enabled, second.needs) == ("prod", "shop", False, (NAME,))
        assert await record.neighbours.neighbours("nobody") == ()

    async def _serve(self, record: Record, name: str, environment: str, **changes: Any) -> Requested:
        request = make_request(plugin={"name": name}, environment=environment, **changes)
        asked = await record.requests.request_install(request, ANN)
        await record.succeed(asked)
        return asked


class TestInMemory(Deployments):
    """The fake keeps the contract."""

    @pytest.fixture
    def record(self) -> Record:
        """An empty record in memory."""
        return InMemory()


class TestLive(Deployments):
    """So does the catalogue."""

    @pytest.fixture
    def record(self, engine: AsyncEngine, tmp_path: Path) -> Record:
        """An empty record in a database."""
        return Live(engine, FolderSeals(tmp_path / "seals", tmp_path / "seals.key"))
