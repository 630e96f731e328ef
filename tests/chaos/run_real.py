"""Lives on the real cluster, with somebody who uses the plugin from the moment it serves."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from itertools import pairwise

from tests.chaos.carrying import carry_to_end
from tests.chaos.judge import judge_carrying
from tests.chaos.life import Outcome
from tests.chaos.mortal import Fate
from tests.chaos.real import Client, RealGround, RealLife, used
from tests.chaos.run import resumed
from tests.chaos.scripts import Act, Script

Versions = Mapping[str, str]


async def live_all_really(ground: RealGround, scripts: Sequence[Script]) -> list[Outcome]:
    """What came of every act of every life."""
    return [outcome for told in await asyncio.gather(*(live_really(ground, script) for script in scripts)) for outcome in told]


async def live_really(ground: RealGround, script: Script) -> list[Outcome]:
    """What came of every act of one life; nothing of it stays."""
    life, outcomes = RealLife(ground), list[Outcome]()
    await asyncio.to_thread(life.write)
    client: Client | None = None
    try:
        async with AsyncExitStack() as stack:
            for act in script.acts:
                if act.verb == "uninstall":
                    await stack.aclose()
                outcomes.append(await play_really(life, act, client))
                if outcomes[-1].complaints:
                    break
                client = client or await stack.enter_async_context(used(life, await life.host()))
    finally:
        await life.forget()
    return outcomes


async def play_really(life: RealLife, act: Act, client: Client | None) -> Outcome:
    """How one act went."""
    seen, pushed = [await life.versions()], await life.pushed()

    async def look() -> None:
        seen.append(await life.versions())

    fates = [Fate(point) for point in act.points]
    carried = await carry_to_end(life.ground, await life.ask(act.verb), fates, look)
    wrong = [*judge_carrying(act, carried), *judge_versions(seen), *judge_pushed(act, pushed, await life.pushed())]
    wrong += [f"a request of {client.asked} failed: {one}" for one in client.failed] if client else []
    if client and not client.asked:
        wrong.append("nobody used the plugin")
    if act.verb == "uninstall":
        wrong += await life.left()
    return Outcome(act, "real", tuple(wrong), resumed(carried))


def judge_pushed(act: Act, before: int, after: int) -> Iterator[str]:
    """An image that was pushed too often, or not at all."""
    if after - before != (act.verb in ("install", "update")):
        yield f"{after - before} images were pushed"


def judge_versions(seen: Sequence[Versions]) -> Iterator[str]:
    """Every object that was changed both before and after somebody died: then two did the same.

    The route is changed several times in one operation: it is judged by how many requests fail.
    """
    names = {name for versions in seen for name in versions if not name.startswith("HTTPRoute/")}
    for name in sorted(names):
        told = [versions.get(name, "none") for versions in seen]
        if sum(earlier != later for earlier, later in pairwise(told)) > 1:
            yield f"{name} was changed more than once: {told}"
