"""A journal and a cluster whose user dies at an exact point, or stops there, or lets the test speak; the product knows nothing of it."""

import os
import signal
from dataclasses import dataclass, replace
from typing import Any

from blocks.catalog.journal import Journal
from blocks.catalog.leases import Lease
from blocks.domain.journal import Entry, Fact, Kind
from blocks.domain.objects.blueprint import Object
from blocks.ports.cluster import Applied
from blocks.toolchain import Toolchain
from tests.chaos.far import Far, open_far
from tests.chaos.points import Moment, Point


@dataclass(frozen=True)
class Fate:
    """What the worker does to itself at the point, once: a signal, or, with none, it lets the test speak and goes on after that."""

    point: Point
    signal: int | None = signal.SIGKILL


class Mortal:
    """One worker's fate, and the step that it is at; `far` is where the test listens."""

    def __init__(self, fate: Fate | None, far: str) -> None:
        self.fate, self.far, self.step, self.writes = fate, far, "", 0

    def wears(self, tools: Toolchain) -> Toolchain:
        """The toolchain with a journal and a cluster at which the fate is met."""
        journal = MortalJournal(tools.journal._engine, tools.journal._seals)
        journal.mortal = self
        cluster: Any = MortalCluster(tools.cluster, self)
        return replace(tools, journal=journal, cluster=cluster)

    def begins(self, fact: Fact) -> None:
        """From here on writes to the cluster are this step's."""
        if fact.kind in (Kind.INTENDED, Kind.UNDOING):
            self.step, self.writes = fact.step, 0

    async def may_meet(self, fact: Fact, *, after: bool) -> None:
        """Meet the fate if this is where."""
        if self.fate and self.fate.point.is_met(fact.step, fact.kind) and self.fate.point.is_after is after:
            await self._meet(self.fate)

    async def writes_again(self) -> None:
        """Meet the fate before the second write of its step."""
        self.writes += 1
        point = self.fate.point if self.fate else None
        if self.fate and point and point.moment is Moment.IN_BETWEEN and point.step == self.step and self.writes == 2:
            await self._meet(self.fate)

    async def _meet(self, fate: Fate) -> None:
        self.fate = None
        if fate.signal is not None:
            os.kill(os.getpid(), fate.signal)
            return
        async with open_far(self.far) as client:
            await Far(client, "word").speak(os.getpid())


class MortalJournal(Journal):
    """A journal whose writer meets its fate."""

    mortal: Mortal

    async def append(self, lease: Lease, fact: Fact) -> Entry:
        """Append, and meet the fate before or after."""
        await self.mortal.may_meet(fact, after=False)
        entry = await super().append(lease, fact)
        self.mortal.begins(fact)
        await self.mortal.may_meet(fact, after=True)
        return entry


class MortalCluster:
    """A cluster whose writer meets its fate between two writes."""

    def __init__(self, cluster: Any, mortal: Mortal) -> None:
        self._cluster, self._mortal = cluster, mortal

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cluster, name)

    async def apply(self, desired: Object) -> Applied:
        """Let the object stand as desired."""
        await self._mortal.writes_again()
        applied: Applied = await self._cluster.apply(desired)
        return applied

    async def remove(self, *args: Any) -> bool:
        """Let the object be gone."""
        await self._mortal.writes_again()
        return bool(await self._cluster.remove(*args))
