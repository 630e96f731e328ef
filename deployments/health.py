"""Asks what serves how it is, again and again, where people do; what stays ill is restarted or rolled back by policy.

A part of the keeper; several may ask, because each takes turns in the record.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from time import monotonic
from typing import Protocol
from uuid import UUID

from blocks.catalog.database import open_database
from blocks.catalog.health import Checkups, Turn
from blocks.catalog.requests import Asked, Requested, Requests
from blocks.domain.asking import Busy, KeyReused
from blocks.domain.errors import PipelineError, Terminal, Transient
from blocks.domain.health import (
    ACTOR,
    VERBS,
    Check,
    Condition,
    Place,
    Remedy,
    choose_remedy,
    find_place,
    judge_answer,
    judge_silence,
)
from blocks.domain.plan import read_hashed
from blocks.domain.service_host import ServiceHost
from blocks.plugin_web import open_plugin_web
from blocks.ports.cluster import Web
from blocks.settings import Settings
from blocks.storage import FolderStorage

# So many are asked at once.
AT_ONCE = 20
# A host that nobody has: a gateway that answers anything at all is there.
NOBODY = "nobody.plugin-pipeline.invalid"
LOG = logging.getLogger("plugin-pipeline.keeper")


class Documents(Protocol):
    """Where the documents of plans are kept."""

    async def get(self, key: str) -> bytes:
        """What is kept under the key, or `Terminal`."""


@dataclass(frozen=True)
class Ward:
    """What a round reaches: the record, the documents of plans, and the gateway."""

    checkups: Checkups
    requests: Requests
    documents: Documents
    web: Web


class Rounds:
    """One round after another; who answers slowly keeps nobody waiting but the one whose place is taken meanwhile."""

    def __init__(self, ward: Ward, most: int = AT_ONCE) -> None:
        self._ward, self._most = ward, most
        self._visits: set[asyncio.Task[None]] = set()

    async def look(self) -> bool:
        """Those whose turn it is are being asked, as many as there is room for; whether there may be more.

        Ends when there is room again, and raises `RecordAway` if nobody knows whose turn it is.
        """
        room = self._most - len(self._visits)
        turns = await self._ward.checkups.take_turns(room)
        for turn in turns:
            visit = asyncio.create_task(self._visit(turn))
            self._visits.add(visit)
            visit.add_done_callback(self._visits.discard)
        if len(self._visits) == self._most:
            await asyncio.wait(self._visits, return_when=asyncio.FIRST_COMPLETED)
        return len(turns) == room

    async def rest(self) -> None:
        """Nobody is being asked any more."""
        await asyncio.gather(*self._visits)

    async def _visit(self, turn: Turn) -> None:
        try:
            condition = await self._ward.checkups.note(turn, await self._ask(turn))
            if condition:
                await self.treat(turn, condition)
        except PipelineError as problem:
            LOG.warning("the health of installation %s: %s", turn.installation, problem)
        except Exception:
            # A mistake of ours with one installation is told whole and must not keep the others waiting.
            LOG.exception("the health of installation %s", turn.installation)

    async def _ask(self, turn: Turn) -> Check:
        began = monotonic()

        def at() -> int:
            return turn.began + int((monotonic() - began) * 1000)

        try:
            place = find_place(read_hashed((await self._ward.documents.get(turn.plan)).decode()), turn.terms)
        except Terminal as problem:
            return Check(at(), good=None, said=f"nobody knows where to ask: {problem.message}")
        status = await self._status(place, turn.terms.timeout)
        if status is not None:
            return judge_answer(at(), place.path, status)
        there = await self._status(Place(nobody_beside(place.host), "/"), turn.terms.timeout) is not None
        return judge_silence(at(), place.path, turn.terms.timeout, gateway_answers=there)

    async def _status(self, place: Place, seconds: int) -> int | None:
        try:
            async with asyncio.timeout(seconds):
                return (await self._ward.web.ask(place.host, place.path)).status
        except (Transient, TimeoutError):
            return None

    async def treat(self, turn: Turn, condition: Condition) -> None:
        """What the policy asks for now is asked for, once; or why that cannot be is noted."""
        remedy = choose_remedy(condition, turn.terms)
        if remedy is Remedy.NOTHING:
            return
        try:
            asked = await self._request(turn, remedy, condition)
        except (Busy, KeyReused):
            # Somebody was faster, and what comes of that is seen in a later turn.
            return
        except Terminal as problem:
            LOG.warning("installation %s is unhealthy, and there is no %s: %s", turn.installation, remedy, problem)
            await self._ward.checkups.note_refusal(turn, remedy, f"no {remedy}: {problem.message}")
            return
        LOG.warning("installation %s is unhealthy: %s; %s by %s", turn.installation, condition.said, remedy, asked.operation)

    async def _request(self, turn: Turn, remedy: Remedy, condition: Condition) -> Requested:
        by = Asked(ACTOR, make_key(turn.installation, turn.operation, remedy), tell_reason(condition))
        if remedy is Remedy.ROLLBACK:
            return await self._ward.requests.request_rollback(turn.installation, by)
        return await self._ward.requests.request_switch(turn.installation, by, VERBS[remedy])


def nobody_beside(host: str) -> str:
    """The host of nobody that is asked for where this one is: at the gateway, or among the Services of the same namespace."""
    service = ServiceHost.read(host)
    return str(replace(service, name="nobody")) if service else NOBODY


def make_key(installation: UUID, operation: UUID, remedy: Remedy) -> str:
    """What makes a remedy one word, however many keepers ask for it after the same operation."""
    return f"health:{installation}:{operation}:{remedy}"


def tell_reason(condition: Condition) -> str:
    """Why something is done, for people."""
    before = f", and {condition.tried} did not help" if condition.tried is not Remedy.NOTHING else ""
    return f"unhealthy: {condition.said}, {condition.failures} times in a row{before}"


@asynccontextmanager
async def open_rounds(settings: Settings) -> AsyncIterator[Rounds]:
    """The rounds, as the settings say; nothing is asked before the first."""
    engine = open_database(settings.database_url)
    async with open_plugin_web(settings) as web:
        rounds = Rounds(Ward(Checkups(engine), Requests(engine), FolderStorage(settings.storage_dir), web))
        yield rounds
        await rounds.rest()
    await engine.dispose()
