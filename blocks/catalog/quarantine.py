"""Releases that were rolled back on an installation and are not tried there again until a person lifts that with a reason."""

from uuid import UUID

from sqlalchemy import Update, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from blocks.catalog.artefacts import upsert
from blocks.catalog.database import now_ms, pick, statement, unbroken
from blocks.catalog.tables import Quarantine
from blocks.domain.errors import NotAllowed


class Quarantines:
    """The quarantines of all installations, as the steps know them."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @unbroken
    async def put_in(self, installation: UUID, release: str, said: tuple[str, str]) -> None:
        """Keep the release (`name@version`) from the installation; `said` is who and why. One that was lifted begins anew."""
        actor, reason = said
        row = {"reason": reason, "actor": actor, "at": now_ms(), "lifted_at": 0, "lifted_by": "", "lifted_why": ""}
        write = upsert(self._engine, Quarantine).values({"installation": installation, "release": release} | row)
        async with statement(self._engine) as database:
            await database.execute(write.on_conflict_do_update(index_elements=["installation", "release"], set_=row))

    @unbroken
    async def take_out(self, installation: UUID, release: str, said: tuple[str, str]) -> None:
        """Let the release be tried again, if it is in quarantine."""
        async with statement(self._engine) as database:
            await database.execute(_lifted((installation, release), said))

    @unbroken
    async def why(self, installation: UUID, release: str) -> str | None:
        """Why the release is in quarantine for the installation, or None if it is not."""
        here = (col(Quarantine.installation) == installation) & (col(Quarantine.release) == release)
        async with statement(self._engine) as database:
            found: str | None = (
                await database.execute(pick(Quarantine.reason).where(here, col(Quarantine.lifted_at) == 0))
            ).scalar_one_or_none()
        return found


async def releases_in(database: AsyncConnection, installation: UUID) -> frozenset[str]:
    """Every release in quarantine for the installation."""
    here = (col(Quarantine.installation) == installation) & (col(Quarantine.lifted_at) == 0)
    return frozenset(row.release for row in await database.execute(pick(Quarantine.release).where(here)))


async def lift(database: AsyncConnection, what: tuple[UUID, str], said: tuple[str, str]) -> None:
    """Take the release of the installation out of quarantine, or raise `NotAllowed` if it is in none."""
    installation, release = what
    if (await database.execute(_lifted(what, said).returning(col(Quarantine.release)))).first() is None:
        raise NotAllowed(f"{release} is in no quarantine on installation {installation}", "see the installation's quarantine")


def _lifted(what: tuple[UUID, str], said: tuple[str, str]) -> Update:
    actor, reason = said
    here = (col(Quarantine.installation) == what[0]) & (col(Quarantine.release) == what[1]) & (col(Quarantine.lifted_at) == 0)
    return update(Quarantine).where(here).values(lifted_at=now_ms(), lifted_by=actor, lifted_why=reason)
