"""Watches in memory, decided by the same pure functions as in the catalogue."""

from dataclasses import replace
from uuid import UUID, uuid4

from blocks.catalog.requests import Asked
from blocks.catalog.watches import WantedWatches, WatchPage
from blocks.domain.errors import Terminal
from blocks.domain.journal import Reason
from blocks.domain.watch import Discovered, Spot, Terms, Watch, may_watch, same_watch
from tests.fakes.memory import Memory


class FakeWatches(Memory):
    """Where watches are set."""

    def __init__(self) -> None:
        super().__init__()
        self.watched: dict[UUID, Watch] = {}

    async def set_watch(self, spot: Spot, terms: Terms, by: Asked) -> tuple[Watch, bool]:
        """The watch of the spot, and whether it is new."""
        self.answer()
        may_watch(spot, terms, serves=self._serves(spot))
        known = next((one for one in self.watched.values() if one.spot == spot), None)
        if known:
            return same_watch(known, terms), False
        at = self.tick()
        made = Watch(uuid4(), spot, terms, by.actor, by.reason, at, at)
        self.watched[made.id] = made
        return made, True

    async def change_watch(self, watch: UUID, said: Terms, by: Asked) -> Watch:
        """The watch with what was said in the terms, and all else as it was."""
        self.answer()
        if watch not in self.watched:
            raise Terminal(f"there is no watch {watch}")
        known = self.watched[watch]
        terms = known.terms.changed(said)
        may_watch(known.spot, terms, serves=self._serves(known.spot))
        changed = replace(known, terms=terms, actor=by.actor, reason=by.reason, updated_at=self.tick())
        self.watched[watch] = changed
        return replace(changed, discovered=())

    async def remove_watch(self, watch: UUID) -> None:
        """Nobody looks any more."""
        self.answer()
        self.watched.pop(watch, None)

    async def watch(self, watch: UUID) -> Watch | None:
        """One watch with the releases that it found, or None."""
        self.answer()
        return self.watched.get(watch)

    async def watches(self, wanted: WantedWatches, limit: int, after: str | None) -> WatchPage:
        """At most `limit` watches in the order of their ids, after the cursor."""
        self.answer()
        ordered = sorted(self.watched.values(), key=lambda one: str(one.id))
        rest = [
            replace(one, discovered=())
            for one in ordered
            if (wanted.tenants is None or one.spot.tenant in wanted.tenants)
            and wanted.environment in (None, one.spot.environment)
            and (after is None or str(one.id) > after)
        ]
        return WatchPage(tuple(rest[:limit]), str(rest[limit - 1].id) if len(rest) > limit else None)

    def see(self, watch: UUID, *found: Discovered) -> None:
        """Let these releases have been found, the last one first."""
        self.watched[watch] = replace(self.watched[watch], discovered=(*found, *self.watched[watch].discovered))

    def fail_to_look(self, watch: UUID, problem: Reason) -> None:
        """Let the last look have come to nothing."""
        self.watched[watch] = replace(self.watched[watch], problem=problem, looked_at=self.tick())

    def _serves(self, spot: Spot) -> bool:
        same = [one for one in self.installed.values() if Spot(one.tenant, one.environment, one.plugin) == spot]
        return any(self.serving.get(one.id) for one in same)
