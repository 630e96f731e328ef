"""Plays in which a release is good or bad, or nobody can say."""

import asyncio

from blocks.domain.status import InstallationView
from tests.flows.life import BLUE_GREEN, GOOD, Life, Nature


async def good(life: Life) -> InstallationView:
    """All is well; in an A/B test what comes is as good as what serves, and that is enough where the request says so."""
    return await life.watched("2.0.0", GOOD)


async def bad(life: Life) -> InstallationView:
    """The release is no good."""
    return await life.bad("2.0.0")


async def bad_then_good(life: Life) -> InstallationView:
    """The release after one that was no good is well."""
    await life.bad("2.0.0")
    return await life.watched("3.0.0", GOOD)


async def bad_then_bad(life: Life) -> InstallationView:
    """The release after one that was no good is no good either."""
    await life.bad("2.0.0")
    return await life.bad("3.0.0")


async def bad_stable(life: Life) -> InstallationView:
    """What serves fails its users, and what comes mends it; in an A/B test that one wins."""
    await life.break_down()
    await life.remember()
    return await life.watched("2.0.0", GOOD)


async def bad_again(life: Life) -> InstallationView:
    """A release that was no good is asked for again."""
    await life.bad("2.0.0")
    return await life.update("2.0.0")


async def inconclusive(life: Life) -> InstallationView:
    """Nobody uses it, so there is nothing to judge by."""
    return await life.halfway()


async def unmeasured(life: Life) -> InstallationView:
    """Prometheus is away: nothing is concluded from that."""
    life.lose_prometheus()
    return await life.watched("2.0.0", GOOD)


async def long_running(life: Life) -> InstallationView:
    """A stage or a test lasts for seconds, and is sampled in each."""
    seen = await life.watched("2.0.0", GOOD, **life.lasting(life.pace.three_samples))
    assert await life.count_samples(seen) >= 3
    return seen


async def crash(life: Life) -> InstallationView:
    """Its pods crash before anybody met them."""
    return await life.update("2.0.0", Nature.CRASHING)


async def fails_its_smoke_test(life: Life) -> InstallationView:
    """What the preview answers is not what it was asked for."""
    return await life.update("2.0.0", **life.config(smokeTest={"path": "/hello", "status": 204}))


async def fails_at_the_end(life: Life) -> InstallationView:
    """Everybody is there already when another release answers than was installed; a preview was still well."""
    return await life.update("2.0.0", Nature.TURNCOAT if life.strategy == BLUE_GREEN else Nature.DISGUISED)


async def never_ready(life: Life) -> InstallationView:
    """Its pods are not ready before the deadline."""
    life.give_pods(life.pace.deadline)
    return await life.update("2.0.0", Nature.UNREADY)


async def paused_beyond_the_deadline(life: Life) -> InstallationView:
    """An update waits for a person longer than pods may take to be ready."""
    life.give_pods(life.pace.deadline)
    seen = await life.halfway()
    await asyncio.sleep(life.pace.deadline)
    return await life.go_on(seen)
