"""Whatever carriers, people and keepers do, in whatever order, the record stands as an independent model says: on both databases."""

import asyncio
import tempfile
from collections.abc import Awaitable
from pathlib import Path
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule, run_state_machine_as_test
from sqlalchemy import text

from blocks.catalog.audit import Audit
from blocks.catalog.database import open_database
from blocks.catalog.journal import Journal
from blocks.catalog.leases import Lease, Leases
from blocks.catalog.migrate import migrate
from blocks.catalog.requests import Asked, Requests
from blocks.catalog.seals import FolderSeals
from blocks.catalog.slots import Slots
from blocks.catalog.words import Words
from blocks.domain.approval import Question, Speaker
from blocks.domain.errors import PipelineError
from blocks.domain.journal import Fact, Kind, Phase, fold
from tests.blocks.catalog import model
from tests.blocks.catalog.model import PEOPLE, QUORUM, REQUESTER, Modelled
from tests.builders import make_request

MOST = 1
PRIORITIES = (1, 1, 5)
HOUR = 3600 * 1000
HASH = {True: "sha256:1", False: "sha256:2"}
TABLES = ("journal", "idempotency_key", "artefact", "quarantine", "revision", "operation", "installation")
someone = st.sampled_from(sorted(PEOPLE))
which = st.integers(0, len(PRIORITIES) - 1)
rarely = st.sampled_from([*["next"] * 8, "failed", "frozen"])


