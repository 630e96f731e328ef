"""Whether what answers at the plugin's own address is what was installed."""

import asyncio
from dataclasses import dataclass

from blocks.domain.errors import Transient, VerificationFailed
from blocks.domain.plan import Plan
from blocks.domain.reported import Reported, read_reported
from blocks.work import Work
from tasks.kinds import Undo, step

# Seconds between questions: the gateway takes up to a second to follow a route that it has accepted, and tells nobody when it has.
PAUSES = (0.1, 0.2, 0.4, 0.8, 1.5, 3, 4, 5)


@dataclass(frozen=True)
class Verified:
    """The release that answered, as `name@version`, and where it was asked."""

    release: str
    url: str


@step(Undo.NEEDLESS)
async def verify(work: Work, plan: Plan) -> Verified:
    """The plugin answers where people meet it and says that it is the release that was planned, or `VerificationFailed`."""
    name, _, version = plan.target.rpartition("@")
    wanted = Reported(name, version)
    for pause in (*PAUSES, None):
        told = await ask_release(work, plan)
        if isinstance(told, Reported) and told.is_what(wanted):
            return Verified(str(wanted), f"{plan.url}{plan.release}")
        if pause is None:
            break
        await asyncio.sleep(pause)
    raise VerificationFailed(f"{plan.url}{plan.release} should say {wanted}, and says {told}", "see the plugin's own log")


async def ask_release(work: Work, plan: Plan) -> Reported | str:
    """The release that the plugin says it is, or what came instead, in words."""
    try:
        reply = await work.tools.web.ask(plan.host, plan.release)
    except Transient as problem:
        return f"nothing: {problem.message}"
    return read_reported(reply.status, reply.headers, reply.text) or f"status {reply.status} without a release"
