"""A canary that is asked itself beside what its users meet; the world is in memory."""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from blocks.domain.errors import Transient
from blocks.domain.journal import Phase
from blocks.domain.objects.routes import PREVIEW
from blocks.domain.status import InstallationView
from blocks.ports.cluster import Reply
from tests.flows.conftest import ON_SQLITE, Outside
from tests.flows.standing import weights
from tests.flows.test_analysis import judged, samples
from tests.flows.test_canary import ANALYSIS, GOOD, asked_of_people, update
from tests.flows.test_canary_steps import rules
from tests.flows.test_update import FRONTEND, installed
from tests.tasks.carried import ScriptedWeb

pytestmark = ON_SQLITE

READY = {"name": "ready", "http": {"path": "/ready", "field": "state", "equals": "up", "timeout": 0.5}}
UP, DOWN = Reply(200, {}, '{"state": "up"}'), Reply(200, {}, '{"state": "down"}')


@dataclass
class Checked(ScriptedWeb):
    """A gateway that leads to the preview whoever its route says; without an answer the preview keeps silent for ever."""

    preview: Reply | Exception | None = None
    routes: Callable[[], list[dict[str, Any]]] = list

    async def ask(self, host: str, path: str, headers: Mapping[str, str] | None = None) -> Reply:
        if not self._leads_to((headers or {}).get(PREVIEW, "")):
            return await super().ask(host, path, headers)
        self.asked.append((host, path))
        self.sent.append(dict(headers or {}))
        if self.preview is None:
            await asyncio.Event().wait()
        if isinstance(self.preview, Exception):
            raise self.preview
        assert self.preview is not None
        return self.preview

    def _leads_to(self, revision: str) -> bool:
        """Whether who sends the header with the revision's name meets it, and nobody else, or everybody does."""
        asked = {"headers": [{"name": PREVIEW, "value": revision}]}
        for rule in self.routes():
            if rule.get("matches", [asked]) == [asked]:
                return bool(revision) and [one["name"] for one in rule["backendRefs"]] == [revision]
        return False


@pytest.fixture
def checked(outside: Outside) -> Checked:
    """The gateway of this world, with a preview of its own."""
    found = outside.web = Checked(outside.web.answers, preview=UP, routes=lambda: rules(outside))
    return found


async def test_it_is_asked_at_each_instant_through_the_gateway_and_only_by_its_own_header(
    outside: Outside, checked: Checked
) -> None:
    first = await installed(outside)
    seen = await judged(outside, first, GOOD, metrics=[READY])
    assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason
    found = [one for one in await samples(outside, seen) if one["name"] == "ready"]
    assert {(one["verdict"], one["sentence"]) for one in found} == {("good", 'ready: state is "up", "up" wanted')}
    (query,) = {one["query"] for one in found}
    assert query.startswith(f"GET http://{seen.slug}.")
    assert query.endswith(f"/ready with {PREVIEW}: {seen.slug}-r2")
    assert len(found) == sum(sent.get(PREVIEW) == f"{seen.slug}-r2" for sent in checked.sent)
    assert not [one for one in rules(outside) if "matches" in one]


async def test_a_bad_answer_brings_it_back_and_says_what_was_asked(outside: Outside, checked: Checked) -> None:
    first, checked.preview = await installed(outside), DOWN
    seen = await judged(outside, first, GOOD, metrics=[READY])
    assert seen.operation.phase is Phase.WITHDRAWN
    assert 'ready: state is "down", "up" wanted' in asked_of_people(seen)
    assert seen.operation.reason is not None
    assert seen.operation.reason.hint.startswith(f"the revision was asked: GET http://{seen.slug}.")
    assert weights(outside.cluster) == {f"{seen.slug}-r1": 100}


SILENT = [
    pytest.param(None, "/ready gave no answer within 0.5 s", id="it keeps silent"),
    pytest.param(
        Transient("nothing answers at the gateway", "see to it"), "nothing answers at the gateway", id="nobody is there"
    ),
]


@pytest.mark.parametrize(("preview", "said"), SILENT)
async def test_no_answer_is_an_error_to_measure_and_no_failure(
    outside: Outside, checked: Checked, preview: Exception | None, said: str
) -> None:
    first, checked.preview = await installed(outside), preview
    seen = await judged(outside, first, GOOD, metrics=[READY])
    assert (seen.operation.phase, "it could not be measured" in asked_of_people(seen)) == (Phase.PARKED, True)
    assert f"ready: {said}" in asked_of_people(seen)


async def test_what_only_it_has_asked_is_no_data(outside: Outside, checked: Checked) -> None:
    first, analysis = await installed(outside), ANALYSIS | {"minRequests": 1, "metrics": [READY]}
    seen = await update(outside, first, {"2": 1}, strategyConfig={"stages": "100", "stageInterval": 2, "analysis": analysis})
    assert seen.operation.phase is Phase.PARKED
    # As many of them as the window has seconds; so many has the check asked itself, and one is wanted beside them.
    assert re.search(r"\d requests were answered, at least \d+ are wanted to judge by", asked_of_people(seen))


async def test_a_first_revision_is_asked_too(outside: Outside, checked: Checked) -> None:
    checked.preview = Reply(503, {}, "")
    config = {"stages": "100", "stageInterval": 1, "analysis": ANALYSIS | {"metrics": [READY]}}
    seen: InstallationView = await outside.install(plugin=FRONTEND, strategy="canary", strategyConfig=config)
    assert "ready: /ready answered 503, 200 wanted" in asked_of_people(seen)
