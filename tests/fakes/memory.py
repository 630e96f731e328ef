"""What a record in memory remembers, and the hand of a worker who carries an operation."""

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

from blocks.domain.asking import HISTORY, Past, Standing, Wish
from blocks.domain.errors import PipelineError
from blocks.domain.health import Check, Condition, HealthTerms
from blocks.domain.journal import PHASE_AFTER, WORKABLE, Entry, Fact, Kind, Phase, Reason
from blocks.domain.manifest import InstallRequest
from blocks.domain.naming import namespace, slug
from blocks.domain.status import InstallationView, OperationView, QuarantineView, read_reason, told_reason

SECOND = 1000


@dataclass
class Remembered:
    """One operation as it is remembered."""

    view: OperationView
    installation: UUID
    body: str
    revision: int
    entries: list[Entry] = field(default_factory=list)
    # The hash of each entry as it was written, as the operation's row knows the last of them.
    sealed: list[str] = field(default_factory=list)
    carried: bool = False

    @property
    def release(self) -> str:
        """The release that was asked for, as `name@version`."""
        plugin = json.loads(self.body)["plugin"]
        return f"{plugin['name']}@{plugin['version']}"


class Memory:
    """Installations, operations and what serves; `broken` is raised by every question, as a database that is away would."""

    def __init__(self) -> None:
        self.installed: dict[UUID, InstallationView] = {}
        self.asked: dict[UUID, Remembered] = {}
        self.keys: dict[tuple[str, str], tuple[str, UUID]] = {}
        # Which revision serves, and when each revision of an installation last began to.
        self.serving: dict[UUID, int] = {}
        self.served_at: dict[tuple[UUID, int], int] = {}
        self.quarantined: dict[tuple[UUID, str], QuarantineView] = {}
        self.conditions: dict[UUID, Condition] = {}
        self.checks: Counter[str] = Counter()
        self.check_seconds = 0.0
        self.broken: PipelineError | None = None
        self._now = 1_700_000_000_000

    def answer(self) -> None:
        """Nothing if the record answers at all."""
        if self.broken:
            raise self.broken

    def tick(self) -> int:
        """A second later."""
        self._now += SECOND
        return self._now

    def check(self, installation: UUID, check: Check, seconds: float = 0.0) -> None:
        """Let a keeper have asked how it is with what serves."""
        self.conditions[installation] = self.conditions.get(installation, Condition()).after(check, HealthTerms())
        self.checks[check.found.value] += 1
        self.check_seconds += seconds

    def tell(self, operation: UUID, step: str, kind: Kind, payload: str = "null") -> None:
        """Let a worker's entry stand in the journal, a second after the one before."""
        self.asked[operation].carried = True
        self.append(operation, Fact(step, kind, "worker", payload), self.tick())

    def append(self, operation: UUID, fact: Fact, at: int) -> None:
        """Let the fact stand in the journal, and be seen on the operation."""
        asked = self.asked[operation]
        prev = asked.entries[-1].hash if asked.entries else ""
        asked.entries.append(Entry(operation, len(asked.entries) + 1, token=1, at=at, prev=prev, **vars(fact)).sealed())
        asked.sealed.append(asked.entries[-1].hash)
        phase = PHASE_AFTER[fact.kind]
        told = told_reason(fact)
        reason = read_reason(told) if told else asked.view.reason
        asked.view = replace(asked.view, phase=phase, updated_at=at, reason=reason)
        asked.carried = asked.carried and phase in WORKABLE

    def succeed(self, operation: UUID) -> None:
        """Let the operation end well, with what that leaves behind."""
        asked = self.asked[operation]
        self.tell(operation, "operation", Kind.FINISHED)
        match asked.view.verb:
            case "install" | "update":
                self._serve(asked.installation, asked.revision)
            case "rollback":
                self._put_in_quarantine(asked)
                self._serve(asked.installation, asked.revision)
            case "uninstall":
                self.serving.pop(asked.installation, None)
            case "enable" | "disable":
                self._switch(asked.installation, enabled=asked.view.verb == "enable")

    def withdraw(self, operation: UUID, reason: Reason) -> None:
        """Let the operation fail for this reason and be taken back."""
        self.tell(operation, "operation", Kind.FAILED, json.dumps(vars(reason)))
        self.tell(operation, "operation", Kind.WITHDRAWN)

    def freeze_at(self, operation: UUID, reason: Reason) -> None:
        """Let the operation stop where it is, for this reason."""
        self.tell(operation, "operation", Kind.FROZEN, json.dumps(vars(reason)))

    def of(self, installation: UUID) -> list[Remembered]:
        """Every operation on the installation, the oldest first."""
        return [one for one in self.asked.values() if one.installation == installation]

    def made(self, installation: UUID, number: int) -> Remembered | None:
        """The operation that made the revision, if it served."""
        if (installation, number) not in self.served_at:
            return None
        makers = [one for one in self.of(installation) if one.revision == number and one.view.verb in ("install", "update")]
        return next((one for one in makers if one.view.phase is Phase.SUCCEEDED), None)

    def find(self, request: InstallRequest) -> InstallationView:
        """The installation that the request is about, made if need be."""
        names = (request.tenant, request.environment, request.plugin.name)
        for known in self.installed.values():
            if (known.tenant, known.environment, known.plugin) == names:
                return known
        short, space = slug(request.plugin.name), namespace(request.tenant, request.environment)
        nothing = OperationView(UUID(int=0), UUID(int=0), "", Phase.REQUESTED, "", 0, "", None, 0, 0)
        view = InstallationView(uuid4(), *names, short, space, self.tick(), nothing)
        self.installed[view.id] = view
        return view

    def begin(self, installation: UUID, actor: str, wish: Wish, row: dict[str, Any]) -> UUID:
        """A new operation; `row` has its verb, revision, request and priority."""
        at = self.tick()
        view = OperationView(uuid4(), installation, row["verb"], Phase.REQUESTED, actor, 0, "", None, at, at)
        view = replace(view, wish=wish, priority=row["priority"])
        self.asked[view.id] = Remembered(view, installation, row["request"], row["revision"])
        return view.id

    def look(self, installation: UUID) -> Standing:
        """Everything on which the answer to a wish depends."""
        mine = [one for one in self.of(installation) if one.view.verb != "plan"]
        standing = [one for one in mine if one.view.phase is not Phase.WITHDRAWN]
        last = standing[-1] if standing else None
        serving = self.made(installation, self.serving.get(installation, 0))
        return Standing(
            active=last.view.id if last and last.view.phase is not Phase.SUCCEEDED else None,
            frozen=last is not None and last.view.phase is Phase.FROZEN,
            active_verb=last.view.verb if last else "",
            active_request=last.body if last else "",
            active_wish=last.view.wish if last else Wish(),
            revision=self.serving.get(installation, 0),
            enabled=self.installed[installation].enabled,
            serving_operation=serving.view.id if serving else None,
            serving_request=serving.body if serving else "",
            last_revision=max((one.revision for one in mine), default=0),
            history=self._history(installation),
            needed_by=self._needed_by(self.installed[installation]),
        )

    def counted(self) -> Counter[tuple[str, str]]:
        """How many entries there are, by step and kind."""
        return Counter((entry.step, entry.kind.value) for one in self.asked.values() for entry in one.entries)

    def _history(self, installation: UUID) -> tuple[Past, ...]:
        numbers = sorted((at, number) for (mine, number), at in self.served_at.items() if mine == installation)
        makers = [(number, maker) for _, number in reversed(numbers) if (maker := self.made(installation, number))]
        bad = {release for (mine, release), one in self.quarantined.items() if mine == installation and not one.lifted_at}
        return tuple(Past(number, maker.release, maker.release in bad) for number, maker in makers[: HISTORY + 1])

    def _needed_by(self, view: InstallationView) -> tuple[str, ...]:
        beside = [one for one in self.installed.values() if (one.tenant, one.environment) == (view.tenant, view.environment)]
        serving = [(one.plugin, self.made(one.id, self.serving.get(one.id, 0))) for one in beside]
        return tuple(sorted(name for name, made in serving if made and view.plugin in json.loads(made.body)["dependsOn"]))

    def _serve(self, installation: UUID, number: int) -> None:
        self.serving[installation] = number
        self.served_at[installation, number] = self.tick()
        self._switch(installation, enabled=True)

    def _switch(self, installation: UUID, *, enabled: bool) -> None:
        self.installed[installation] = replace(self.installed[installation], enabled=enabled)

    def _put_in_quarantine(self, rollback: Remembered) -> None:
        bad = self.made(rollback.installation, self.serving[rollback.installation])
        assert bad is not None
        said = (rollback.view.wish.reason, rollback.view.actor, self.tick(), 0, "", "")
        self.quarantined[rollback.installation, bad.release] = QuarantineView(bad.release, *said)
