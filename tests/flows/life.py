"""One installation in the middle of its life: what its users and its owner do, in the words that plays are written with.

A play is told to a life, and a life has a world behind it: `life_in_memory.py` for the fake cluster, `tests/e2e/life.py` for the real one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, ClassVar

from blocks.domain.approval import Speaker
from blocks.domain.journal import Kind, Phase
from blocks.domain.objects.names import Name
from blocks.domain.status import InstallationView
from tests.flows.standing import wanted
from tests.flows.teller import Standing, Teller

ROLLING, CANARY, BLUE_GREEN, AB = "rolling-update", "canary", "blue-green", "ab-testing"
GOOD, BAD, SILENT = {"2": 100}, {"2": 60, "5": 40}, {"2": 0}
UNWATCHED = {"enabled": False}
BOB = Speaker("bob", frozenset({"developer"}))
REVISIONS = range(1, 6)


class Nature(StrEnum):
    """What a release is like.

    One in disguise says that it is another release, a turncoat says so only to those who do not ask for its preview.
    """

    WELL = "well"
    FAILING = "failing"
    DISGUISED = "disguised"
    TURNCOAT = "turncoat"
    CRASHING = "crashing"
    UNREADY = "unready"


@dataclass(frozen=True)
class Pace:
    """How quick the world is, in seconds: what a sample is asked by, when pods are late, when controllers have followed.

    An `experiment` lasts as long as it takes to have enough requests, and then promotes what is not certain.
    """

    analysis: Mapping[str, Any]
    experiment: Mapping[str, Any]
    three_samples: int
    deadline: float
    followed: float
    look_every: float


@dataclass
class Life:
    """An installation whose first revision serves release 1.2.3, and the strategy by which the next ones come.

    `before` is all that was wanted in the cluster before the play, with what somebody else did there since.
    """

    pace: ClassVar[Pace]
    plugin: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    outside: Teller
    first: InstallationView
    strategy: str
    before: dict[str, Any] = field(init=False)

    async def remember(self) -> None:
        """What stands now is what it was before."""
        self.before = wanted(await self.stands())

    def config(self, analysis: Mapping[str, Any] | None = None, strategy: str = "", **said: Any) -> dict[str, Any]:
        """The strategy with what is said of it, as short as can be; a rolling update has nothing to say.

        An A/B test is always watched, however short: its experiment alone says by what, and `analysis` nothing.
        """
        chosen = strategy or self.strategy
        if chosen == ROLLING:
            return {"strategy": chosen, "strategyConfig": None}
        if chosen == AB:
            return {"strategy": chosen, "strategyConfig": {"experiment": {**self.pace.experiment, **said}}}
        stages = {"stages": "20,100"} if chosen == CANARY else {}
        asked = {"stageInterval": 0, "analysis": dict(self.pace.analysis if analysis is None else analysis)}
        return {"strategy": chosen, "strategyConfig": asked | stages | said}

    def by_header(self, header: Mapping[str, str]) -> dict[str, Any]:
        """The strategy by which whoever sends the header meets what is new before everybody does."""
        if self.strategy == AB:
            return self.config(header=dict(header))
        return self.config(stages=[{"weight": 0, "header": dict(header)}, {"weight": 100}])

    def lasting(self, seconds: int) -> dict[str, Any]:
        """The strategy by which what is new is watched for so long before everybody keeps it."""
        return self.config(duration=seconds) if self.strategy == AB else self.config(stageInterval=seconds)

    def absurd(self) -> tuple[str, dict[str, Any]]:
        """The strategy judged by what cannot be, and which field says so: more than all answers are good, or nobody is left for A."""
        if self.strategy == AB:
            return "share", self.config(share=100)
        return "successRate", self.config({"successRate": 2})

    @property
    def unfit(self) -> str:
        """Stages that the strategy has not: a canary none that fall, the others none at all."""
        return "50,10" if self.strategy == CANARY else "50,100"

    def asks(self, version: str, **changes: Any) -> dict[str, Any]:
        """What a request for the version says, by default without anybody to watch it."""
        plugin = {**self.plugin, "version": version}
        return {"tenant": self.first.tenant, "plugin": plugin} | self.config(UNWATCHED) | changes

    async def update(self, version: str, nature: Nature = Nature.WELL, **changes: Any) -> InstallationView:
        """The installation after the release, which is of this nature, was published and asked for."""
        if self.strategy == AB:
            # A test in which nobody takes part waits for a person: it is given people, to whom both are alike as long as both answer.
            await self.answer(GOOD)
        return await self._install(version, nature, **changes)

    async def watched(self, version: str, answers: Mapping[str, int], **changes: Any) -> InstallationView:
        """The same, with people who get so many answers a second from what is new, by their class, and an analysis."""
        await self.answer(answers)
        nature = Nature.FAILING if answers == BAD else Nature.WELL
        return await self._install(version, nature, **self.config() | changes)

    async def _install(self, version: str, nature: Nature, **changes: Any) -> InstallationView:
        await self.publish(version, nature)
        return await self.outside.install(**self.asks(version, **changes))

    async def bad(self, version: str) -> InstallationView:
        """The installation after a release that is no good: by its numbers, or, where nobody looks at those, by what it answers."""
        if self.strategy == ROLLING:
            return await self.update(version, Nature.DISGUISED)
        return await self.watched(version, BAD)

    async def halfway(self, version: str = "2.0.0", **changes: Any) -> InstallationView:
        """An update that waits for a person: at its first stage, or in its test, for want of numbers, or frozen at its last look."""
        if self.strategy == ROLLING:
            return await self.update(version, Nature.DISGUISED, options={"onFailure": "freeze"}, **changes)
        return await self.watched(version, SILENT, **changes)

    async def go_on(self, seen: InstallationView) -> InstallationView:
        """The update after a person let it go on to its end, as often as that was needed; the plugin is now what it should be."""
        for _ in REVISIONS:
            if seen.operation.phase is Phase.FROZEN:
                await self.mend()
                await self.outside.words.retry(seen.operation.id, BOB, "mended")
            elif seen.operation.phase is Phase.PARKED:
                await self.outside.words.promote(seen.operation.id, BOB, "good enough")
            else:
                break
            seen = await self.outside.carry_on(seen)
        return seen

    async def cancel(self, seen: InstallationView) -> InstallationView:
        """The update after it was cancelled and taken back."""
        await self.outside.words.cancel(seen.operation.id, BOB, "not today")
        return await self.outside.carry_on(seen)

    def name(self, kind: str, revision: int = 0) -> Name:
        """An object of the revision, or one that all revisions share."""
        return Name(kind, self.first.namespace, f"{self.first.slug}-r{revision}" if revision else self.first.slug)

    def begun(self, seen: InstallationView) -> list[str]:
        """Which stages were begun."""
        return [one.name for one in seen.operation.steps if one.name.startswith("route_stage:")]

    async def count_samples(self, seen: InstallationView) -> int:
        """How often what was new had been measured when its first stage, or its test, was over."""
        async with self.outside.open(self.outside.settings, seen.operation.id) as tools:
            entries = await tools.journal.read(seen.operation.id)
        return sum(one.kind is Kind.MEASURED and one.step in ("watch_stage:1", "watch_experiment") for one in entries)

    def give_pods(self, seconds: float) -> None:
        """How long pods may take to be ready."""
        self.outside.settings = self.outside.settings.model_copy(update={"progress_deadline": seconds})

    async def stands(self) -> Standing:
        """What stands in the cluster now."""
        raise NotImplementedError

    async def publish(self, version: str, nature: Nature = Nature.WELL) -> None:
        """The release is the one that there is."""
        raise NotImplementedError

    async def answer(self, answers: Mapping[str, int]) -> None:
        """From now on people get so many answers a second of every revision that is to come, by their class.

        What serves already is as it is; in silence nobody asks it either.
        """
        raise NotImplementedError

    async def break_down(self) -> None:
        """What serves fails from now on."""
        raise NotImplementedError

    async def mend(self) -> None:
        """What was in disguise says from now on what it is."""
        raise NotImplementedError

    def lose_prometheus(self) -> None:
        """Nothing can be measured any more."""
        raise NotImplementedError

    async def read(self, name: Name) -> dict[str, Any] | None:
        """The object as it stands."""
        raise NotImplementedError

    async def remove(self, name: Name) -> None:
        """Somebody takes the object away, with all that hangs on it."""
        raise NotImplementedError

    async def create(self, name: Name, said: Mapping[str, Any]) -> None:
        """Somebody else makes an object of the name."""
        raise NotImplementedError

    async def write(self, name: Name, said: Mapping[str, Any]) -> None:
        """Somebody else's fields are in the object, by force."""
        raise NotImplementedError
