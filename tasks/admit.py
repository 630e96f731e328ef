"""Whether the release may be tried here at all, before anything is fetched."""

from blocks.domain.errors import Needed, Quarantined
from blocks.domain.plan import Plan
from blocks.domain.release import Resolution
from blocks.work import Work
from tasks.kinds import Undo, step


@step(Undo.NEEDLESS)
async def admit_release(work: Work, resolution: Resolution) -> str:
    """The release as `name@version`; raises `Quarantined` if it was rolled back here, `Needed` if what the plugin needs does not serve."""
    release = f"{resolution.release.name}@{resolution.release.version}"
    if (why := await work.tools.quarantines.why(work.installation, release)) is not None:
        raise Quarantined(f"{release} was rolled back here: {why}", "lift its quarantine with a reason, or take another version")
    if missing := await work.tools.operations.missing(work.order):
        raise Needed(f"{', '.join(missing)} must serve first", "install it for the same tenant and environment, then ask again")
    return release


@step(Undo.REVERSIBLE)
async def quarantine_release(work: Work, plan: Plan) -> str:
    """The release that was rolled back is not tried here again until somebody lifts that; nothing if only the configuration went back."""
    bad = await work.tools.operations.revision(work.installation, plan.previous)
    if bad is None or bad.release == plan.target:
        return ""
    await work.tools.quarantines.put_in(work.installation, bad.release, (work.order.actor, work.order.wish.reason))
    return bad.release


@quarantine_release.undo
async def _release_again(work: Work, plan: Plan) -> None:
    bad = await work.tools.operations.revision(work.installation, plan.previous)
    if bad is not None and bad.release != plan.target:
        await work.tools.quarantines.take_out(work.installation, bad.release, (work.order.actor, "the rollback was taken back"))
