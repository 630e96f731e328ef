"""Operations: asked for, handed out to whoever carries them, and closed with what they made."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from blocks.catalog.artefacts import upsert
from blocks.catalog.database import now_ms, pick, statement, transaction, unbroken
from blocks.catalog.idempotency import find_operation, keep_operation
from blocks.catalog.tables import Installation, Operation, Revision
from blocks.domain.asking import Standing, answer_install, answer_uninstall
from blocks.domain.errors import Terminal
from blocks.domain.manifest import InstallRequest
from blocks.domain.naming import namespace, slug


@dataclass(frozen=True)
class Requested:
    """What a request led to; `created` is False when an earlier operation already answers it."""

    installation: UUID
    operation: UUID
    created: bool


@dataclass(frozen=True)
class Order:
    """What a worker is to carry: the verb, on what, and the request it came with."""

    operation: UUID
    installation: UUID
    verb: str
    revision: int
    request: InstallRequest
    drop_data: bool


class Operations:
    """All operations of all installations."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @unbroken
    async def request_install(self, request: InstallRequest, actor: str, key: str | None) -> Requested:
        """Record the wish to install, or return the operation that already answers it.

        Raises `KeyReused` for a key that came with another body, `Busy` while another operation is on its way and `AlreadyInstalled`
        where something else of this plugin serves.
        """
        body = request.model_dump_json(by_alias=True)
        async with transaction(self._engine) as database:
            installation = await _lock_installation(self._engine, database, request)
            if key and (known := await find_operation(database, request.tenant, key, body)):
                return Requested(installation, known, created=False)
            standing = await _look_at(database, installation)
            if same := answer_install(standing, body):
                return Requested(installation, same, created=False)
            row = _row(installation, "install", body, actor) | {"revision": standing.last_revision + 1}
            operation = await _insert(database, row)
            if key:
                await keep_operation(self._engine, database, (request.tenant, key, body), operation)
        return Requested(installation, operation, created=True)

    @unbroken
    async def request_uninstall(self, installation: UUID, actor: str, *, drop_data: bool) -> Requested:
        """Record the wish to uninstall, or return the uninstall that is on its way; raises `Busy` and `NotInstalled`."""
        async with transaction(self._engine) as database:
            await _touch(database, installation)
            standing = await _look_at(database, installation)
            if same := answer_uninstall(standing):
                return Requested(installation, same, created=False)
            verb = "uninstall-with-data" if drop_data else "uninstall"
            row = _row(installation, verb, standing.serving_request or standing.active_request, actor) | {
                "revision": standing.revision
            }
            return Requested(installation, await _insert(database, row), created=True)

    @unbroken
    async def order(self, operation: UUID) -> Order:
        """What a worker is to carry, or `Terminal` if there is no such operation."""
        async with statement(self._engine) as database:
            row = (
                await database.execute(
                    pick(*_OPERATION, Operation.installation, Operation.revision).where(col(Operation.id) == operation)
                )
            ).one_or_none()
        if row is None:
            raise Terminal(f"there is no operation {operation}")
        request = InstallRequest.model_validate_json(row.request)
        verb, _, data = row.verb.partition("-with-")
        return Order(operation, row.installation, verb, row.revision, request, drop_data=bool(data))

    @unbroken
    async def last_install(self, installation: UUID) -> UUID:
        """The newest operation that was to install; `Terminal` if there was none."""
        mine = (col(Operation.installation) == installation) & (col(Operation.verb) == "install")
        newest = pick(Operation.id).where(mine).order_by(col(Operation.revision).desc()).limit(1)
        async with statement(self._engine) as database:
            found = (await database.execute(newest)).scalar_one_or_none()
        if found is None:
            raise Terminal(f"installation {installation} was never to be installed")
        return UUID(str(found))

    @unbroken
    async def start_attempt(self, operation: UUID) -> int:
        """Count one more run that is to carry the operation; returns its number, from 1."""
        counted = (
            update(Operation).where(col(Operation.id) == operation).values(attempt=Operation.attempt + 1, dispatched_at=now_ms())
        )
        async with statement(self._engine) as database:
            return int((await database.execute(counted.returning(col(Operation.attempt)))).scalar_one())

    @unbroken
    async def note_run(self, operation: UUID, flow_run: str) -> None:
        """Remember which flow run carries the operation, for the link that people follow."""
        async with statement(self._engine) as database:
            await database.execute(update(Operation).where(col(Operation.id) == operation).values(flow_run=flow_run))

    @unbroken
    async def serve_revision(self, made: Revision) -> None:
        """Record the revision and that it serves now; a repeated call changes nothing."""
        row = made.model_dump() | {"created_at": now_ms()}
        write = upsert(self._engine, Revision).values(row).on_conflict_do_nothing()
        serving = update(Installation).where(col(Installation.id) == made.installation).values(revision=made.number)
        async with transaction(self._engine) as database:
            await database.execute(write)
            await database.execute(serving)

    @unbroken
    async def serve_nothing(self, installation: UUID) -> None:
        """Record that no revision of the installation serves any more."""
        async with statement(self._engine) as database:
            await database.execute(update(Installation).where(col(Installation.id) == installation).values(revision=0))

    @unbroken
    async def others_in(self, namespace: str, installation: UUID) -> int:
        """How many other installations serve or are on their way in the namespace."""
        active = pick(Operation.installation).where(col(Operation.phase).in_(UNFINISHED))
        there = (col(Installation.namespace) == namespace) & (col(Installation.id) != installation)
        living = (col(Installation.revision) > 0) | col(Installation.id).in_(active)
        async with statement(self._engine) as database:
            return int((await database.execute(pick(func.count()).where(there & living))).scalar_one())


