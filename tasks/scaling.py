"""A revision's pods: woken until they are ready, or put to sleep; its objects stay for the way back."""

from collections.abc import Mapping, Sequence

from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.names import Name
from blocks.domain.objects.phases import Phase
from blocks.domain.objects.workload import asleep
from blocks.work import Work
from tasks.objects import is_of, put_up_one

Staged = Mapping[Phase, Sequence[Object]]


async def put_to_sleep(work: Work, staged: Staged) -> None:
    """The document's Deployment has no replicas, if it is there and the installation's; one that is not there stays away."""
    deployment = deployment_of(staged)
    live = await work.tools.cluster.read(Name.of(deployment))
    if live is not None and is_of(work)(live):
        await put_up_one(work, asleep(deployment))


def deployment_of(staged: Staged) -> Object:
    """The one Deployment of a plan's document."""
    return next(one for one in staged[Phase.WORKLOAD] if one["kind"] == "Deployment")
