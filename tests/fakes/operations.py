"""The record in memory: the same answers as the catalogue, decided by the same pure functions; it runs the catalogue's contract tests."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

from blocks.catalog.operations import Requested
from blocks.catalog.views import Counts, Page, Wanted
from blocks.domain.asking import KeyReused, Standing, answer_install, answer_uninstall
from blocks.domain.errors import PipelineError, Terminal
from blocks.domain.journal import Entry, Kind, Phase, Reason, fold
from blocks.domain.manifest import InstallRequest
from blocks.domain.naming import namespace, slug
from blocks.domain.status import InstallationView, OperationView, RevisionView, see_steps

SECOND = 1000


@dataclass
class Asked:
    """One operation as it is remembered."""

    view: OperationView
    installation: UUID
    body: str
    revision: int
    entries: list[Entry] = field(default_factory=list)


class FakeRecord:
    """Operations and views in one; `broken` is raised by every call, as a database that is away would."""

    def __init__(self) -> None:
        self.installed: dict[UUID, InstallationView] = {}
        self.asked: dict[UUID, Asked] = {}
        self.keys: dict[tuple[str, str], tuple[str, UUID]] = {}
        self.serving: dict[UUID, UUID] = {}
        self.broken: PipelineError | None = None
        self._now = 1_700_000_000_000

    async def request_install(self, request: InstallRequest, actor: str, key: str | None) -> Requested:
        """Record the wish to install, or return the operation that already answers it."""
        self._answer()
        body = request.model_dump_json(by_alias=True)
        installation = self._find(request)
        if key and (kept := self.keys.get((request.tenant, key))):
            if kept[0] != body:
                raise KeyReused("this Idempotency-Key came with another body before", "use a new key for a new request")
            return Requested(installation.id, kept[1], created=False)
        standing = self._look(installation.id)
        if same := answer_install(standing, body):
            return Requested(installation.id, same, created=False)
        operation = self._begin(installation, "install", actor, (body, standing.last_revision + 1))
        if key:
            self.keys[request.tenant, key] = (body, operation)
        return Requested(installation.id, operation, created=True)

    async def request_uninstall(self, installation: UUID, actor: str, *, drop_data: bool) -> Requested:
        """Record the wish to uninstall, or return the uninstall that is on its way."""
        self._answer()
        if installation not in self.installed:
            raise Terminal(f"there is no installation {installation}")
        standing = self._look(installation)
        if same := answer_uninstall(standing):
            return Requested(installation, same, created=False)
        verb = "uninstall-with-data" if drop_data else "uninstall"
        asked = (standing.serving_request or standing.active_request, standing.revision)
        return Requested(installation, self._begin(self.installed[installation], verb, actor, asked), created=True)

    async def installation(self, installation: UUID) -> InstallationView | None:
        """One installation with the steps of its newest operation, or None."""
        self._answer()
        view = self.installed.get(installation)
        return self._see(view) if view and self._of(installation) else None

    async def installations(self, wanted: Wanted, limit: int, after: str | None) -> Page:
        """At most `limit` installations in the order of their ids, after the cursor; steps are left out."""
        self._answer()
        seen = [self._see(self.installed[one]) for one in sorted(self.installed, key=str) if self._of(one)]
        found = [replace(one, operation=replace(one.operation, steps=())) for one in seen if _matches(one, wanted)]
        rest = [one for one in found if after is None or str(one.id) > after]
        return Page(tuple(rest[:limit]), str(rest[limit - 1].id) if len(rest) > limit else None)

    async def operation(self, operation: UUID) -> OperationView | None:
        """One operation with its steps, or None."""
        self._answer()
        asked = self.asked.get(operation)
        return replace(asked.view, steps=see_steps(asked.entries)) if asked else None

    async def counts(self) -> Counts:
        """How many there are."""
        self._answer()
        durations: dict[str, list[float]] = defaultdict(list)
        for one in self.asked.values():
            if one.view.phase.is_final:
                durations[one.view.verb].append((one.view.updated_at - one.view.created_at) / 1000)
        seen = [self._see(self.installed[one]) for one in self.installed if self._of(one)]
        operations = [one.view for one in self.asked.values()]
        parts: dict[str, Any] = {
            "installations": Counter((one.tenant, one.operation.phase.value) for one in seen),
            "serving": Counter(one.tenant for one in seen if one.revision),
            "operations": Counter((one.verb, one.phase.value) for one in operations),
            "entries": Counter((entry.step, entry.kind.value) for one in self.asked.values() for entry in one.entries),
            "reasons": Counter((one.verb, one.reason.code) for one in operations if one.reason),
            "durations": {verb: tuple(seconds) for verb, seconds in durations.items()},
        }
        return Counts(**{name: dict(part) for name, part in parts.items()})

    def tell(self, operation: UUID, step: str, kind: Kind, payload: str = "null") -> None:
        """Let a worker's entry stand in the journal, a second after the one before."""
        asked = self.asked[operation]
        prev = asked.entries[-1].hash if asked.entries else ""
        entry = Entry(operation, len(asked.entries) + 1, step, kind, 1, "worker", self._tick(), payload, prev).sealed()
        asked.entries.append(entry)
        asked.view = replace(asked.view, phase=fold(asked.entries).phase, updated_at=entry.at)

    def succeed(self, operation: UUID) -> None:
        """Let the operation end well: an install serves from now on, an uninstall leaves nothing serving."""
        asked = self.asked[operation]
        self.tell(operation, "operation", Kind.FINISHED)
        if asked.view.verb == "install":
            self.serving[asked.installation] = operation
        else:
            self.serving.pop(asked.installation, None)

    def withdraw(self, operation: UUID, reason: Reason) -> None:
        """Let the operation fail for this reason and be taken back."""
        self.tell(operation, "operation", Kind.FAILED)
        self.asked[operation].view = replace(self.asked[operation].view, reason=reason)
        self.tell(operation, "operation", Kind.WITHDRAWN)

    def _answer(self) -> None:
        if self.broken:
            raise self.broken

    def _tick(self) -> int:
        self._now += SECOND
        return self._now

    def _of(self, installation: UUID) -> list[Asked]:
        return [one for one in self.asked.values() if one.installation == installation]

    def _find(self, request: InstallRequest) -> InstallationView:
        names = (request.tenant, request.environment, request.plugin.name)
        known = [one for one in self.installed.values() if (one.tenant, one.environment, one.plugin) == names]
        if known:
            return known[0]
        short, space = slug(request.plugin.name), namespace(request.tenant, request.environment)
        nothing = OperationView(UUID(int=0), UUID(int=0), "", Phase.REQUESTED, "", 0, "", None, 0, 0)
        view = InstallationView(uuid4(), *names, short, space, self._tick(), nothing)
        self.installed[view.id] = view
        return view

    def _begin(self, installation: InstallationView, verb: str, actor: str, asked: tuple[str, int]) -> UUID:
        at = self._tick()
        view = OperationView(uuid4(), installation.id, verb, Phase.REQUESTED, actor, 0, "", None, at, at)
        self.asked[view.id] = Asked(view, installation.id, *asked)
        return view.id

    def _look(self, installation: UUID) -> Standing:
        mine = self._of(installation)
        last = mine[-1].view if mine else None
        unfinished = last is not None and (not last.phase.is_final or last.phase is Phase.FROZEN)
        serving = self.asked.get(self.serving.get(installation, UUID(int=0)))
        return Standing(
            active=last.id if last and unfinished else None,
            frozen=last is not None and last.phase is Phase.FROZEN,
            active_verb=last.verb if last else "",
            active_request=mine[-1].body if mine else "",
            revision=serving.revision if serving else 0,
            serving_operation=serving.view.id if serving else None,
            serving_request=serving.body if serving else "",
            last_revision=max((one.revision for one in mine), default=0),
        )

    def _see(self, view: InstallationView) -> InstallationView:
        newest = self._of(view.id)[-1]
        operation = replace(newest.view, steps=see_steps(newest.entries))
        serving = self.asked.get(self.serving.get(view.id, UUID(int=0)))
        return replace(view, operation=operation, revision=_revision(view, serving.revision) if serving else None)


def _revision(view: InstallationView, number: int) -> RevisionView:
    release, image = f"{view.plugin}@2.0.8", f"registry.test/plugins/{view.slug}@sha256:{'0' * 64}"
    return RevisionView(number, release, "sha512-AAAA", image, f"http://{view.slug}.{view.namespace}.localhost:8888")


def _matches(view: InstallationView, wanted: Wanted) -> bool:
    return (
        (wanted.tenants is None or view.tenant in wanted.tenants)
        and wanted.environment in (None, view.environment)
        and wanted.phase in (None, view.operation.phase)
    )
