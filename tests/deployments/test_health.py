"""What serves is asked how it is and treated by policy: on both databases, behind a gateway that answers as told."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.health import SLACK_MS, Checkups
from blocks.catalog.operations import Operations
from blocks.catalog.requests import Requested, Requests
from blocks.catalog.views import Views
from blocks.domain.errors import Terminal, Transient
from blocks.domain.health import Check, Condition, Remedy, Status
from blocks.domain.journal import Kind
from blocks.domain.plan import describe_revision, write_document
from blocks.domain.status import InstallationView
from blocks.ports.cluster import Reply
from deployments.health import AT_ONCE, NOBODY, Rounds, Ward, nobody_beside
from tests.blocks.catalog.asked import ANN, finish
from tests.blocks.domain.objects.blueprints import make_blueprint
from tests.blocks.domain.plans import VERDICT
from tests.builders import make_request

OFTEN = {"interval": 1, "timeout": 1, "failures": 2}
WELL, ILL = Reply(200, {}, ""), Reply(500, {}, "")


@dataclass
class Gateway:
    """A gateway that answers for every plugin with the same, or is away, or keeps everybody waiting until it is opened."""

    reply: Reply | None = WELL
    away: bool = False
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[str] = field(default_factory=list)
    now: int = 0
    most: int = 0

    def __post_init__(self) -> None:
        self.opened.set()

    async def ask(self, host: str, path: str, headers: Mapping[str, str] | None = None) -> Reply:
        """What it was told to answer."""
        if self.away or (self.reply is None and host != NOBODY):
            raise Transient("nothing answers", str(headers or ""))
        if host == NOBODY:
            return Reply(404, {}, "")
        self.asked.append(path)
        self.now += 1
        self.most = max(self.most, self.now)
        await self.opened.wait()
        self.now -= 1
        return self.reply or WELL


@dataclass
class Documents:
    """Every revision was planned alike."""

    lost: bool = False

    async def get(self, key: str) -> bytes:
        """The document of the one plan."""
        if self.lost:
            raise Terminal(f"the artefact {key} is not in the storage")
        return write_document(describe_revision(make_blueprint(), "lock", VERDICT), {}).encode()


@dataclass
class Scene:
    """Something that serves, and whoever asks how it is: somebody new each time, as after every keeper was killed."""

    engine: AsyncEngine
    gateway: Gateway = field(default_factory=Gateway)
    documents: Documents = field(default_factory=Documents)

    def rounds(self, most: int = AT_ONCE) -> Rounds:
        """A keeper that has just begun, and asks so many at once."""
        return Rounds(Ward(Checkups(self.engine), Requests(self.engine), self.documents, self.gateway), most)

    async def serve(self, policy: str = "report", revisions: int = 2, tenant: str = "default") -> Requested:
        """An installation with so many revisions, the last of which serves."""
        for number in range(1, revisions + 1):
            request = make_request(replicas=number, tenant=tenant, health=OFTEN | {"policy": policy})
            asked = await Requests(self.engine).request_install(request, ANN)
            await finish(self.engine, asked)
        return asked

    async def ask(self, *replies: Reply | None) -> None:
        """A turn of everybody for each of these answers."""
        for self.gateway.reply in replies:
            await self.sql("UPDATE health SET due_at = 0")
            rounds = self.rounds()
            await rounds.look()
            await rounds.rest()

    async def see(self, asked: Requested) -> InstallationView:
        """The installation as people see it."""
        seen = await Views(self.engine).installation(asked.installation)
        assert seen is not None
        return seen

    async def health(self, asked: Requested) -> Condition:
        """How it is."""
        found = (await self.see(asked)).health
        assert found is not None
        return found

    async def sql(self, statement: str) -> list[Any]:
        """What the statement returns."""
        async with self.engine.begin() as database:
            done = await database.execute(text(statement))
            return [*done] if done.returns_rows else []


@pytest.fixture
def scene(engine: AsyncEngine) -> Scene:
    return Scene(engine)


async def test_how_it_is_is_seen(scene: Scene) -> None:
    asked = await scene.serve()
    assert (await scene.health(asked)).status is Status.UNKNOWN
    await scene.ask(WELL)
    found = await scene.health(asked)
    assert (found.status, found.said, scene.gateway.asked) == (Status.HEALTHY, "/ready answered 200", ["/ready"])
    await scene.ask(ILL, ILL)
    found = await scene.health(asked)
    assert (found.status, found.said, found.failures) == (Status.UNHEALTHY, "/ready answered 500", 2)
    counts = await Views(scene.engine).counts()
    assert counts.checks == {"healthy": 1, "unhealthy": 2, "unknown": 0}
    assert counts.health == {("default", "dev", "@backstage/plugin-catalog"): Status.UNHEALTHY}


async def test_nobody_is_asked_before_the_time_has_come(scene: Scene) -> None:
    await scene.serve()
    await scene.sql("UPDATE health SET due_at = 0")
    for _ in range(3):
        rounds = scene.rounds()
        await rounds.look()
        await rounds.rest()
        await scene.sql("UPDATE health SET due_at = due_at + 60000")
    assert len(scene.gateway.asked) == 1


async def test_who_only_wants_to_hear_of_it_is_told(scene: Scene) -> None:
    asked = await scene.serve("report")
    await scene.ask(*[ILL] * 5)
    seen = await scene.see(asked)
    assert (seen.operation.id, seen.operation.verb) == (asked.operation, "update")


async def test_what_is_ill_is_restarted_once_and_then_rolled_back_and_then_left(scene: Scene) -> None:
    asked = await scene.serve("rollback")
    await scene.ask(WELL, ILL, ILL)
    restart = (await scene.see(asked)).operation
    assert (restart.verb, restart.actor) == ("reload", "keeper")
    assert restart.wish.reason == "unhealthy: /ready answered 500, 2 times in a row"
    await scene.ask(ILL, ILL, ILL)
    assert (await scene.see(asked)).operation.id == restart.id, "while something is on its way nobody asks"
    await finish(scene.engine, Requested(asked.installation, restart.id, created=True))
    await scene.ask(ILL)
    found = await scene.health(asked)
    assert (found.failures, found.tried, found.note) == (1, Remedy.RESTART, f"restart by operation {restart.id}")
    await scene.ask(ILL)
    back = (await scene.see(asked)).operation
    assert (back.verb, back.actor) == ("rollback", "keeper")
    assert back.wish.reason == "unhealthy: /ready answered 500, 2 times in a row, and restart did not help"
    await finish(scene.engine, Requested(asked.installation, back.id, created=True))
    await scene.ask(*[ILL] * 5)
    seen = await scene.see(asked)
    assert seen.revision is not None
    assert (seen.revision.number, seen.operation.id) == (1, back.id)


async def test_a_restart_that_failed_is_not_asked_for_again(scene: Scene) -> None:
    asked = await scene.serve("restart")
    await scene.ask(ILL, ILL)
    restart = (await scene.see(asked)).operation
    await finish(scene.engine, Requested(asked.installation, restart.id, created=True), Kind.WITHDRAWN)
    await scene.ask(*[ILL] * 5)
    assert await scene.sql("SELECT count(*) FROM operation WHERE actor = 'keeper'") == [(1,)]


async def test_what_has_nothing_to_go_back_to_is_told_so(scene: Scene) -> None:
    asked = await scene.serve("rollback", revisions=1)
    await scene.ask(ILL, ILL)
    restart = (await scene.see(asked)).operation
    await finish(scene.engine, Requested(asked.installation, restart.id, created=True))
    await scene.ask(*[ILL] * 5)
    found = await scene.health(asked)
    assert (found.tried, found.note) == (Remedy.ROLLBACK, "no rollback: there is no earlier revision to go back to")
    assert (await scene.see(asked)).operation.id == restart.id


async def test_what_a_person_does_meanwhile_is_a_new_cause(scene: Scene) -> None:
    asked = await scene.serve("restart")
    await scene.ask(ILL, ILL)
    restart = (await scene.see(asked)).operation
    await finish(scene.engine, Requested(asked.installation, restart.id, created=True))
    again = await Requests(scene.engine).request_switch(asked.installation, ANN, "reload")
    await finish(scene.engine, again)
    await scene.ask(ILL)
    assert (await scene.health(asked)).tried is Remedy.NOTHING
    await scene.ask(ILL)
    assert await scene.sql("SELECT count(*) FROM operation WHERE actor = 'keeper'") == [(2,)]


async def test_a_gateway_that_is_away_is_nobodys_illness(scene: Scene) -> None:
    asked = await scene.serve("rollback")
    await scene.ask(WELL)
    scene.gateway.away = True
    await scene.ask(*[ILL] * 5)
    seen = await scene.see(asked)
    assert seen.health is not None
    assert (seen.health.status, seen.health.failures, seen.operation.id) == (Status.UNKNOWN, 0, asked.operation)
    assert (await Views(scene.engine).counts()).checks == {"healthy": 1, "unhealthy": 0, "unknown": 5}


async def test_silence_behind_a_gateway_that_answers_others_is_an_illness(scene: Scene) -> None:
    asked = await scene.serve()
    await scene.ask(None)
    assert (await scene.health(asked)).failures == 1
    scene.gateway.opened.clear()
    await scene.ask(ILL)
    found = await scene.health(asked)
    assert (found.status, found.said) == (Status.UNHEALTHY, "/ready gave no answer within 1 s")


async def test_where_nobody_knows_where_to_ask_nothing_is_known(scene: Scene) -> None:
    asked = await scene.serve("restart")
    scene.documents.lost = True
    await scene.ask(ILL, ILL, ILL)
    found = await scene.health(asked)
    assert (found.status, found.failures) == (Status.UNKNOWN, 0)
    assert "is not in the storage" in found.said


async def disable(scene: Scene, asked: Requested) -> None:
    """It answers 503 on purpose."""
    await Operations(scene.engine).switch(asked.installation, enabled=False)


async def uninstall(scene: Scene, asked: Requested) -> None:
    """Nothing serves."""
    await Operations(scene.engine).serve_again(asked.installation, 0)


async def be_busy(scene: Scene, asked: Requested) -> None:
    """Something is on its way."""
    await Requests(scene.engine).request_uninstall(asked.installation, ANN)


async def freeze(scene: Scene, asked: Requested) -> None:
    """Something stopped half way, and what came after it was taken back."""
    frozen = await Requests(scene.engine).request_switch(asked.installation, ANN, "reload")
    await finish(scene.engine, frozen, Kind.FROZEN)
    gone = await Requests(scene.engine).request_uninstall(asked.installation, ANN)
    await finish(scene.engine, gone, Kind.WITHDRAWN)


@pytest.mark.parametrize("stop", [disable, uninstall, be_busy, freeze], ids=lambda stop: str(stop.__name__))
async def test_who_does_not_serve_in_peace_is_not_asked(scene: Scene, stop: Any) -> None:
    asked = await scene.serve("restart")
    await stop(scene, asked)
    await scene.ask(ILL, ILL, ILL)
    assert scene.gateway.asked == []


async def test_several_keepers_take_turns(scene: Scene) -> None:
    """Each check is made once and counted once, and each remedy is asked for once."""
    for tenant in ("a", "b", "c"):
        await scene.serve("restart", tenant=tenant)
    scene.gateway.reply = ILL
    for _ in range(2):
        await scene.sql("UPDATE health SET due_at = 0")
        keepers = [scene.rounds() for _ in range(3)]
        await asyncio.gather(*(one.look() for one in keepers))
        await asyncio.gather(*(one.rest() for one in keepers))
    assert len(scene.gateway.asked) == 6
    assert await scene.sql("SELECT sum(unhealthy), min(failures), max(failures) FROM health") == [(6, 2, 2)]
    assert await scene.sql("SELECT count(*) FROM operation WHERE verb = 'reload'") == [(3,)]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("due_at = due_at + 1", id="another has taken the turn since"),
        pytest.param("due_at = due_at - 60000", id="its time is over"),
    ],
)
async def test_who_comes_back_after_his_turn_counts_for_nothing(scene: Scene, change: str) -> None:
    await scene.serve()
    checkups = Checkups(scene.engine)
    (turn,) = await checkups.take_turns(5)
    assert turn.until - turn.began == 2000 + SLACK_MS
    assert await checkups.take_turns(5) == []
    await scene.sql(f"UPDATE health SET {change}")
    assert await checkups.note(turn, Check(turn.began, good=False, said="late")) is None
    assert await scene.sql("SELECT unhealthy, failures FROM health") == [(0, 0)]


async def test_what_was_asked_for_after_the_same_operation_is_asked_for_once(scene: Scene) -> None:
    """Also by a keeper that slept between looking and asking, with another reason."""
    asked = await scene.serve("restart")
    (turn,) = await Checkups(scene.engine).take_turns(5)
    await scene.ask(ILL, ILL)
    restart = (await scene.see(asked)).operation
    await finish(scene.engine, Requested(asked.installation, restart.id, created=True))
    ill = Condition(status=Status.UNHEALTHY, failures=7, said="/ready answered 502")
    await scene.rounds().treat(turn, ill)
    assert await scene.sql("SELECT count(*) FROM operation WHERE actor = 'keeper'") == [(1,)]


async def test_many_are_asked_at_once_but_not_all(scene: Scene) -> None:
    for number in range(5):
        await scene.serve(revisions=1, tenant=f"t{number}")
    scene.gateway.opened.clear()
    rounds = scene.rounds(most=3)
    looking = asyncio.create_task(rounds.look())
    async with asyncio.timeout(60):
        while len(scene.gateway.asked) < 3:
            await asyncio.sleep(0.01)
        assert not looking.done()
        scene.gateway.opened.set()
        assert await looking, "there may be more"
        while await rounds.look():
            pass
        await rounds.rest()
    assert scene.gateway.most == 3
    assert await scene.sql("SELECT count(*) FROM health WHERE healthy > 0") == [(5,)]


async def test_one_trouble_keeps_nobody_else_from_being_asked(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken, whole = [await scene.serve(tenant=tenant) for tenant in ("a", "b")]
    found = scene.documents.get
    left: list[UUID] = [broken.installation]

    async def stumble(key: str) -> bytes:
        if left and left.pop():
            raise RuntimeError("a mistake of ours")
        return await found(key)

    monkeypatch.setattr(scene.documents, "get", stumble)
    with caplog.at_level(logging.WARNING, logger="plugin-pipeline.keeper"):
        await scene.ask(WELL)
    assert {(await scene.health(one)).status for one in (broken, whole)} == {Status.UNKNOWN, Status.HEALTHY}
    assert ["the health of installation" in each.message for each in caplog.records] == [True]


@pytest.mark.parametrize(
    ("host", "nobody"),
    [
        pytest.param("it.default-dev.localhost", NOBODY, id="at the gateway"),
        pytest.param("it.default-dev.svc:3000", "nobody.default-dev.svc:3000", id="among the Services"),
    ],
)
def test_whether_anybody_answers_is_asked_where_the_plugin_is(host: str, nobody: str) -> None:
    assert nobody_beside(host) == nobody
