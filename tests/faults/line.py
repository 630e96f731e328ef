"""A line of small things that an operation puts up one after another: steps, journal, lease and cluster client as they really are.

The record is a real one and the cluster is the fake; what a step changes can be counted there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from prefect import Flow, flow
from prefect.client.schemas.objects import State as RunState

from blocks.catalog.database import open_database
from blocks.catalog.journal import Journal
from blocks.catalog.migrate import migrate
from blocks.catalog.requests import Asked, Requests
from blocks.domain.journal import Entry, Kind, State, fold
from blocks.domain.objects.names import Name
from blocks.settings import Settings
from blocks.work import Work
from tasks.carry import carry
from tasks.kinds import Undo, step
from tests.blocks.cluster.conftest import make
from tests.builders import make_request
from tests.fakes.cluster import FakeCluster

SPACE = "here"
NAMES = tuple(f"thing-{number}" for number in range(1, 9))


@step(Undo.REVERSIBLE, keyed=True)
async def put_up(work: Work, name: str) -> str:
    """The thing stands; its uid."""
    return (await work.tools.cluster.apply(make("ConfigMap", SPACE, name))).uid


@put_up.undo
async def put_away(work: Work, name: str) -> None:
    """The thing is gone."""
    await work.tools.cluster.remove(Name("ConfigMap", SPACE, name), lambda _: True)


async def put_up_all(work: Work) -> None:
    """Every thing stands."""
    for name in NAMES:
        await put_up(work, name)


def line(settings: Settings) -> "Flow[[UUID], Any]":
    """The flow that carries such an operation."""

    @flow(name="line")
    async def put_up_line(operation: UUID) -> RunState[None]:
        return await carry(operation, settings, put_up_all, (put_up,))

    return put_up_line


@dataclass(frozen=True)
class Outcome:
    """What the record says of an operation, and how often each thing was written to the cluster."""

    state: State
    entries: Sequence[Entry]
    writes: dict[str, int]

    @property
    def is_whole(self) -> bool:
        """Whether it came to its end by itself, with one result for each step, each thing written once, and never a doubt."""
        results = [entry.step for entry in self.entries if entry.kind is Kind.DONE]
        doubts = [entry for entry in self.entries if entry.kind in (Kind.FAILED, Kind.FROZEN, Kind.UNDOING)]
        return (
            self.entries[-1].kind is Kind.FINISHED
            and results == [f"put_up:{name}" for name in NAMES]
            and self.writes == dict.fromkeys(NAMES, 1)
            and not doubts
        )


async def ask_for_line(database_url: str, cluster: FakeCluster, tenant: str = "default") -> UUID:
    """An operation in the record, and a namespace for its things."""
    if ("namespaces", "", SPACE) not in cluster.store.objects:
        cluster.store.create(("namespaces", "", SPACE), make("Namespace", "", SPACE), "test")
    engine = open_database(database_url)
    try:
        await migrate(engine)
        return (await Requests(engine).request_install(make_request(tenant=tenant), Asked("ann"))).operation
    finally:
        await engine.dispose()


async def outcome(database_url: str, operation: UUID, cluster: FakeCluster) -> Outcome:
    """How it stands."""
    engine = open_database(database_url)
    try:
        entries = await Journal(engine).read(operation)
    finally:
        await engine.dispose()
    written = [change.key[2] for change in cluster.store.log if change.key[0] == "configmaps"]
    return Outcome(fold(entries), entries, {name: written.count(name) for name in written})
