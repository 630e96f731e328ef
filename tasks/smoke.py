"""A revision that only who asks for it can meet, and one question to it before anybody else does."""

import asyncio

from blocks.domain.analysis import SmokeTest
from blocks.domain.errors import Transient, VerificationFailed
from blocks.domain.objects.phases import Phase
from blocks.domain.objects.routes import previewed
from blocks.domain.plan import Plan
from blocks.domain.reported import Reported, read_reported
from blocks.domain.stages import config_of
from blocks.work import Work
from tasks.http_check import ask_revision
from tasks.kinds import Undo, step
from tasks.objects import Stood, put_up
from tasks.plan import read_before, read_plan
from tasks.shift import shift_back
from tasks.verify import PAUSES


@step(Undo.REVERSIBLE)
async def open_preview(work: Work, plan: Plan) -> Stood:
    """Whoever sends the header `x-plugin-preview` with the revision's name meets it; everybody else is served as before.

    Where there is no gateway, who asks the revision's own Service meets it.
    """
    if plan.plain:
        return Stood((), ())  # whoever asks for it asks its own Service, which stands with its pods
    now, before = (await read_plan(work, plan))[Phase.EXPOSURE], (await read_before(work, plan))[Phase.EXPOSURE]
    if not plan.previous:
        return await put_up(work, [previewed(one, None) for one in now])
    return await put_up(work, [previewed(*pair) for pair in zip(now, before, strict=True)])


@open_preview.undo
async def close_preview(work: Work, plan: Plan) -> None:
    """Nobody meets the revision any more."""
    await shift_back(work, plan)


@step(Undo.NEEDLESS)
async def smoke_test(work: Work, plan: Plan) -> str:
    """What the revision answered in its preview, in a sentence; `VerificationFailed` if it is not what was asked for."""
    wanted = config_of(work.order.request).smoke_test or SmokeTest(path=plan.release)
    for pause in (*PAUSES, None):
        told, good = await ask_preview(work, plan, wanted)
        if good:
            return told
        if pause is None:
            break
        await asyncio.sleep(pause)
    raise VerificationFailed(
        f"the preview of {plan.target} does not pass its smoke test: {told}", "nobody else has met it; see its log"
    )


async def ask_preview(work: Work, plan: Plan, wanted: SmokeTest) -> tuple[str, bool]:
    """What came back on the path, in a sentence, and whether that is what is wanted of the planned release."""
    try:
        reply = await ask_revision(work, plan, wanted.path)
    except Transient as problem:
        return f"nothing answers on {wanted.path}: {problem.message}", False
    release = read_reported(reply.status, reply.headers, reply.text)
    name, _, version = plan.target.rpartition("@")
    told = f"{wanted.path} answered {reply.status}, {wanted.status} wanted" + (f", by {release}" if release else "")
    # Until the gateway follows the new rule, the revision before answers here too.
    return told, reply.status == wanted.status and (release is None or release.is_what(Reported(name, version)))
