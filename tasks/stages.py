"""A revision met by a part of the users first: the route stage by stage, each watched until the numbers say how to go on.

What is decided is decided by `next_action` alone, from samples that stand in the journal as soon as they are taken, and follow from
Prometheus's history where they can: a run that takes over after a crash has the same ones and comes to the same end.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

from pydantic import TypeAdapter

from blocks.domain.diagnosis import Diagnosis, diagnose
from blocks.domain.errors import AnalysisFailed, Parked
from blocks.domain.journal import Kind, Reason
from blocks.domain.metrics import tell_asked
from blocks.domain.objects.phases import Phase
from blocks.domain.objects.routes import asked_for
from blocks.domain.objects.staged import staged
from blocks.domain.outlook import sight_of
from blocks.domain.plan import Plan
from blocks.domain.rollout import Advance, Ask, GoBack, Measure, Observed, Sample, Wait, is_nearly_over, next_action
from blocks.domain.stages import config_of
from blocks.domain.together import STAGE
from blocks.ports.cluster import Sights
from blocks.work import Work
from tasks.autoscaling import begin_with
from tasks.job_check import begin_jobs, clear_jobs
from tasks.kinds import Undo, step
from tasks.measure import Moment, measure
from tasks.objects import Stood, put_up
from tasks.plan import read_before, read_plan
from tasks.ratio import share_out
from tasks.rollout import failure, grow, stand_with, views_of
from tasks.shift import shift_back
from tasks.together import Meet, alone

# Who puts a release into quarantine that its own numbers brought back.
ANALYSIS = "analysis"
# Seconds that the last look of a wait may take: a stage is not kept longer for it.
LAST_LOOK = 0.3
SAMPLES = TypeAdapter(tuple[Sample, ...])


@dataclass(frozen=True)
class Watched:
    """Why the stage is over, and the number of the next (beyond the last: none)."""

    why: str
    next: int


async def advance(work: Work, plan: Plan, meet: Meet = alone) -> None:
    """All requests are sent to the planned revision, after each stage of the plan was good enough.

    In a set each stage of all plugins is over before the next one of any is begun.
    """
    number = 1
    while number <= len(plan.stages):
        await meet(work, f"{STAGE}:{number}")
        await route_stage(work, number, plan)
        number = (await watch_stage(work, number, plan)).next


@step(Undo.REVERSIBLE, keyed=True)
async def route_stage(work: Work, number: int, plan: Plan) -> Stood:
    """The gateway has taken the stage's share of the requests to the planned revision, and the rest to the one that served before.

    So it has the requests with the stage's header, or copies of all, if that is how they meet; where it is asked itself, those that ask it.
    It has the replicas for them before. Where nothing but a Service leads people, how many pods each side has makes its share.
    """
    # Hours may have passed since it was rolled out, while a person was asked. What is sent to it finds it as large as it has to be.
    await stand_with(work, plan, plan.size_at(number, await begin_with(work, plan)))
    if plan.sizes:
        return await share_out(work, plan, number)
    now, before = (await read_plan(work, plan))[Phase.EXPOSURE], (await read_before(work, plan))[Phase.EXPOSURE]
    if not plan.previous:
        return await put_up(work, now)
    routes = [staged(*pair, plan.stages[number - 1]) for pair in zip(now, before, strict=True)]
    if config_of(work.order.request).analysis.asks_revision:
        routes = [asked_for(*pair) for pair in zip(now, routes, strict=True)]
    return await put_up(work, routes)


@route_stage.undo
async def unroute_stage(work: Work, number: int, plan: Plan) -> None:
    """The gateway has taken the whole route to the revision that served before: one write for all stages; then the Jobs go."""
    await shift_back(work, plan)
    await clear_jobs(work, plan, number, await taken_before(work, f"{watch_stage.name}:{number}"), over=True)


@step(Undo.NEEDLESS, keyed=True)
async def watch_stage(work: Work, number: int, plan: Plan) -> Watched:
    """The stage was good enough for as long as it is to last.

    Raises `AnalysisFailed` with the number that decided, `RolloutFailed` when the revision's pods fail, and `Parked` where only a person
    can say how to go on.
    """
    stage, analysis = plan.stages[number - 1], config_of(work.order.request).analysis
    key = f"{watch_stage.name}:{number}"
    samples = await taken_before(work, key)
    since, clock = await since_and_clock(work, key)
    await begin_jobs(work, plan, number, samples)
    grown = False
    while True:
        said = (await work.look()).promotions.get(key)
        observed = Observed(since, clock(), samples, promoted=said is not None)
        match next_action(stage, analysis, observed):
            case Measure(at):
                taken = await measure(work, plan, Moment(number, stage, (since, at), samples))
                await work.record(key, Kind.MEASURED, SAMPLES.dump_json(taken).decode())
                samples = (*samples, *taken)
                await clear_jobs(work, plan, number, samples)
            case Wait(seconds):
                grown = grown or await grow_ahead(work, plan, number, observed)
                await look_out(work, plan, seconds)
            case Advance(why):
                await clear_jobs(work, plan, number, samples, over=True)
                fully = said is not None and json.loads(said)["fully"]
                return Watched(why, len(plan.stages) if fully and number < len(plan.stages) else number + 1)
            case GoBack(reason, decided):
                raise await bad(work, plan, reason, decided)
            case Ask(question, code):
                await clear_jobs(work, plan, number, samples, over=True)
                raise ask_people(question, code)


async def grow_ahead(work: Work, plan: Plan, number: int, observed: Observed) -> bool:
    """Whether the stage is nearly over and the revision is to have the replicas of the next one, which become ready meanwhile.

    Where how many pods there are is what shares the requests, none come before their time.
    """
    if plan.sizes or not is_nearly_over(plan.stages[number - 1], config_of(work.order.request).analysis, observed):
        return False
    if number < len(plan.stages):
        await grow(work, plan, plan.size_at(number + 1, await begin_with(work, plan)))
    return True


def ask_people(question: str, code: str = "undecided") -> Parked:
    """What makes the operation wait for somebody, holding nothing; the operation says why."""
    why = Reason(code, question, "promote the stage, or cancel the operation")
    return Parked(why.message, why.hint, json.dumps({"why": asdict(why)}))


async def taken_before(work: Work, key: str) -> tuple[Sample, ...]:
    """The samples that the journal has of the stage: what the cluster said at an instant cannot be asked again."""
    entries = await work.tools.journal.read(work.operation)
    taken = [SAMPLES.validate_json(one.payload) for one in entries if one.step == key and one.kind is Kind.MEASURED]
    return tuple(sample for each in taken for sample in each)


async def since_and_clock(work: Work, key: str) -> tuple[float, Callable[[], float]]:
    """When the stage was first begun, and what tells the time: seconds since 1970 by the record's clock, whatever this machine's says."""
    entries = await work.tools.journal.read(work.operation)
    begun = next(one.at for one in entries if one.step == key and one.kind is Kind.INTENDED)
    tick = asyncio.get_running_loop().time
    ahead = await work.tools.journal.now() / 1000 - tick()
    return begun / 1000, lambda: tick() + ahead


async def look_out(work: Work, plan: Plan, seconds: float) -> None:
    """Return after so many seconds, or raise as soon as the revision's pods certainly fail."""

    def find_trouble(seen: Sights) -> Diagnosis | None:
        found = diagnose(sight_of(plan.name, seen))
        return found if found and found.patience == 0 else None

    clock = asyncio.get_running_loop().time
    ends = clock() + seconds
    if found := await work.tools.cluster.wait(views_of(plan), find_trouble, max(seconds - LAST_LOOK, 0)):
        raise await failure(work, plan, found)
    await asyncio.sleep(max(ends - clock(), 0))


async def bad(work: Work, plan: Plan, reason: str, decided: Sample) -> AnalysisFailed:
    """The error that brings everything back, with the release in quarantine, unless it is only its configuration that is new."""
    served = await work.tools.operations.serving(work.installation)
    if served is None or served.release != plan.target:
        await work.tools.quarantines.put_in(work.installation, plan.target, (ANALYSIS, reason))
    asked = tell_asked(config_of(work.order.request).analysis, decided)
    return AnalysisFailed(f"{plan.target} is worse than was asked for: {reason}", asked)
