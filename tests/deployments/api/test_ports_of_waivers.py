"""The contract of waivers: in memory it is as on each database."""

import time
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.requests import Asked
from blocks.catalog.seals import FolderSeals
from blocks.catalog.waivers import WantedWaivers
from blocks.domain.errors import NotAllowed, Terminal
from blocks.domain.waivers import DAY_MS, LONGEST_MS, Waived, Waiver, Waiving
from blocks.domain.watch import Spot
from tests.deployments.api.records import InMemory, Live, Record

SPOT = Spot("default", "prod", "@backstage/plugin-catalog")
FINDING = "vulnerability:CVE-2026-0001:lodash"
SUE, TOM = Asked("sue", reason="it is never called"), Asked("tom", reason="it is called after all")


def until(millis: int) -> Waiving:
    """The finding waived for so many milliseconds from now on."""
    return Waiving(FINDING, "team-search", int(time.time() * 1000) + millis)


async def waive(record: Record, tenant: str = "default", millis: int = DAY_MS) -> Waiver:
    """A waiver, as it is seen."""
    made = await record.waivers.waive(Spot(tenant, "prod", SPOT.plugin), until(millis), SUE)
    assert await record.waivers.waiver(made.id) == made
    return made


async def standing(record: Record, spot: Spot = SPOT) -> tuple[Waived, ...]:
    """What counts there now, as a verdict asks."""
    asked: Any = record.waivers
    found: tuple[Waived, ...] = await asked.standing(spot)
    return found


class Answered:
    """What both must make of what people say."""

    async def test_a_waiver_is_kept_as_it_was_said_and_counts(self, record: Record) -> None:
        made = await waive(record)
        assert (made.spot, made.what.finding, made.what.owner) == (SPOT, FINDING, "team-search")
        assert (made.actor, made.reason, made.revoked_at) == ("sue", "it is never called", 0)
        assert await standing(record) == (made.used,)

    async def test_it_counts_there_and_nowhere_else(self, record: Record) -> None:
        await waive(record)
        others = [Spot("other", "prod", SPOT.plugin), Spot("default", "dev", SPOT.plugin), Spot("default", "prod", "another")]
        assert [await standing(record, one) for one in others] == [(), (), ()]

    @pytest.mark.parametrize("millis", [-DAY_MS, LONGEST_MS + DAY_MS])
    async def test_one_that_would_not_stand_or_for_ever_is_refused_and_leaves_nothing(self, record: Record, millis: int) -> None:
        with pytest.raises(NotAllowed):
            await waive(record, millis=millis)
        assert (await record.waivers.waivers(WantedWaivers(), 10, None)).items == ()

    async def test_a_revoked_one_counts_no_longer_and_says_who_and_why_first(self, record: Record) -> None:
        made = await waive(record)
        revoked = await record.waivers.revoke(made.id, TOM)
        assert (revoked.revoked_by, revoked.revoked_why, revoked.revoked_at > 0) == ("tom", "it is called after all", True)
        assert await record.waivers.revoke(made.id, SUE) == revoked
        assert await standing(record) == ()

    async def test_what_is_not_there_is_not_revoked(self, record: Record) -> None:
        assert await record.waivers.waiver(UUID(int=1)) is None
        with pytest.raises(Terminal, match="there is no waiver"):
            await record.waivers.revoke(UUID(int=1), TOM)

    async def test_waivers_are_listed_by_tenant_and_page(self, record: Record) -> None:
        made = [await waive(record, tenant) for tenant in ("a", "b", "c")]
        ordered = sorted(made, key=lambda one: str(one.id))
        first = await record.waivers.waivers(WantedWaivers(), 2, None)
        assert ([*first.items], first.next) == (ordered[:2], str(ordered[1].id))
        rest = await record.waivers.waivers(WantedWaivers(), 2, first.next)
        assert ([*rest.items], rest.next) == (ordered[2:], None)
        mine = await record.waivers.waivers(WantedWaivers(frozenset({"b"}), "prod"), 10, None)
        assert [one.spot.tenant for one in mine.items] == ["b"]
        assert (await record.waivers.waivers(WantedWaivers(environment="dev"), 10, None)).items == ()


class TestInMemory(Answered):
    """The fake keeps the contract."""

    @pytest.fixture
    def record(self) -> Record:
        """An empty record in memory."""
        return InMemory()


class TestLive(Answered):
    """So does the catalogue."""

    @pytest.fixture
    def record(self, engine: AsyncEngine, tmp_path: Path) -> Record:
        """An empty record in the catalogue."""
        return Live(engine, FolderSeals(tmp_path / "seals", tmp_path / "seals.key"))
