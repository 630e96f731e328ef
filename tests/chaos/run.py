"""Lives side by side in the fake world, and what came of them."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence

from tests.chaos.carrying import Carried
from tests.chaos.ground import FakeGround
from tests.chaos.judge import judge_carrying, judge_changes, judge_rest, judge_return, judge_traffic
from tests.chaos.life import Life, Outcome
from tests.chaos.scripts import UNDISTURBED, Script

# What an operation changes when nobody dies, by the plugin's runtime, the strategy, the verb and whether it is taken back.
References = Mapping[tuple[str, str, str, bool], Counter[str]]


async def learn(ground: FakeGround) -> tuple[list[Outcome], References]:
    """What every operation changes when nobody dies in it."""
    lives = await asyncio.gather(*(live(ground, script, {}) for script in UNDISTURBED))
    told = [
        ((script.runtime, script.strategy, act.verb, act.lies), changed)
        for script, (_, changes) in zip(UNDISTURBED, lives, strict=True)
        for act, changed in zip(script.acts, changes, strict=False)
    ]
    return [outcome for outcomes, _ in lives for outcome in outcomes], dict(told)


async def live_all(ground: FakeGround, scripts: Sequence[Script]) -> list[Outcome]:
    """What came of every act of every life."""
    outcomes, references = await learn(ground)
    if any(outcome.complaints for outcome in outcomes):
        return outcomes  # there is nothing to compare with

    async def in_turn(script: Script) -> list[Outcome]:
        async with ground.room:
            return (await live(ground, script, references))[0]

    lives = await asyncio.gather(*map(in_turn, scripts))
    return [*outcomes, *(outcome for told in lives for outcome in told)]


async def live(ground: FakeGround, script: Script, references: References) -> tuple[list[Outcome], list[Counter[str]]]:
    """What came of every act of one life, up to the first that did not end as it should, and what each changed."""
    life, outcomes, changes = (
        Life(ground, script.environment, script.runtime, script.strategy),
        list[Outcome](),
        list[Counter[str]](),
    )
    for act in script.acts:
        before, made = ground.ledger.bodies(life.namespace), life.made()
        carried, changed = await life.play(act)
        changes.append(changed)
        wrong = [*judge_carrying(act, carried), *judge_traffic(life)]
        wrong += [f"{what} was made {count} times" for what, count in (life.made() - made).items() if count > 1]
        if references:
            wrong += judge_changes(changed, references[script.runtime, script.strategy, act.verb, act.lies])
        if act.lies:
            wrong += judge_return(before, ground.ledger.bodies(life.namespace))
        if act.verb == "uninstall":
            wrong += judge_rest(life)
        outcomes.append(Outcome(act, "fake", tuple(wrong), resumed(carried)))
        if carried.phase is not act.ends:
            break
    return outcomes, changes


def resumed(carried: Carried) -> tuple[float | None, ...]:
    """Seconds after each of the act's deaths until somebody else went on."""
    return tuple(carried.resumed_after(end) for end in carried.deaths)
