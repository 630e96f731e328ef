"""The plugins that serve for a tenant, and what each cannot do without; nothing here writes."""

import json

from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col

from blocks.catalog.database import pick, statement, unbroken
from blocks.catalog.tables import Installation, Revision
from blocks.domain.neighbours import Neighbour


class Neighbours:
    """Who stands beside whom."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @unbroken
    async def neighbours(self, tenant: str) -> tuple[Neighbour, ...]:
        """Every plugin that serves for the tenant, in every environment, by environment and name."""
        same = (col(Revision.installation) == col(Installation.id)) & (col(Revision.number) == col(Installation.revision))
        chosen = pick(
            Installation.id, Installation.environment, Installation.plugin, Installation.enabled, Revision.release, Revision.needs
        )
        serving = chosen.join(Revision, same).where(col(Installation.tenant) == tenant)
        async with statement(self._engine) as database:
            rows = (await database.execute(serving.order_by(col(Installation.environment), col(Installation.plugin)))).all()
        return tuple(
            Neighbour(row.id, row.environment, row.plugin, row.release, row.enabled, tuple(json.loads(row.needs))) for row in rows
        )
