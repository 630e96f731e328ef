"""The set for which an operation was made, and the right to write to several of its operations at once."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from blocks.catalog.database import pick
from blocks.catalog.tables import PluginSet, PluginSetMember


def set_of(operation: UUID) -> Select[Any]:
    """The id of the set for which the operation was made; no row if it was made for none."""
    return pick(PluginSetMember.plugin_set).where(col(PluginSetMember.operation) == operation, col(PluginSetMember.own))


async def hold_set(database: AsyncConnection, operation: UUID) -> None:
    """Hold the set until the transaction ends: who writes to several of its operations does so one after another, and nobody locks up."""
    mine = update(PluginSet).where(col(PluginSet.id).in_(set_of(operation)))
    await database.execute(mine.values(committed_at=PluginSet.committed_at))
