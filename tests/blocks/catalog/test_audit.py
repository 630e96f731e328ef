"""Whoever reaches the database and changes the record is found out: on both databases, with real seals beside them."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TypeAlias

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.journal import Journal
from blocks.domain.audit import Broken
from blocks.domain.journal import Entry, Fact, Kind, first_broken
from tests.blocks.catalog.records import BOB, Record, make_record

Tampering: TypeAlias = Callable[[Record], Awaitable[None]]


@pytest.fixture
async def told(record: Record) -> Record:
    """An operation with six entries of which a person said the last."""
    await record.begin(Kind.DONE, Kind.INTENDED, Kind.DONE, Kind.INTENDED)
    await record.words.freeze(record.operation, BOB, "")
    return record


def sql(*statements: str) -> Tampering:
    """Somebody who knows SQL."""

    async def tamper(record: Record) -> None:
        for statement in statements:
            await record.sql(statement)

    return tamper


async def edit_and_make_anew(record: Record) -> None:
    """Somebody who knows how the chain is made, too."""
    entries = await record.entries()
    await rewrite(record, [*entries[:2], replace(entries[2], actor="eve"), *entries[3:]])


async def remove_and_make_anew(record: Record) -> None:
    """As if it had never been said."""
    entries = await record.entries()
    await rewrite(record, [*entries[:2], *entries[3:]])


async def rewrite(record: Record, entries: list[Entry]) -> None:
    """Put these entries there instead, with a chain and a row that fit."""
    made: list[Entry] = []
    for seq, entry in enumerate(entries, 1):
        made.append(replace(entry, seq=seq, prev=made[-1].hash if made else "").sealed())
    await record.sql("DELETE FROM journal")
    for entry in made:
        told = asdict(entry) | {"operation": record.operation.hex, "kind": entry.kind.value}
        names = ", ".join(f'"{name}"' for name in told)
        await record.sql(f"INSERT INTO journal ({names}) VALUES ({', '.join(repr(value) for value in told.values())})")
    await record.sql(f"UPDATE operation SET seq = {len(made)}, head = '{made[-1].hash}' WHERE id = :id")


SHORTENED = """UPDATE operation SET seq = 4, phase = 'applying',
               head = (SELECT hash FROM journal WHERE seq = 4) WHERE id = :id"""


@pytest.mark.parametrize(
    ("tamper", "seq", "what"),
    [
        pytest.param(sql("UPDATE journal SET actor = 'eve' WHERE seq = 3"), 3, "edited", id="edited"),
        pytest.param(sql("UPDATE journal SET payload = 'no JSON' WHERE seq = 3"), 3, "edited", id="edited into nonsense"),
        pytest.param(sql("UPDATE journal SET kind = 'dreamt' WHERE seq = 3"), 3, "edited", id="edited into an unknown kind"),
        pytest.param(edit_and_make_anew, 3, "not the one that was sealed", id="edited, and the chain made anew"),
        pytest.param(sql("DELETE FROM journal WHERE seq = 3"), 3, "removed", id="removed"),
        pytest.param(remove_and_make_anew, 3, "not the one that was sealed", id="removed, and the chain made anew"),
        pytest.param(sql("DELETE FROM journal WHERE seq > 4"), 5, "removed, with all that followed", id="the last ones removed"),
        pytest.param(
            sql("DELETE FROM journal WHERE seq > 4", SHORTENED),
            5,
            "removed, with all",
            id="the last ones, and the row made to fit",
        ),
        pytest.param(
            sql(
                "UPDATE journal SET seq = 99 WHERE seq = 3",
                "UPDATE journal SET seq = 3 WHERE seq = 4",
                "UPDATE journal SET seq = 4 WHERE seq = 99",
            ),
            3,
            "put in another place",
            id="reordered",
        ),
        pytest.param(
            sql("DELETE FROM journal", "DELETE FROM operation"), 1, "removed, with the whole operation", id="the whole operation"
        ),
        pytest.param(sql("UPDATE operation SET phase = 'succeeded'"), 6, "contradicted", id="the row says something else"),
    ],
)
async def test_names_the_operation_and_the_first_entry(told: Record, tamper: Tampering, seq: int, what: str) -> None:
    """And what became of it."""
    assert await told.audit.verify() == []
    await tamper(told)
    (broken,) = await told.audit.verify()
    assert (broken.operation, broken.seq) == (told.operation, seq)
    assert broken.what.startswith(what)


async def test_other_operations_are_left_alone(told: Record, engine: AsyncEngine, tmp_path: Path) -> None:
    """Only what was touched is named."""
    other = await make_record(engine, tmp_path, "other")
    await other.begin()
    await told.sql("UPDATE journal SET actor = 'eve' WHERE operation = :id AND seq = 2")
    assert await told.audit.verify() == [Broken(told.operation, 2, "edited")]


async def test_a_forged_seal_is_named(told: Record, tmp_path: Path) -> None:
    """The journal may be whole; somebody was at its seals."""
    (file,) = (tmp_path / "seals").glob("*/*.seals")
    file.write_text(file.read_text().replace('"seq": 6', '"seq": 7'))
    (broken,) = await told.audit.verify()
    assert broken == Broken(told.operation, 0, "1 seal(s) were not signed by us")


async def test_a_death_before_the_seal_is_no_alarm_and_is_mended(told: Record) -> None:
    """What was committed and not sealed is said, and sealed by whoever catches up."""
    lease_free = Journal(told.engine)
    await told.words.unfreeze(told.operation, BOB, "")
    lease = await told.leases.acquire(told.operation, "worker")
    await lease_free.append(lease, Fact("build", Kind.INTENDED, "worker"))
    assert await told.audit.verify() == []
    assert await told.audit.remarks() == [f"{told.operation}: not sealed after entry 7"]
    assert [await told.audit.catch_up(within=60), await told.audit.catch_up()] == [1, 0]
    assert await told.audit.remarks() == []


async def test_nothing_that_was_tampered_with_is_sealed_afterwards(told: Record) -> None:
    """Catching up does not wash anything clean."""
    await told.words.unfreeze(told.operation, BOB, "")
    await edit_and_make_anew(told)
    await told.sql("UPDATE operation SET phase = 'applying'")
    lease = await told.leases.acquire(told.operation, "worker")
    await Journal(told.engine).append(lease, Fact("build", Kind.INTENDED, "worker"))
    assert await told.audit.catch_up() == 0
    assert [broken.seq for broken in await told.audit.verify()] == [3]


async def test_lost_seals_are_said_and_not_made_again(told: Record, tmp_path: Path) -> None:
    """That is for people to look at."""
    (file,) = (tmp_path / "seals").glob("*/*.seals")
    file.unlink()
    assert await told.audit.catch_up() == 0
    assert await told.audit.remarks() == [f"{told.operation}: not sealed after entry 0"]


async def test_a_seal_cut_short_is_said(told: Record, tmp_path: Path) -> None:
    """And is no alarm."""
    (file,) = (tmp_path / "seals").glob("*/*.seals")
    file.write_text(file.read_text()[:-30])
    assert await told.audit.verify() == []
    assert len(await told.audit.remarks()) == 2


async def test_what_is_exported_can_be_verified_by_anybody(told: Record, engine: AsyncEngine, tmp_path: Path) -> None:
    """A line of JSON for each entry, in order, with everything that was hashed."""
    other = await make_record(engine, tmp_path, "other")
    await other.begin()
    lines = [json.loads(line) async for line in told.audit.export()]
    assert [line["seq"] for line in lines] == [1, 2, 3, 4, 5, 6, 1]
    entries = [Entry(**{**line, "kind": Kind(line["kind"])}) for line in lines[:6]]
    assert first_broken(entries, lines[5]["hash"]) is None
