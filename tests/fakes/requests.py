"""Wishes recorded in memory, decided by the same pure functions as in the catalogue."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

from blocks.catalog.requests import URGENT, Asked, Requested
from blocks.domain.asking import (
    KeyReused,
    New,
    Standing,
    Wish,
    answer_install,
    answer_plan,
    answer_rollback,
    answer_switch,
    answer_uninstall,
)
from blocks.domain.deployment import Deployment, ask_for_deployment, undescribed
from blocks.domain.errors import NotAllowed, Terminal
from blocks.domain.manifest import InstallRequest
from blocks.domain.status import InstallationView
from blocks.domain.watch import Spot
from tests.fakes.memory import Memory


@dataclass(frozen=True)
class Intent:
    """What is wanted, and how it is answered."""

    decide: Callable[[Standing], UUID | New]
    wish: Wish
    body: str
    request: str = ""
    priority: int = URGENT


class FakeRequests(Memory):
    """Where wishes are recorded."""

    async def request_install(self, request: InstallRequest, by: Asked, plan_hash: str | None = None) -> Requested:
        """Record the wish to install, or to update what serves."""
        body = request.model_dump_json(by_alias=True)
        wish, key = Wish(by.reason, plan_hash=plan_hash), f"{plan_hash or ''}{body}"
        intent = Intent(lambda now: answer_install(now, body, plan_hash), wish, key, body, request.options.priority)
        return self._record(self._find(request), by, intent)

    async def request_plan(self, request: InstallRequest, by: Asked) -> Requested:
        """Record the wish to see what installing would do."""
        body = request.model_dump_json(by_alias=True)
        intent = Intent(answer_plan, Wish(by.reason), f"plan{body}", body, request.options.priority)
        return self._record(self._find(request), by, intent)

    async def request_deployment(self, wanted: Deployment, by: Asked) -> Requested:
        """Record the wish to install or update as the deployment says."""
        self.answer()
        spot = wanted.spot
        there = [one for one in self.installed.values() if Spot(one.tenant, one.environment, one.plugin) == spot]
        if not there:
            raise undescribed(spot)
        request = ask_for_deployment(self.look(there[0].id), wanted)
        body, said = request.model_dump_json(by_alias=True), f"deployment {wanted.model_dump_json(by_alias=True)}"
        intent = Intent(lambda now: answer_install(now, body), Wish(by.reason), said, body, request.options.priority)
        return self._record(there[0], by, intent)

    async def request_uninstall(self, installation: UUID, by: Asked, *, drop_data: bool = False) -> Requested:
        """Record the wish to uninstall."""
        wish = Wish(by.reason, drop_data=drop_data)
        return self._request("uninstall", installation, by, (lambda now: answer_uninstall(now, drop_data=drop_data), wish))

    async def request_rollback(self, installation: UUID, by: Asked, revision: int | None = None) -> Requested:
        """Record the wish to go back."""
        wish = Wish(by.reason, revision=revision)
        return self._request("rollback", installation, by, (lambda now: answer_rollback(now, revision), wish))

    async def request_switch(self, installation: UUID, by: Asked, verb: str) -> Requested:
        """Record the wish to `enable`, `disable` or `reload`."""
        return self._request(verb, installation, by, (lambda now: answer_switch(now, verb), Wish(by.reason)))

    async def request_again(self, operation: UUID, by: Asked) -> Requested:
        """Record once more what an operation asked for that was withdrawn."""
        self.answer()
        if operation not in self.asked:
            raise Terminal(f"there is no operation {operation}")
        asked = self.asked[operation]
        if asked.view.verb not in ("install", "update", "plan"):
            raise NotAllowed(f"this is a {asked.view.verb}", "only an install, update or plan can be asked for again")
        request = InstallRequest.model_validate_json(asked.body)
        if asked.view.verb == "plan":
            return await self.request_plan(request, by)
        return await self.request_install(request, by, asked.view.wish.plan_hash)

    async def lift_quarantine(self, installation: UUID, release: str, by: Asked) -> None:
        """Let the release be tried again on the installation."""
        self.answer()
        kept = self.quarantined.get((installation, release))
        if kept is None or kept.lifted_at:
            raise NotAllowed(f"{release} is in no quarantine on installation {installation}", "see its quarantine")
        lifted = replace(kept, lifted_at=self.tick(), lifted_by=by.actor, lifted_why=by.reason)
        self.quarantined[installation, release] = lifted

    def _find(self, request: InstallRequest) -> InstallationView:
        self.answer()
        return self.find(request)

    def _request(
        self, verb: str, installation: UUID, by: Asked, wanted: tuple[Callable[[Standing], UUID | New], Wish]
    ) -> Requested:
        self.answer()
        if installation not in self.installed:
            raise Terminal(f"there is no installation {installation}")
        decide, wish = wanted
        return self._record(self.installed[installation], by, Intent(decide, wish, f"{verb} {installation} {wish.write()}"))

    def _record(self, place: InstallationView, by: Asked, intent: Intent) -> Requested:
        if (known := find_key(self, (place.tenant, by.key), intent.body)) is not None:
            return Requested(place.id, known, created=False)
        standing = self.look(place.id)
        answer = intent.decide(standing)
        if isinstance(answer, UUID):
            return Requested(place.id, answer, created=False)
        made = self.made(place.id, answer.revision)
        request = intent.request or (made.body if made else standing.active_request)
        row = {"verb": answer.verb, "revision": answer.revision, "request": request, "priority": intent.priority}
        operation = self.begin(place.id, by.actor, intent.wish, row)
        if by.key:
            self.keys[place.tenant, by.key] = (intent.body, operation)
        return Requested(place.id, operation, created=True)


def find_key(memory: Memory, key: tuple[str, str | None], body: str) -> UUID | None:
    """The operation that this key of this tenant stands for, None if it is new, or `KeyReused`."""
    tenant, name = key
    kept = memory.keys.get((tenant, name)) if name else None
    if kept and kept[0] != body:
        raise KeyReused("this Idempotency-Key came with another body before", "use a new key for a new request")
    return kept[1] if kept else None
