"""Several plugins asked for as one: either each of them becomes an operation, or none does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from blocks.catalog.database import now_ms, transaction, unbroken
from blocks.catalog.held_sets import set_of
from blocks.catalog.idempotency import find_operation, keep_operation
from blocks.catalog.operations import serving_beside
from blocks.catalog.requests import Asked, insert_operation
from blocks.catalog.standing import Place, lock_installation, look_at
from blocks.catalog.tables import PluginSet, PluginSetMember
from blocks.domain.asking import Busy, Wish, answer_install
from blocks.domain.errors import NotAllowed
from blocks.domain.manifest import InstallRequest
from blocks.domain.plugin_sets import SetRequest, put_in_order


@dataclass(frozen=True)
class SetRequested:
    """What asking for a set led to: the operations that were made for it, in order; `created` is False where there is nothing to begin."""

    plugin_set: UUID
    operations: tuple[UUID, ...]
    created: bool


@dataclass(frozen=True)
class _Answer:
    """The operation of one plugin; `own` where it is made for this set."""

    operation: UUID
    own: bool


class SetRequests:
    """The one way in for sets."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @unbroken
    async def request_set(self, wanted: SetRequest, by: Asked) -> SetRequested:
        """Record every plugin of the set as an operation of its own, all in one transaction.

        What serves already, exactly so, is part of the set and begins nothing. Raises `Needed` where the plugins cannot be put in order,
        `KeyReused`, and `Busy` or `NotAllowed` with the plugin's name.
        """
        body = f"set{wanted.model_dump_json(by_alias=True)}"
        async with transaction(self._engine) as database:
            places = await self._lock(database, wanted.plugins)
            if by.key and (known := await find_operation(database, wanted.tenant, by.key, body)):
                return SetRequested((await database.execute(set_of(known))).scalar_one(), (), created=False)
            ordered = put_in_order(wanted.plugins, await serving_beside(database, wanted.tenant, wanted.environment))
            answers = [await _answer(database, places[one.plugin.name], one, by) for one in ordered]
            own = tuple(one.operation for one in answers if one.own)
            made = await _insert(database, wanted, by, answers)
            if by.key and own:
                await keep_operation(self._engine, database, (wanted.tenant, by.key, body), own[0])
        return SetRequested(made, own, created=bool(own))

    async def _lock(self, database: AsyncConnection, plugins: Sequence[InstallRequest]) -> Mapping[str, Place]:
        """Every installation, locked; always in one order, so that two sets never wait for each other."""
        by_name = sorted(plugins, key=lambda one: one.plugin.name)
        return {one.plugin.name: await lock_installation(self._engine, database, one) for one in by_name}


async def _answer(database: AsyncConnection, place: Place, request: InstallRequest, by: Asked) -> _Answer:
    body, standing = request.model_dump_json(by_alias=True), await look_at(database, place)
    try:
        answer = answer_install(standing, body)
    except (Busy, NotAllowed) as problem:
        raise type(problem)(f"{place.plugin}: {problem.message}", problem.hint) from problem
    if standing.active:
        said = f"{place.plugin}: {standing.active_verb} {standing.active} has not ended"
        raise Busy(said, "wait for it or cancel it, then ask again")
    if isinstance(answer, UUID):
        return _Answer(answer, own=False)
    row = {"verb": answer.verb, "revision": answer.revision, "request": body, "wish": Wish(by.reason).write()}
    row |= {"installation": place.installation, "actor": by.actor, "priority": request.options.priority}
    return _Answer(await insert_operation(database, row), own=True)


async def _insert(database: AsyncConnection, wanted: SetRequest, by: Asked, answers: Sequence[_Answer]) -> UUID:
    made = uuid4()
    row = {"id": made, "tenant": wanted.tenant, "environment": wanted.environment, "name": wanted.name}
    row |= {"actor": by.actor, "reason": by.reason, "created_at": now_ms(), "committed_at": 0}
    await database.execute(insert(PluginSet).values(row))
    members = [{"plugin_set": made, "place": place, **vars(one)} for place, one in enumerate(answers)]
    await database.execute(insert(PluginSetMember).values(members))
    return made
