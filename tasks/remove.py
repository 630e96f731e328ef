"""Taking a whole plugin away, and putting it up again from its plan."""

from blocks.domain.objects.labels import INSTALLATION
from blocks.domain.objects.names import Name
from blocks.domain.objects.phases import OWNED, Phase, every
from blocks.domain.objects.sizes import awake
from blocks.domain.plan import Plan
from blocks.ports.cluster import View
from blocks.work import Work
from tasks.autoscaling import count_replicas
from tasks.kinds import Undo, step
from tasks.objects import is_of, put_up
from tasks.plan import read_plan
from tasks.provision import stand_database
from tasks.rollout import await_ready


@step(Undo.COMPENSATABLE)
async def remove_plugin(work: Work, plan: Plan) -> tuple[str, ...]:
    """Everything of the installation in the cluster is gone, and its names are returned; the namespace and the database stay.

    The route goes first; pods then drain while the gateway forgets them, because they wait before they stop.
    """
    cluster, gone = work.tools.cluster, list[str]()
    for kind in OWNED:
        found = await cluster.find(View(kind, plan.namespace, labels={INSTALLATION: str(work.installation)}))
        for name in map(Name.of, found):
            await cluster.remove(name, is_of(work))
        gone += [Name.of(one).short for one in found]
    return tuple(gone)


@remove_plugin.undo
async def put_up_again(work: Work, plan: Plan) -> None:
    """The revision that served is up, ready and routed again; earlier ones come back from their plans when somebody rolls back."""
    staged = await read_plan(work, plan)
    await put_up(work, every(staged, (Phase.IDENTITY, Phase.LIMITS)))
    await stand_database(work, plan)
    had = await count_replicas(work, plan, plan.revision) or plan.replicas
    running = every(staged, (Phase.CONFIGURATION, Phase.WORKLOAD))
    await put_up(work, [awake(one, had) if one["kind"] == "Deployment" else one for one in running])
    await await_ready(work, plan)
    await put_up(work, every(staged, (Phase.EXPOSURE, Phase.SCALING)))
