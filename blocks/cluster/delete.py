"""Deleting: only what is ours as it stands at this very moment, and until it is gone with all that hangs on it."""

from collections.abc import Callable

from blocks.cluster.connection import Connection
from blocks.cluster.paths import Ask, path_of
from blocks.cluster.read import read_object
from blocks.cluster.translate import CONFLICT, NOT_FOUND, Answer, refusal
from blocks.cluster.watch import wait_for
from blocks.domain.errors import Transient
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.names import Name
from blocks.ports.cluster import Sights, View

TRIES = 8
# Seconds in which something that was told to go must be gone: pods have their grace period, a namespace all of its contents.
GOING = 180


async def remove_object(connection: Connection, name: Name, is_ours: Callable[[Object], bool]) -> bool:
    """Let the object be gone if it is ours; what changed between look and delete is looked at again."""
    for _ in range(TRIES):
        live = await read_object(connection, name)
        if live is None or not is_ours(live):
            return False
        answer = await _delete(connection, name, live)
        if answer.status == NOT_FOUND:
            return False
        if answer.ok:
            await _wait_until_gone(connection, name, live["metadata"]["uid"])
            return True
        if answer.status != CONFLICT:
            raise refusal(answer, f"delete {name}")
    raise Transient(f"{name} keeps changing while it is being deleted: {answer.sentence}")


async def _delete(connection: Connection, name: Name, live: Object) -> Answer:
    exactly = {key: live["metadata"][key] for key in ("uid", "resourceVersion")}
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Foreground", "preconditions": exactly}
    return await connection.ask(Ask("DELETE", path_of(name), {}, options))


async def _wait_until_gone(connection: Connection, name: Name, uid: str) -> None:
    view = View(name.kind, name.namespace, fields={"metadata.name": name.name})

    def is_gone(seen: Sights) -> bool | None:
        return all(one["metadata"]["uid"] != uid for one in seen["it"]) or None

    if not await wait_for(connection, {"it": view}, is_gone, GOING):
        raise Transient(
            f"{name} was told to go and is still there after {GOING} s", "see what holds it: its finalizers, its pods"
        )
