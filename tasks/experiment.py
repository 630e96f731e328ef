"""Two revisions side by side until it is certain which is better: an A/B test.

Like a stage, it is decided from samples that stand in the journal as soon as they are taken, and follow from Prometheus's history: a run
that takes over after a crash comes to the same end.
"""

import asyncio
from dataclasses import dataclass

from blocks.domain.analysis import Analysis
from blocks.domain.errors import AnalysisFailed, PipelineError
from blocks.domain.experiment import Experiment
from blocks.domain.journal import Kind
from blocks.domain.objects.phases import Phase
from blocks.domain.objects.variants import variants
from blocks.domain.plan import Plan
from blocks.domain.questions import Questions, ask_about, missed
from blocks.domain.rollout import Advance, Ask, GoBack, Measure, Verdict, Wait
from blocks.domain.sequential import Comparison, Count
from blocks.domain.stages import config_of
from blocks.domain.trial import Look, Standing, judge_variants, look_again, next_in_trial
from blocks.work import Work
from tasks.kinds import Undo, step
from tasks.measure import answer, cluster_name
from tasks.objects import Stood, put_up
from tasks.plan import read_before, read_plan
from tasks.shift import shift_back
from tasks.stages import SAMPLES, ask_people, bad, look_out, since_and_clock, taken_before


@dataclass(frozen=True)
class Tried:
    """Why the test is over, and what its last look said of both variants."""

    why: str
    comparison: Comparison | None


@step(Undo.REVERSIBLE)
async def open_variants(work: Work, plan: Plan) -> Stood:
    """The gateway has taken the route on which a share of the users meets the planned revision, and everybody the same one again."""
    now, before = (await read_plan(work, plan))[Phase.EXPOSURE], (await read_before(work, plan))[Phase.EXPOSURE]
    return await put_up(work, [variants(*pair, experiment_of(work)) for pair in zip(now, before, strict=True)])


@open_variants.undo
async def close_variants(work: Work, plan: Plan) -> None:
    """The gateway has taken the whole route to the revision that served before, for everybody, whatever cookie they have."""
    await shift_back(work, plan)


@step(Undo.NEEDLESS)
async def watch_experiment(work: Work, plan: Plan) -> Tried:
    """The planned revision has won, or may follow without having won.

    Raises `AnalysisFailed` with the number that decided, `RolloutFailed` when the revision's pods fail, and `Parked` where only a person
    can say how to go on.
    """
    experiment = experiment_of(work)
    samples = await taken_before(work, watch_experiment.name)
    # Where anything is compared SciPy is loaded, and very many requests take seconds: in a thread, or the lease would run out meanwhile.
    looks = await asyncio.to_thread(look_again, experiment, samples)
    since, clock = await since_and_clock(work, watch_experiment.name)
    while True:
        promoted = watch_experiment.name in (await work.look()).promotions
        match next_in_trial(experiment, Standing(since, clock(), looks, promoted)):
            case Measure(at):
                looks = (*looks, await look(work, plan, looks, (since, at)))
                await work.record(watch_experiment.name, Kind.MEASURED, SAMPLES.dump_json((looks[-1].sample,)).decode())
            case Wait(seconds):
                await look_out(work, plan, seconds)
            case Advance(why):
                return Tried(why, looks[-1].comparison if looks else None)
            case GoBack(reason, decided) if decided.verdict == Verdict.BAD:
                raise await bad(work, plan, reason, decided)
            case GoBack(reason, decided):
                # Nothing is held against the release: it may be tried again.
                raise AnalysisFailed(f"{plan.target} has not won: {reason}", f"Prometheus was asked: {decided.query}")
            case Ask(question):
                raise ask_people(question)


async def look(work: Work, plan: Plan, before: tuple[Look, ...], window: tuple[float, float]) -> Look:
    """What both variants answered from one instant to another (seconds since 1970), and what that says after the looks before."""
    questions = [ask_about(cluster, Analysis(), *window) for cluster in await clusters(work, plan)]
    try:
        counts = await asyncio.gather(*(count(work, one) for one in questions))
    except PipelineError as problem:
        return Look(missed(questions[-1], problem))
    told = (window[1], questions[-1].success_rate)
    return await asyncio.to_thread(judge_variants, experiment_of(work), before, told, (counts[0], counts[1]))


async def count(work: Work, questions: Questions) -> Count:
    """What one variant answered; where Prometheus knows of no series, nothing."""
    numbers = await answer(work, questions)
    return Count(round(numbers.requests or 0), round(numbers.succeeded or 0))


async def clusters(work: Work, plan: Plan) -> tuple[str, str]:
    """What the gateway calls A and B in what it counts."""
    a, b = (await read_before(work, plan))[Phase.EXPOSURE][0], (await read_plan(work, plan))[Phase.EXPOSURE][0]
    return cluster_name(plan, a), cluster_name(plan, b)


def experiment_of(work: Work) -> Experiment:
    """What the request says of its experiment."""
    return config_of(work.order.request).experiment or Experiment()
