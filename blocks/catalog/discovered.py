"""What whoever looks for releases must know of a watch, and what is noted of each look."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from blocks.catalog.artefacts import upsert
from blocks.catalog.database import now_ms, pick, statement, transaction, unbroken
from blocks.catalog.tables import Discovered, Installation, JournalEntry, Operation, Quarantine, Revision, Watch
from blocks.catalog.watches import OF_WATCH, as_watch, lock_watch
from blocks.domain.discover import Finding, Known, Sight, Tried
from blocks.domain.journal import Kind, Reason
from blocks.domain.manifest import InstallRequest, NpmSource, Source
from blocks.domain.resolution import is_exact
from blocks.domain.status import read_reason
from blocks.domain.watch import Done
from blocks.domain.watch import Watch as Watched

BRINGS_A_RELEASE = ("install", "update", "plan")
# So many operations of an installation are looked at, the last first: what was said long ago was said of releases long passed.
MOST_TRIED = 200


@dataclass(frozen=True)
class Due:
    """A watch that is to be looked at, the installation if there is one, and the text of the request that serves there, or nothing."""

    watch: Watched
    installation: UUID | None = None
    request: str = ""

    @property
    def source(self) -> Source:
        """Where the releases are looked for: where the watch says, else where the installation has them from."""
        theirs = InstallRequest.model_validate_json(self.request).source if self.request else NpmSource()
        return self.watch.terms.source or theirs


class Discoveries:
    """All watches, as the flow that looks for releases knows them."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @unbroken
    async def due(self, watch: UUID | None = None) -> list[Due]:
        """Every watch that is enabled, the one that was looked at longest ago first; or only this one, enabled or not."""
        here = (col(Installation.tenant) == col(Watch.tenant)) & (col(Installation.environment) == col(Watch.environment))
        same = here & (col(Installation.plugin) == col(Watch.plugin))
        serving = (col(Revision.installation) == col(Installation.id)) & (col(Revision.number) == col(Installation.revision))
        chosen = pick(*OF_WATCH, col(Installation.id).label("installation"), Operation.request).select_from(Watch)
        joined = chosen.outerjoin(Installation, same).outerjoin(Revision, serving)
        asked = joined.outerjoin(Operation, col(Operation.id) == col(Revision.operation)).order_by(col(Watch.looked_at))
        wanted = col(Watch.enabled).is_(True) if watch is None else col(Watch.id) == watch
        async with statement(self._engine) as database:
            rows = (await database.execute(asked.where(wanted))).all()
        return [Due(as_watch(row), row.installation, row.request or "") for row in rows]

    @unbroken
    async def known(self, due: Due) -> Known:
        """How things stand around the watch now."""
        async with transaction(self._engine) as database:
            seen = await _seen(database, due.watch.id)
            if due.installation is None:
                return Known(seen=seen)
            kept = await _quarantined(database, due.installation)
            return Known(
                serving=await _serving(database, due.installation),
                quarantined={version: row.reason for version, row in kept.items() if not row.lifted_at},
                lifted={version: row.lifted_at for version, row in kept.items() if row.lifted_at},
                tried=await _tried(database, due.installation),
                seen=seen,
            )

    @unbroken
    async def note(self, watch: Watched, sight: Sight) -> None:
        """What was found and done is recorded, and the watch has no problem; nothing if it was removed meanwhile."""
        async with transaction(self._engine) as database:
            if await lock_watch(database, watch.id) is None:
                return
            looked = {"looked_at": now_ms(), "found": sight.found, "problem": "null"}
            await database.execute(update(Watch).where(col(Watch.id) == watch.id).values(looked))
            for finding in sight.findings:
                await self._note(database, watch, finding)

    @unbroken
    async def note_problem(self, watch: Watched, problem: Reason) -> None:
        """Why nothing could be seen this time is recorded; what was found before stays."""
        told = {"looked_at": now_ms(), "problem": json.dumps(asdict(problem))}
        async with statement(self._engine) as database:
            await database.execute(update(Watch).where(col(Watch.id) == watch.id).values(told))

    async def _note(self, database: AsyncConnection, watch: Watched, finding: Finding) -> None:
        row: dict[str, Any] = {"done": finding.done.value, "why": finding.why}
        # What was asked for once stays told, whatever became of the release since.
        row |= {"operation": finding.operation} if finding.operation else {}
        named = {"watch": watch.id, "release": f"{watch.spot.plugin}@{finding.version}", "first_seen": now_ms()}
        write = upsert(self._engine, Discovered).values(named | row)
        await database.execute(write.on_conflict_do_update(index_elements=["watch", "release"], set_=row))


async def _seen(database: AsyncConnection, watch: UUID) -> dict[str, Done]:
    rows = await database.execute(pick(Discovered.release, Discovered.done).where(col(Discovered.watch) == watch))
    return {_version(row.release): Done(row.done) for row in rows}


async def _quarantined(database: AsyncConnection, installation: UUID) -> dict[str, Any]:
    chosen = pick(Quarantine.release, Quarantine.reason, Quarantine.lifted_at)
    rows = await database.execute(chosen.where(col(Quarantine.installation) == installation))
    return {_version(row.release): row for row in rows}


async def _serving(database: AsyncConnection, installation: UUID) -> str:
    same = (col(Revision.installation) == col(Installation.id)) & (col(Revision.number) == col(Installation.revision))
    serves = pick(Revision.release).join(Installation, same).where(col(Installation.id) == installation)
    return _version((await database.execute(serves)).scalar_one_or_none() or "")


async def _tried(database: AsyncConnection, installation: UUID) -> tuple[Tried, ...]:
    """The operations that were to bring a release: the one that they resolved, or else the version that was asked for."""
    resolved = (col(JournalEntry.operation) == col(Operation.id)) & (col(JournalEntry.step) == "resolve")
    chosen = pick(Operation.id, Operation.verb, Operation.actor, Operation.request, Operation.reason, Operation.created_at)
    joined = chosen.add_columns(col(JournalEntry.payload)).outerjoin(
        JournalEntry, resolved & (col(JournalEntry.kind) == Kind.DONE.value)
    )
    mine = joined.where(col(Operation.installation) == installation, col(Operation.verb).in_(BRINGS_A_RELEASE))
    rows = await database.execute(mine.order_by(col(Operation.created_at).desc()).limit(MOST_TRIED))
    return tuple(_read_tried(rows))


def _read_tried(rows: Iterable[Any]) -> Iterable[Tried]:
    for row in rows:
        asked = InstallRequest.model_validate_json(row.request).plugin.version
        version = json.loads(row.payload)["release"]["version"] if row.payload else asked
        if is_exact(version):
            reason = read_reason(row.reason) or Reason("", "")
            yield Tried(row.id, row.verb, row.actor, version, row.created_at, reason.code, reason.message)


def _version(release: str) -> str:
    return release.rpartition("@")[2]
