"""The API on a real record, on SQLite: for what has no twin in memory."""

import json
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.operations import Operations
from blocks.catalog.plugin_sets import PluginSets
from blocks.catalog.requests import Requests
from blocks.catalog.seals import FolderSeals
from blocks.catalog.set_requests import SetRequests
from blocks.catalog.views import Views
from blocks.catalog.words import Words
from blocks.domain.approval import Question
from blocks.domain.journal import Fact, Kind
from deployments.api.ports import Ports
from tests.deployments.api.records import Live, intended
from tests.deployments.builders import FAR, Desk


class RealDesk(Desk):
    """The API, with the catalogue behind what it asks of sets, operations and words."""

    def __init__(self, engine: AsyncEngine, seals: FolderSeals) -> None:
        super().__init__()
        self.engine, self.seals, self.live = engine, seals, Live(engine, seals)

    def ports(self, record: Any) -> Ports:
        """What the API reaches."""
        told = vars(super().ports(record)) | {"orders": Operations(self.engine), "requests": Requests(self.engine)}
        told |= {"set_requests": SetRequests(self.engine), "sets": PluginSets(self.engine, self.seals)}
        return Ports(**told | {"words": Words(self.engine, self.seals), "views": Views(self.engine)})

    async def make_plans(self, made: list[UUID]) -> None:
        """Each operation has a plan, with a number as its hash, and asks people about it."""
        for number, one in enumerate(made):
            plan = Fact("make_plan", Kind.DONE, "worker", json.dumps({"hash": f"sha256:{number}", "stages": []}))
            question = Question(f"sha256:{number}", "ann", 1, ("admin", "approver"), FAR).write()
            asks = Fact("approval", Kind.PARKED, "worker", question)
            await self.live.tell(one, intended("make_plan"), plan, intended("approval"), asks)
