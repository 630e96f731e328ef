"""Requests that are sent twice: the same key with the same body is the same operation, for 24 hours."""

import hashlib
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from blocks.catalog.artefacts import upsert
from blocks.catalog.database import now_ms, pick
from blocks.catalog.tables import IdempotencyKey
from blocks.domain.asking import KeyReused

KEPT_MS = 24 * 3600 * 1000


async def find_operation(database: AsyncConnection, tenant: str, key: str, body: str) -> UUID | None:
    """The operation that this key stands for, None if the key is new or old enough, or `KeyReused`."""
    fresh = col(IdempotencyKey.created_at) > now_ms() - KEPT_MS
    same = pick(IdempotencyKey.body, IdempotencyKey.operation).where(
        col(IdempotencyKey.tenant) == tenant, col(IdempotencyKey.key) == key, fresh
    )
    kept = (await database.execute(same)).first()
    if kept is None:
        return None
    if kept.body != _digest(body):
        raise KeyReused("this Idempotency-Key came with another body before", "use a new key for a new request")
    return UUID(str(kept.operation))


async def keep_operation(engine: AsyncEngine, database: AsyncConnection, asked: tuple[str, str, str], operation: UUID) -> None:
    """Let the key of (tenant, key, body) stand for the operation; one that ran out is replaced."""
    tenant, key, body = asked
    row = {"body": _digest(body), "operation": operation, "created_at": now_ms()}
    write = upsert(engine, IdempotencyKey).values({"tenant": tenant, "key": key} | row)
    await database.execute(write.on_conflict_do_update(index_elements=["tenant", "key"], set_=row))


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()
