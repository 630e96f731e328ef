"""A record in memory, asked what a deployment was to bring and which plugins stand beside it."""

import json
from uuid import UUID

from blocks.catalog.operations import Order
from blocks.domain.errors import Terminal
from blocks.domain.manifest import InstallRequest
from blocks.domain.neighbours import Neighbour
from tests.fakes.memory import Memory


class FakeNeighbours(Memory):
    """What was asked for, and what serves beside it."""

    async def order(self, operation: UUID) -> Order:
        """What the operation is to carry out, or `Terminal` if there is none."""
        self.answer()
        if operation not in self.asked:
            raise Terminal(f"there is no operation {operation}")
        asked = self.asked[operation]
        request, view = InstallRequest.model_validate_json(asked.body), asked.view
        return Order(operation, asked.installation, view.verb, asked.revision, request, view.wish, view.actor)

    async def neighbours(self, tenant: str) -> tuple[Neighbour, ...]:
        """Every plugin that serves for the tenant, by environment and name."""
        self.answer()
        mine = sorted((one.environment, one.plugin, one) for one in self.installed.values() if one.tenant == tenant)
        found = [(view, self.made(view.id, self.serving.get(view.id, 0))) for _, _, view in mine]
        return tuple(
            Neighbour(
                view.id, view.environment, view.plugin, made.release, view.enabled, tuple(json.loads(made.body)["dependsOn"])
            )
            for view, made in found
            if made
        )
