"""What was made too late: a carrier that was stopped in the middle of a write finishes it when it goes on, whoever took over meanwhile.

Changes and removals are conditional at the API server, so only a creation can come late. It is taken away once the operation has been
taken back; nobody has ever been sent to it.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from blocks.catalog.withdrawn import Withdrawn
from blocks.cluster.live import open_cluster
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.labels import OPERATION, REVISION, stamp_of
from blocks.domain.objects.names import Name
from blocks.domain.objects.phases import OWNED
from blocks.ports.cluster import Cluster, View


async def remove_late(kubeconfig: Path | None, withdrawn: Iterable[Withdrawn]) -> tuple[str, ...]:
    """What these operations made and had to take back is gone; the names of what was still there, as `Kind/name`."""
    asked = tuple(withdrawn)
    if not asked:
        return ()
    async with open_cluster(kubeconfig) as cluster:
        return tuple([name for one in asked for name in await _remove(cluster, one)])


async def _remove(cluster: Cluster, one: Withdrawn) -> list[str]:
    mark = {OPERATION: str(one.operation), REVISION: str(one.revision)}
    found = [Name.of(late) for kind in OWNED for late in await cluster.find(View(kind, labels=mark))]
    return [name.short for name in found if await cluster.remove(name, lambda live: _is_of(live, mark))]


def _is_of(live: Object, mark: Mapping[str, str]) -> bool:
    return all(stamp_of(live, key) == value for key, value in mark.items())
