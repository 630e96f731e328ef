"""What people and schedules ask for, recorded as operations; one at a time on an installation.

To add a verb: give it an answer in blocks/domain/asking.py, a method here, and a flow that carries it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from blocks.catalog.database import now_ms, pick, transaction, unbroken
from blocks.catalog.idempotency import find_operation, keep_operation
from blocks.catalog.quarantine import lift
from blocks.catalog.standing import Place, lock_installation, look_at, touch, touch_spot
from blocks.catalog.tables import Operation, Revision
from blocks.domain.asking import (
    New,
    Standing,
    Wish,
    answer_install,
    answer_plan,
    answer_rollback,
    answer_switch,
    answer_uninstall,
    ask_for_version,
)
from blocks.domain.deployment import Deployment, ask_for_deployment, undescribed
from blocks.domain.errors import NotAllowed, Terminal
from blocks.domain.manifest import InstallRequest

# What concerns something that serves goes before new installations of ordinary priority.
URGENT = 5


@dataclass(frozen=True)
class Requested:
    """What a request led to; `created` is False when an earlier operation already answers it."""

    installation: UUID
    operation: UUID
    created: bool


@dataclass(frozen=True)
class Asked:
    """Who asks, the key that makes asking twice one operation, why, and on whose behalf if not their own."""

    actor: str
    key: str | None = None
    reason: str = ""
    behalf: str = ""


@dataclass(frozen=True)
class _Intent:
    """What is wanted: the wish, how it is answered, and the request it comes with (none: that of what serves)."""

    decide: Callable[[Standing], UUID | New]
    wish: Wish
    body: str
    request: str = ""
    priority: int = URGENT


class Requests:
    """The one way in for wishes.

    Every method raises `KeyReused` for a key that came with another body, `Busy` while another operation is on its way, and what the
    answers in blocks/domain/asking.py raise.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @unbroken
    async def request_install(self, request: InstallRequest, by: Asked, plan_hash: str | None = None) -> Requested:
        """Record the wish to install, or, where something else of the plugin serves, to update.

        With a plan's hash nothing but that plan will be carried out.
        """
        body = request.model_dump_json(by_alias=True)
        wish = Wish(by.reason, plan_hash=plan_hash)
        intent = _Intent(
            lambda standing: answer_install(standing, body, plan_hash),
            wish,
            f"{plan_hash or ''}{body}",
            body,
            request.options.priority,
        )
        async with transaction(self._engine) as database:
            return await self._record(database, await lock_installation(self._engine, database, request), by, intent)

    @unbroken
    async def request_plan(self, request: InstallRequest, by: Asked) -> Requested:
        """Record the wish to see what installing would do; it hinders nobody."""
        body = request.model_dump_json(by_alias=True)
        intent = _Intent(answer_plan, Wish(by.reason), f"plan{body}", body, request.options.priority)
        async with transaction(self._engine) as database:
            return await self._record(database, await lock_installation(self._engine, database, request), by, intent)

    @unbroken
    async def request_release(self, installation: UUID, version: str, by: Asked, verb: str = "update") -> Requested:
        """Record the wish to `update` what serves to the version, or to `plan` that; all else stays as it was asked for.

        What that was is read under the installation's lock, so that nobody's change is taken back by this; raises `NotInstalled`.
        """
        async with transaction(self._engine) as database:
            place = await touch(database, installation)
            request = ask_for_version(await look_at(database, place), version)
            body = request.model_dump_json(by_alias=True)
            decide = answer_plan if verb == "plan" else (lambda standing: answer_install(standing, body))
            priority = request.options.priority
            intent = _Intent(decide, Wish(by.reason, behalf=by.behalf), f"{verb} {installation} {version}", body, priority)
            return await self._record(database, place, by, intent)

    @unbroken
    async def request_deployment(self, wanted: Deployment, by: Asked) -> Requested:
        """Record the wish to install or update as the deployment says; all that it leaves out stays as it was asked for.

        That is read under the installation's lock too. Raises `NotDescribed` where nothing serves, and pydantic's `ValidationError`.
        """
        async with transaction(self._engine) as database:
            if (place := await touch_spot(database, wanted.spot)) is None:
                raise undescribed(wanted.spot)
            request = ask_for_deployment(await look_at(database, place), wanted)
            body = request.model_dump_json(by_alias=True)
            said = f"deployment {wanted.model_dump_json(by_alias=True)}"
            intent = _Intent(lambda now: answer_install(now, body), Wish(by.reason), said, body, request.options.priority)
            return await self._record(database, place, by, intent)

    async def request_uninstall(self, installation: UUID, by: Asked, *, drop_data: bool = False) -> Requested:
        """Record the wish to uninstall; raises `Needed` if other plugins cannot do without it."""
        wish = Wish(by.reason, drop_data=drop_data)
        return await self._request("uninstall", installation, by, (lambda now: answer_uninstall(now, drop_data=drop_data), wish))

    async def request_rollback(self, installation: UUID, by: Asked, revision: int | None = None) -> Requested:
        """Record the wish to go back to the revision, or to the last good one before what serves."""
        wish = Wish(by.reason, revision=revision)
        return await self._request("rollback", installation, by, (lambda now: answer_rollback(now, revision), wish))

    async def request_switch(self, installation: UUID, by: Asked, verb: str) -> Requested:
        """Record the wish to `enable`, `disable` or `reload` what serves."""
        return await self._request(verb, installation, by, (lambda now: answer_switch(now, verb), Wish(by.reason)))

    @unbroken
    async def request_again(self, operation: UUID, by: Asked) -> Requested:
        """Record once more what an install, update or plan asked for; `NotAllowed` for other verbs.

        While it is on its way, or once it serves, it answers its own request.
        """
        async with transaction(self._engine) as database:
            asked = pick(Operation.verb, Operation.request, Operation.wish).where(col(Operation.id) == operation)
            row = (await database.execute(asked)).one_or_none()
        if row is None:
            raise Terminal(f"there is no operation {operation}")
        if row.verb not in ("install", "update", "plan"):
            raise NotAllowed(f"a {row.verb} has no request of its own", "an install, update or plan can be asked for again")
        request = InstallRequest.model_validate_json(row.request)
        if row.verb == "plan":
            return await self.request_plan(request, by)
        return await self.request_install(request, by, Wish.read(row.wish).plan_hash)

    @unbroken
    async def lift_quarantine(self, installation: UUID, release: str, by: Asked) -> None:
        """Let the release be tried again on the installation; `NotAllowed` if it is in no quarantine."""
        async with transaction(self._engine) as database:
            await lift(database, (installation, release), (by.actor, by.reason))

    @unbroken
    async def _request(
        self, verb: str, installation: UUID, by: Asked, intent: tuple[Callable[[Standing], UUID | New], Wish]
    ) -> Requested:
        decide, wish = intent
        async with transaction(self._engine) as database:
            place = await touch(database, installation)
            return await self._record(database, place, by, _Intent(decide, wish, f"{verb} {installation} {wish.write()}"))

    async def _record(self, database: AsyncConnection, place: Place, by: Asked, intent: _Intent) -> Requested:
        if by.key and (known := await find_operation(database, place.tenant, by.key, intent.body)):
            return Requested(place.installation, known, created=False)
        standing = await look_at(database, place)
        answer = intent.decide(standing)
        if isinstance(answer, UUID):
            return Requested(place.installation, answer, created=False)
        request = intent.request or await _carried(database, place, standing, answer)
        row = {"verb": answer.verb, "revision": answer.revision, "request": request, "wish": intent.wish.write()}
        row |= {"installation": place.installation, "actor": by.actor, "priority": intent.priority}
        operation = await insert_operation(database, row)
        if by.key:
            await keep_operation(self._engine, database, (place.tenant, by.key, intent.body), operation)
        return Requested(place.installation, operation, created=True)


async def _carried(database: AsyncConnection, place: Place, standing: Standing, new: New) -> str:
    """The request that a verb without one of its own is about: that of the revision it names, or of what was on its way."""
    of_revision = (
        pick(Operation.request)
        .join(Revision, col(Revision.operation) == col(Operation.id))
        .where(col(Revision.installation) == place.installation, col(Revision.number) == new.revision)
    )
    found: str | None = (await database.execute(of_revision)).scalar_one_or_none()
    return found or standing.active_request


async def insert_operation(database: AsyncConnection, row: dict[str, Any]) -> UUID:
    """The id of the operation that the row becomes."""
    operation = uuid4()
    now = now_ms()
    await database.execute(insert(Operation).values(row | {"id": operation, "created_at": now, "updated_at": now}))
    return operation
