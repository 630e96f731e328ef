"""Words of people heard in memory, decided by the same pure functions as in the catalogue."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from uuid import UUID

from blocks.domain.approval import Speaker
from blocks.domain.errors import Terminal
from blocks.domain.journal import TURNS_BACK, WORKABLE, Entry, Fact, Phase, Reason, fold
from blocks.domain.status import read_reason
from blocks.domain.words import (
    Heard,
    Said,
    answer_approve,
    answer_cancel,
    answer_freeze,
    answer_promote,
    answer_refuse,
    answer_retry,
    answer_unfreeze,
)
from tests.fakes.memory import Memory
from tests.fakes.requests import find_key

Answer = Callable[[Said, Heard], Sequence[Fact]]


class FakeWords(Memory):
    """Where people have a say on an operation."""

    async def approve(self, operation: UUID, speaker: Speaker, plan_hash: str, comment: str, *, key: str | None = None) -> Phase:
        """Vote for the plan with this hash."""
        return self._say(operation, Said(speaker, comment, plan_hash), answer_approve, key)

    async def refuse(self, operation: UUID, speaker: Speaker, plan_hash: str, comment: str, *, key: str | None = None) -> Phase:
        """Refuse the plan with this hash."""
        return self._say(operation, Said(speaker, comment, plan_hash), answer_refuse, key)

    async def cancel(self, operation: UUID, speaker: Speaker, reason: str, *, key: str | None = None) -> Phase:
        """Take the operation back."""
        return self._say(operation, Said(speaker, reason), answer_cancel, key)

    async def freeze(self, operation: UUID, speaker: Speaker, reason: str, *, key: str | None = None) -> Phase:
        """Stop the operation where it stands."""
        return self._say(operation, Said(speaker, reason), answer_freeze, key)

    async def unfreeze(self, operation: UUID, speaker: Speaker, reason: str, *, key: str | None = None) -> Phase:
        """Let the operation go on where it stood."""
        return self._say(operation, Said(speaker, reason), answer_unfreeze, key)

    async def promote(
        self, operation: UUID, speaker: Speaker, reason: str, *, fully: bool = False, key: str | None = None
    ) -> Phase:
        """Let the stage that is watched be good enough."""
        return self._say(operation, Said(speaker, reason, fully=fully), answer_promote, key)

    async def retry(
        self, operation: UUID, speaker: Speaker, reason: str, *, accept_remaining: bool, key: str | None = None
    ) -> Phase:
        """Try again what froze."""
        return self._say(operation, Said(speaker, reason, accept_remaining=accept_remaining), answer_retry, key)

    def _say(self, operation: UUID, said: Said, answer: Answer, key: str | None) -> Phase:
        self.answer()
        if operation not in self.asked:
            raise Terminal(f"there is no operation {operation}")
        asked = self.asked[operation]
        name = (self.installed[asked.installation].tenant, key)
        body = f"{answer.__name__} {operation} {said}"
        if find_key(self, name, body) is None:
            now, before = self.tick(), asked.view.phase
            for fact in answer(said, Heard(fold(asked.entries), now, superseded=self._is_superseded(operation))):
                self.append(operation, fact, now)
            if asked.view.phase is not before and asked.view.phase in WORKABLE:
                asked.view = replace(asked.view, reason=_why_back(asked.entries))
            if key:
                self.keys[name[0], key] = (body, operation)
        return asked.view.phase

    def _is_superseded(self, operation: UUID) -> bool:
        mine = [one.view for one in self.of(self.asked[operation].installation) if one.view.verb != "plan"]
        names = [view.id for view in mine]
        later = mine[names.index(operation) + 1 :] if operation in names else []
        return any(view.phase is not Phase.WITHDRAWN for view in later)


def _why_back(entries: Sequence[Entry]) -> Reason | None:
    """Why it goes back, or nothing while it goes on."""
    return next((read_reason(one.payload) for one in reversed(entries) if one.kind in TURNS_BACK), None)
