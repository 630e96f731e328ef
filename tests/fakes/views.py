"""A record in memory, shown to people as the catalogue shows its own."""

import json
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from typing import Any
from uuid import UUID

from blocks.catalog.timeline import TimelinePage
from blocks.catalog.views import Counts, Page, Wanted
from blocks.domain.audit import Broken, Row, examine
from blocks.domain.health import Condition, Status
from blocks.domain.journal import WORKABLE, Phase
from blocks.domain.status import (
    InstallationView,
    OperationView,
    PastRevision,
    QuarantineView,
    RevisionView,
    see_question,
    see_steps,
)
from blocks.domain.timeline import Told, tell
from tests.fakes.memory import Memory, Remembered

NOT_OPEN = (Phase.SUCCEEDED, Phase.WITHDRAWN)


class FakeViews(Memory):
    """What the record shows, looks back on and audits."""

    async def installation(self, installation: UUID) -> InstallationView | None:
        """One installation with its newest operation, steps and all, or None."""
        self.answer()
        view = self.installed.get(installation)
        return self._see(view) if view and self.of(installation) else None

    async def installations(self, wanted: Wanted, limit: int, after: str | None) -> Page:
        """At most `limit` installations in the order of their ids, after the cursor; what only the journals know is left out."""
        self.answer()
        seen = [self._see(self.installed[one]) for one in sorted(self.installed, key=str) if self.of(one)]
        found = [replace(one, operation=_bare(one.operation)) for one in seen if _matches(one, wanted)]
        rest = [one for one in found if after is None or str(one.id) > after]
        return Page(tuple(rest[:limit]), str(rest[limit - 1].id) if len(rest) > limit else None)

    async def operation(self, operation: UUID) -> OperationView | None:
        """One operation with its steps, its place in the queue and what people are asked, or None."""
        self.answer()
        asked = self.asked.get(operation)
        return self._whole(asked) if asked else None

    async def waiting(self, tenants: frozenset[str] | None) -> tuple[InstallationView, ...]:
        """Every installation of which a plan waits for people, the oldest first."""
        self.answer()
        whole = [self._whole(one) for one in self.asked.values() if one.view.phase is Phase.PARKED]
        seen = [replace(self._see(self.installed[one.installation]), operation=one) for one in whole if one.question]
        return tuple(one for one in seen if tenants is None or one.tenant in tenants)

    async def revisions(self, installation: UUID) -> tuple[PastRevision, ...]:
        """Every revision that serves or served, the last one first."""
        self.answer()
        served = sorted(((at, number) for (mine, number), at in self.served_at.items() if mine == installation), reverse=True)
        return tuple(self._past(installation, number, at) for at, number in served)

    async def quarantines(self, installation: UUID) -> tuple[QuarantineView, ...]:
        """Every release that is or was in quarantine for the installation, the last one first."""
        self.answer()
        mine = [one for (there, _), one in self.quarantined.items() if there == installation]
        return tuple(sorted(mine, key=lambda one: -one.at))

    async def counts(self) -> Counts:
        """How many there are."""
        self.answer()
        durations: dict[str, list[float]] = defaultdict(list)
        for one in self.asked.values():
            if one.view.phase.is_final:
                durations[one.view.verb].append((one.view.updated_at - one.view.created_at) / 1000)
        seen = [self._see(self.installed[one]) for one in self.installed if self.of(one)]
        operations = [one.view for one in self.asked.values()]
        parts: dict[str, Any] = {
            "installations": Counter((one.tenant, one.operation.phase.value) for one in seen),
            "serving": Counter(one.tenant for one in seen if one.revision),
            "operations": Counter((one.verb, one.phase.value) for one in operations),
            "entries": self.counted(),
            "reasons": Counter((one.verb, one.reason.code) for one in operations if one.reason),
            "durations": {verb: tuple(seconds) for verb, seconds in durations.items()},
        }
        parts["health"] = {(one.tenant, one.environment, one.plugin): one.health.status for one in seen if one.health}
        parts["checks"] = {status.value: self.checks[status.value] for status in Status}
        return Counts(**{name: dict(part) for name, part in parts.items()}, check_seconds=self.check_seconds)

    async def page(self, installation: UUID, after: int, limit: int) -> TimelinePage:
        """At most `limit` moments, from the `after`th on."""
        self.answer()
        views = [(one.view, one.entries) for one in self.of(installation)]
        moments = tell(Told(v.id, v.verb, v.actor, v.wish, v.created_at, tuple(entries)) for v, entries in views)
        end = after + limit
        return TimelinePage(moments[after:end], end if end < len(moments) else None)

    async def verify(self) -> list[Broken]:
        """Where entries were edited, removed or reordered."""
        self.answer()
        looked = [examine(_row(one), one.entries, ()) for one in self.asked.values()]
        return [found for found in looked if found]

    async def remarks(self) -> list[str]:
        """What is no alarm but worth saying: in memory nothing is cut short."""
        return []

    async def export(self) -> AsyncIterator[str]:
        """Every entry as a line of JSON."""
        self.answer()
        for one in self.asked.values():
            for entry in one.entries:
                yield json.dumps(asdict(entry) | {"operation": str(entry.operation)}) + "\n"

    def _see(self, view: InstallationView) -> InstallationView:
        number = self.serving.get(view.id, 0)
        revision = self._revision(view.id, number) if number else None
        health = self.conditions.get(view.id, Condition()) if revision and view.enabled else None
        return replace(view, operation=self._whole(_shown(self.of(view.id))), revision=revision, health=health)

    def _whole(self, asked: Remembered) -> OperationView:
        question, votes = see_question(asked.entries)
        steps = see_steps(asked.entries)
        return replace(asked.view, steps=steps, place=self._place(asked), question=question, votes=votes)

    def _place(self, asked: Remembered) -> int:
        waiting = [one for one in self.asked.values() if one.view.phase in WORKABLE and not one.carried]
        queue = sorted(waiting, key=lambda one: (-one.view.priority, one.view.created_at))
        return queue.index(asked) + 1 if asked in queue else 0

    def _revision(self, installation: UUID, number: int) -> RevisionView:
        made, view = self.made(installation, number), self.installed[installation]
        assert made is not None
        image = f"registry.test/plugins/{view.slug}@sha256:{number:064}"
        return RevisionView(number, made.release, "sha512-AAAA", image, f"http://{view.slug}.{view.namespace}.localhost:8888")

    def _past(self, installation: UUID, number: int, at: int) -> PastRevision:
        made, revision = self.made(installation, number), self._revision(installation, number)
        assert made is not None
        kept = self.quarantined.get((installation, revision.release))
        serving = self.serving.get(installation) == number
        bad = kept is not None and not kept.lifted_at
        return PastRevision(**vars(revision), operation=made.view.id, served_at=at, serving=serving, quarantined=bad)


def _shown(asked: list[Remembered]) -> Remembered:
    """The operation that stands for the installation: one that has not ended, else the newest; a plan only where there is no other."""
    changing = [one for one in asked if one.view.verb != "plan"]
    still_open = [one for one in changing if one.view.phase not in NOT_OPEN]
    return (still_open or changing or asked)[-1]


def _row(asked: Remembered) -> Row:
    length = len(asked.sealed)
    return Row(asked.view.id, length, asked.sealed[-1] if length else "", asked.view.phase.value)


def _bare(operation: OperationView) -> OperationView:
    return replace(operation, steps=(), place=0, question=None, votes=())


def _matches(view: InstallationView, wanted: Wanted) -> bool:
    return (
        (wanted.tenants is None or view.tenant in wanted.tenants)
        and wanted.environment in (None, view.environment)
        and wanted.phase in (None, view.operation.phase)
    )