UNFINISHED = ("requested", "applying", "parked", "undoing", "frozen")


async def _lock_installation(engine: AsyncEngine, database: AsyncConnection, request: InstallRequest) -> UUID:
    """The installation's id, made if need be; from here to the commit nobody else asks for anything on it."""
    now = now_ms()
    row = {"id": uuid4(), "tenant": request.tenant, "environment": request.environment, "plugin": request.plugin.name}
    names = {"slug": slug(request.plugin.name), "namespace": namespace(request.tenant, request.environment), "revision": 0}
    write = upsert(engine, Installation).values(row | names | {"created_at": now, "touched_at": now})
    locked = write.on_conflict_do_update(index_elements=["tenant", "environment", "plugin"], set_={"touched_at": now})
    return UUID(str((await database.execute(locked.returning(col(Installation.id)))).scalar_one()))


async def _touch(database: AsyncConnection, installation: UUID) -> None:
    touched = update(Installation).where(col(Installation.id) == installation).values(touched_at=now_ms())
    if (await database.execute(touched.returning(col(Installation.id)))).first() is None:
        raise Terminal(f"there is no installation {installation}")


async def _look_at(database: AsyncConnection, installation: UUID) -> Standing:
    mine = col(Operation.installation) == installation
    last = (await database.execute(pick(*_OPERATION).where(mine).order_by(col(Operation.created_at).desc()).limit(1))).first()
    serving = await database.execute(
        pick(col(Installation.revision), *_OPERATION)
        .outerjoin(
            Revision, (col(Revision.installation) == col(Installation.id)) & (col(Revision.number) == col(Installation.revision))
        )
        .outerjoin(Operation, col(Operation.id) == col(Revision.operation))
        .where(col(Installation.id) == installation)
    )
    served = serving.one()
    highest = await database.execute(pick(func.max(Operation.revision)).where(mine))
    return Standing(
        active=last.id if last and last.phase in UNFINISHED else None,
        frozen=bool(last and last.phase == "frozen"),
        active_verb=last.verb if last else "",
        active_request=last.request if last else "",
        revision=served.revision,
        serving_operation=served.id,
        serving_request=served.request or "",
        last_revision=highest.scalar_one() or 0,
    )


_OPERATION: tuple[Any, ...] = (Operation.id, Operation.verb, Operation.phase, Operation.request)


def _row(installation: UUID, verb: str, body: str, actor: str) -> dict[str, Any]:
    now = now_ms()
    return {"installation": installation, "verb": verb, "request": body, "actor": actor, "created_at": now, "updated_at": now}


async def _insert(database: AsyncConnection, row: dict[str, Any]) -> UUID:
    operation = uuid4()
    await database.execute(insert(Operation).values(row | {"id": operation}))
    return operation
