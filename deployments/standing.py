"""Let the namespaces stand in which objects are tried before their own are there; a second call finds nothing to change.

Run it with `python -m deployments.standing` wherever plugins are to be planned, once for each cluster.
"""

import asyncio
import sys

from blocks.cluster.live import open_cluster
from blocks.domain.errors import Transient
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.dry_run import stand_in, stand_in_objects
from blocks.domain.objects.standing import has_standing, stands
from blocks.domain.objects.tenancy import LIMITS
from blocks.ports.cluster import Cluster, Sights, View
from blocks.settings import Settings, read_settings

# Seconds in which the cluster's own controllers take notice of an object.
NOTICED = 60


async def let_stand(settings: Settings) -> list[str]:
    """The names of the namespaces, which stand with their bounds; raises `Transient` where the cluster takes no notice of them."""
    async with open_cluster(settings.kubeconfig) as cluster:
        for one in [one for environment in LIMITS for one in stand_in_objects(environment)]:
            await _put_up(cluster, one)
    return [*map(stand_in, LIMITS)]


async def _put_up(cluster: Cluster, desired: Object) -> None:
    applied = await cluster.apply(desired)
    if not has_standing(desired["kind"]):
        return

    def is_noticed(seen: Sights) -> bool | None:
        return any(stands(one) for one in seen["it"]) or None

    view = View(desired["kind"], applied.name.namespace, fields={"metadata.name": applied.name.name})
    if not await cluster.wait({"it": view}, is_noticed, NOTICED):
        raise Transient(f"nobody took notice of {applied.name} within {NOTICED} s", "see that the cluster's controllers run")


def main() -> None:
    """Let them stand and say which."""
    for name in asyncio.run(let_stand(read_settings())):
        sys.stdout.write(f"objects are tried in {name}\n")


if __name__ == "__main__":
    main()