class Lived(RuleBasedStateMachine):
    """Three operations, one slot, four people and any number of carriers."""

    leases = Bundle("leases")
    url: str
    reached: set[str]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.engine = open_database(self.url)
        seals = FolderSeals(Path(self.folder.name) / "seals", Path(self.folder.name) / "seals.key")
        self.journal, self.words = Journal(self.engine, seals), Words(self.engine, seals)
        self.who, self.slots = Leases(self.engine, 600), Slots(self.engine, MOST)
        self.audit = Audit(self.engine, seals)
        self.ids: list[UUID] = []
        self.expected: list[Modelled] = []
        self.touched: int | None = None

    @initialize()
    def ask(self) -> None:
        """An empty record, and three wishes."""
        for table in TABLES:
            self.sql(f"DELETE FROM {table}")
        for age, priority in enumerate(PRIORITIES):
            request = make_request(plugin={"name": f"p{age}"}, options={"priority": priority})
            asked = self.run(Requests(self.engine).request_install(request, Asked(REQUESTER)))
            self.ids.append(asked.operation)
            self.expected.append(Modelled(f"p{age}", priority, age))
            # No two are equally old, whatever the clock says.
            self.sql("UPDATE operation SET created_at = :age WHERE id = :id", age)

    @rule(target=leases, one=which)
    def acquire(self, one: int) -> Any:
        """A carrier comes."""
        expected, self.touched = self.expected[one], one
        outcome = self.attempt(self.who.acquire(self.ids[one], "worker"))
        if not expected.workable or expected.held:
            assert outcome == "LeaseLost"
            return multiple()
        expected.token, expected.held = expected.token + 1, True
        assert outcome.token == expected.token
        return one, outcome

    @rule(held=leases, kind=rarely, overdue=st.booleans())
    def carry(self, held: tuple[int, Lease], kind: str, overdue: bool) -> None:  # noqa: FBT001
        """A carrier does the next thing or meets a problem, whether it still may or not."""
        one, lease = held
        self.touched = one
        expected, may = self.expected[one], lease.token == self.expected[one].token
        if may and not expected.workable:
            return  # it has nothing more to do
        step, said = expected.next_line() if kind == "next" else ("operation", kind)
        payload = self.question(overdue) if said == "parked" else "null"
        outcome = self.attempt(self.journal.append(lease, Fact(step, Kind(said), "worker", payload)))
        if not may:
            assert outcome == "LeaseLost"
            return
        expected.carry(step, said, overdue=overdue)
        assert outcome.seq == expected.lines

    @rule(target=leases, one=which, times=st.integers(3, 12))
    def carry_far(self, one: int, times: int) -> Any:
        """A carrier comes, whom nobody disturbs for a while; whoever was there before has not been heard of."""
        self.run_out(one)
        held = self.acquire(one)
        for _ in range(times if isinstance(held, tuple) else 0):
            self.carry(held, "next", overdue=False)
        return held

    @rule(held=leases)
    def renew(self, held: tuple[int, Lease]) -> None:
        """A carrier says that it lives."""
        one, lease = held
        self.touched = one
        may = lease.token == self.expected[one].token
        assert self.attempt(self.who.renew(lease)) == (None if may else "LeaseLost")
        self.expected[one].held = may or self.expected[one].held

    @rule(held=leases)
    def release(self, held: tuple[int, Lease]) -> None:
        """A carrier goes."""
        one, lease = held
        self.touched = one
        may = lease.token == self.expected[one].token
        assert self.attempt(self.who.release(lease)) == (None if may else "LeaseLost")
        if may:
            self.expected[one].token, self.expected[one].held = lease.token + 1, False

    @rule(one=which)
    def run_out(self, one: int) -> None:
        """A carrier has not been heard of for too long."""
        self.touched = one
        self.sql("UPDATE operation SET expires = 0 WHERE id = :id", one)
        self.expected[one].held = False

    @rule(one=which, who=someone, right=st.booleans(), yes=st.booleans())
    def answer(self, one: int, who: str, right: bool, yes: bool) -> None:  # noqa: FBT001
        """Somebody says yes or no to the plan, or to another."""
        self.touched = one
        word, expected = (self.words.approve, model.approve) if yes else (self.words.refuse, model.refuse)
        assert self.attempt(word(self.ids[one], self.speaker(who), HASH[right], "")) == expected(self.expected[one], who, right)

    @rule(one=which)
    def agree(self, one: int) -> None:
        """Everybody says yes to the plan, one of them twice."""
        for who in ("eve", "ann", "bob", "bob", "cid"):
            self.answer(one, who, right=True, yes=True)

    @rule(one=which, times=st.integers(1, 9))
    def see_through(self, one: int, times: int) -> None:
        """Everything goes as it should, perhaps to the end; somebody says that the stage is good enough, while it is watched or not."""
        self.carry_far(one, 12)
        self.agree(one)
        self.carry_far(one, 1)
        self.speak(one, "bob", "promote")
        self.carry_far(one, times)

    @rule(one=which, accept=st.sampled_from(["retry", "accept", "unfreeze"]))
    def get_stuck(self, one: int, accept: str) -> None:
        """It fails, stops on its way back, a person lets it go on, and it stops again."""
        held = self.carry_far(one, 3)
        for kind in ("failed", "next", "frozen"):
            if isinstance(held, tuple):
                self.carry(held, kind, overdue=False)
        self.speak(one, "bob", accept)
        held = self.acquire(one)
        if isinstance(held, tuple):
            self.carry(held, "frozen", overdue=False)

    @rule(one=which, who=someone, word=st.sampled_from(["cancel", "freeze", "unfreeze", "retry", "accept"]))
    def speak(self, one: int, who: str, word: str) -> None:
        """Somebody says something else."""
        self.touched = one
        expected, asked = self.expected[one], (self.ids[one], self.speaker(who), "")
        match word:
            case "cancel":
                assert self.attempt(self.words.cancel(*asked)) == model.cancel(expected)
            case "freeze":
                assert self.attempt(self.words.freeze(*asked)) == model.freeze(expected)
            case "unfreeze":
                assert self.attempt(self.words.unfreeze(*asked)) == model.go_on(expected, None)
            case "promote":
                assert self.attempt(self.words.promote(*asked)) == model.promote(expected)
            case _:
                accept = word == "accept"
                assert self.attempt(self.words.retry(*asked, accept_remaining=accept)) == model.go_on(expected, accept)

    @rule()
    def expire(self) -> None:
        """A keeper looks for questions that nobody answered."""
        overdue = [one for one in self.expected if one.phase == "parked" and one.overdue]
        expired = self.run(self.words.expire())
        assert sorted(map(str, expired)) == sorted(str(self.ids[one.age]) for one in overdue)
        for one in overdue:
            model.turn_back(one)

    @rule(one=which)
    def take_slot(self, one: int) -> None:
        """A dispatcher wants to start a run."""
        self.touched = one
        assert self.run(self.slots.take(self.ids[one])) == model.take_slot(self.expected[one], self.expected, MOST)

    @invariant()
    def stands_as_modelled(self) -> None:
        """The rows, who waits and who is idle; and the journal of what was touched last."""
        names = {operation: one.name for operation, one in zip(self.ids, self.expected, strict=True)}
        assert [names[operation] for operation in self.run(self.who.idle(0))] == model.idle(self.expected)
        rows = self.sql("SELECT phase, slot, token, seq FROM operation ORDER BY created_at")
        assert [tuple(row) for row in rows] == [(one.phase, one.slot, one.token, one.lines) for one in self.expected]
        if self.touched is not None:
            self.check(self.touched)

    def check(self, number: int) -> None:
        """The journal of one operation, folded, and its place in the queue."""
        one, operation = self.expected[number], self.ids[number]
        entries = self.run(self.journal.read(operation))
        state = fold(entries)
        assert (state.phase, len(entries)) == (one.phase, one.lines)
        assert [*state.intents] == one.begun
        assert (sorted(state.results), [*state.votes]) == (sorted(one.done), one.votes)
        assert bool(state.promotions) is one.promoted
        assert (state.failed, state.accepted, dict(state.begun)) == (one.back, one.accepted, one.count())
        waiting = model.queue(self.expected)
        assert self.run(self.slots.place(operation)) == (waiting.index(one) + 1 if one in waiting else 0)

    @invariant()
    def what_has_ended_left_all_or_nothing(self) -> None:
        """Everything was done, or everything was taken back."""
        for one in self.expected:
            self.reached |= {one.phase, *(("promoted",) if one.promoted else ())}
            assert one.phase != "withdrawn" or one.world == []
            assert one.phase != "succeeded" or sorted(one.world) == sorted(model.STEPS)

    def teardown(self) -> None:
        """Every chain and every seal holds; nothing is left open."""
        try:
            for number in range(len(self.ids)):
                self.check(number)
            assert self.run(self.audit.verify()) == []
            assert self.run(self.audit.remarks()) == []
        finally:
            self.run(self.engine.dispose())
            self.runner.close()
            self.folder.cleanup()

    def run(self, doing: Awaitable[Any]) -> Any:
        """What comes of it."""

        async def whole() -> Any:
            return await doing

        return self.runner.run(whole())

    def attempt(self, doing: Awaitable[Any]) -> Any:
        """What comes of it, or the name of the refusal."""
        try:
            return self.run(doing)
        except PipelineError as refusal:
            return type(refusal).__name__

    def sql(self, statement: str, one: int | None = None) -> Any:
        """What somebody who may do anything in the database gets; the operation's age and id can be named."""
        operation = None if one is None else self.ids[one]
        told = operation.hex if operation and self.engine.dialect.name == "sqlite" else operation
        names = {"id": told, "age": one}

        async def execute() -> Any:
            async with self.engine.begin() as database:
                done = await database.execute(text(statement), {name: names[name] for name in names if f":{name}" in statement})
                return done.all() if done.returns_rows else []

        return self.run(execute())

    def question(self, overdue: bool) -> str:  # noqa: FBT001
        """One that stands for an hour, or no longer."""
        now = self.run(self.journal.now())
        return Question(HASH[True], REQUESTER, QUORUM, ("approver",), now + (0 if overdue else HOUR)).write()

    def speaker(self, who: str) -> Speaker:
        """The person with the roles in their token."""
        return Speaker(who, frozenset(PEOPLE[who]))


# On SQLite everything is fast; PostgreSQL answers the same questions more slowly, so it is asked fewer.
EXAMPLES = {"sqlite": (30, 20), "postgresql": (20, 18)}


def test_the_record_stands_as_modelled(database_url: str) -> None:
    """After every step of every story that Hypothesis makes up, whoever did what."""
    engine = open_database(database_url)
    with asyncio.Runner() as runner:
        runner.run(migrate(engine))
        runner.run(engine.dispose())
    examples, steps = EXAMPLES[engine.dialect.name]
    # The stories are made up, but every time the same ones: a failure is never met by chance, and neither is a success.
    bounds = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=[*HealthCheck], derandomize=True
    )
    reached: set[str] = set()
    run_state_machine_as_test(type("LivedHere", (Lived,), {"url": database_url, "reached": reached}), settings=bounds)
    assert reached == {*(phase.value for phase in Phase), "promoted"}, "the stories were too short to say anything"
