"""The cluster that a kubeconfig names."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from blocks.cluster.apply import apply_object
from blocks.cluster.connection import Connection, Fence, open_connection
from blocks.cluster.delete import remove_object
from blocks.cluster.events import make_event
from blocks.cluster.preview import preview_object
from blocks.cluster.read import find_objects, read_groups, read_log, read_object
from blocks.cluster.watch import wait_for
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.names import Name
from blocks.ports.cluster import Applied, Notice, Preview, Sights, View, Views
from blocks.ports.patience import Patience

T = TypeVar("T")


class LiveCluster:
    """One Kubernetes cluster; implements `blocks.ports.cluster.Cluster`, where each method is described."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def read(self, name: Name) -> Object | None:
        """The object as it stands, or None."""
        return await read_object(self._connection, name)

    async def find(self, view: View) -> list[Object]:
        """Every object in view."""
        found, _ = await find_objects(self._connection, view)
        return found

    async def groups(self) -> frozenset[str]:
        """Every API group that the cluster serves."""
        return await read_groups(self._connection)

    async def apply(self, desired: Object) -> Applied:
        """Let the object stand as desired."""
        return await apply_object(self._connection, desired)

    async def preview(self, desired: Object, stand_in: str = "") -> Preview:
        """What applying the object would lead to."""
        return await preview_object(self._connection, desired, stand_in)

    async def remove(self, name: Name, is_ours: Callable[[Object], bool]) -> bool:
        """Let the object be gone if it is ours."""
        return await remove_object(self._connection, name, is_ours)

    async def wait(self, views: Views, decide: Callable[[Sights], T | None], seconds: float | Patience) -> T | None:
        """The first decision that what is seen leads to, or None when the time is over in which the cluster could be seen."""
        return await wait_for(self._connection, views, decide, seconds if isinstance(seconds, Patience) else Patience(seconds))

    async def last_words(self, namespace: str, pod: str, *, previous: bool) -> str:
        """The end of the plugin's log."""
        return await read_log(self._connection, namespace, pod, previous=previous)

    async def tell(self, regarding: Object, notice: Notice) -> None:
        """Make an Event about the object."""
        await make_event(self._connection, regarding, notice)


@asynccontextmanager
async def open_cluster(kubeconfig: Path | None, fence: Fence | None = None) -> AsyncIterator[LiveCluster]:
    """The cluster that the kubeconfig names, or, without one, the cluster we run in; nothing is written past the fence."""
    async with open_connection(kubeconfig, fence) as connection:
        yield LiveCluster(connection)
