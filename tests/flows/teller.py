"""Flows told in this process to a record, whatever world is behind them."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

import tasks.verify
from blocks.catalog.operations import Operations
from blocks.catalog.requests import Asked, Requests
from blocks.catalog.seals import FolderSeals
from blocks.catalog.views import Views
from blocks.catalog.words import Words
from blocks.domain.manifest import InstallRequest
from blocks.domain.status import InstallationView
from blocks.settings import Settings
from blocks.toolchain import Toolchain
from flows.install import install_plugin
from flows.plan import plan_plugin
from flows.rollback import rollback_plugin
from flows.switch import switch_plugin
from flows.uninstall import uninstall_plugin

ANN = Asked("ann")
SWITCHES = dict.fromkeys(("enable", "disable", "reload"), switch_plugin)
CARRIERS = {"rollback": rollback_plugin, "uninstall": uninstall_plugin} | SWITCHES
FLOWS = ("install", "install_set", "plan", "rollback", "switch", "uninstall")


class Stored(Protocol):
    """Objects by plural, namespace and name."""

    @property
    def objects(self) -> Mapping[tuple[str, str, str], dict[str, Any]]:
        """All that are there."""
        ...


class Standing(Protocol):
    """What stands in a cluster: a fake one itself, or what was seen of a real one at an instant."""

    @property
    def store(self) -> Stored:
        """What is kept."""
        ...


class Teller:
    """A record, and flows that are told to it; what is behind them is said by those who inherit."""

    def __init__(self, engine: AsyncEngine, settings: Settings, seals: FolderSeals) -> None:
        self.engine, self.settings, self.seals = engine, settings, seals
        self.operations, self.requests, self.views = Operations(engine), Requests(engine), Views(engine)
        self.words = Words(engine, seals)

    def open(self, settings: Settings, operation: UUID) -> AbstractAsyncContextManager[Toolchain]:
        """The toolchain of one operation, with this world behind it."""
        raise NotImplementedError

    def request(self, **changes: Any) -> InstallRequest:
        """A request for the one plugin that there is."""
        raise NotImplementedError

    async def install(self, **changes: Any) -> InstallationView:
        """The installation after its flow has ended, well or not; where something else of it serves, it is an update."""
        request = self.request(**changes)
        asked = await self.requests.request_install(request, ANN)
        ended = await install_plugin(request, asked.operation, return_state=True)
        assert ended.is_final()
        return await self.see(asked.installation)

    async def plan(self, **changes: Any) -> InstallationView:
        """The installation after somebody asked what installing would do."""
        request = self.request(**changes)
        asked = await self.requests.request_plan(request, ANN)
        await plan_plugin(request, asked.operation, return_state=True)
        return await self.see(asked.installation)

    async def uninstall(self, installation: UUID, *, drop_data: bool = False) -> InstallationView:
        """The installation after it was taken away."""
        asked = await self.requests.request_uninstall(installation, ANN, drop_data=drop_data)
        await uninstall_plugin(asked.operation, return_state=True)
        return await self.see(installation)

    async def roll_back(self, installation: UUID, revision: int | None = None) -> InstallationView:
        """The installation after it went back."""
        asked = await self.requests.request_rollback(installation, Asked("ann", reason="it is slow"), revision)
        await rollback_plugin(asked.operation, return_state=True)
        return await self.see(installation)

    async def switch(self, installation: UUID, verb: str) -> InstallationView:
        """The installation after it was enabled, disabled or reloaded."""
        asked = await self.requests.request_switch(installation, ANN, verb)
        await switch_plugin(asked.operation, return_state=True)
        return await self.see(installation)

    async def carry_on(self, seen: InstallationView) -> InstallationView:
        """The installation after another run took up its newest operation."""
        order = await self.operations.order(seen.operation.id)
        if order.verb in ("install", "update"):
            await install_plugin(order.request, order.operation, return_state=True)
        else:
            await CARRIERS[order.verb](order.operation, return_state=True)
        return await self.see(seen.id)

    async def see(self, installation: UUID) -> InstallationView:
        """How the installation stands in the record."""
        view = await self.views.installation(installation)
        assert view is not None
        return view


def use_settings_of(made: Teller, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let flows read the settings of this world, as they are by then."""
    for flow in FLOWS:
        monkeypatch.setattr(f"flows.{flow}.read_settings", lambda: made.settings)


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let verify ask again at once."""
    monkeypatch.setattr(tasks.verify, "PAUSES", (0.0,))
