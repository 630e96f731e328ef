"""Deleting: only what is ours as it stands at this very moment, and until it is gone with all that hangs on it."""

from collections.abc import Callable

from blocks.cluster.connection import Connection
from blocks.cluster.going import wait_until_gone
from blocks.cluster.paths import Ask, path_of
from blocks.cluster.read import read_object
from blocks.cluster.translate import CONFLICT, NOT_FOUND, Answer, refusal
from blocks.domain.errors import Transient, Unreachable
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.names import Name

TRIES = 8


async def remove_object(connection: Connection, name: Name, is_ours: Callable[[Object], bool]) -> bool:
    """Let the object be gone if it is ours; what changed between look and delete is looked at again."""
    # The uid tells ours from another of its name. Ours may go without our hearing of it: an answer is lost, or aiohttp, whose
    # connection was cut, repeats the request by itself, and that one meets a conflict with what the first has begun.
    ours = ""
    for _ in range(TRIES):
        live = await read_object(connection, name)
        if live is None or not is_ours(live):
            return ours not in ("", live and live["metadata"]["uid"])
        ours = live["metadata"]["uid"]
        answer = await _delete(connection, name, live)
        if isinstance(answer, Unreachable) or answer.status == CONFLICT:
            continue
        if not answer.ok and answer.status != NOT_FOUND:
            raise refusal(answer, f"delete {name}")
        await wait_until_gone(connection, name, ours)
        return True
    raise answer if isinstance(answer, Unreachable) else Transient(f"{name} keeps changing while it is being deleted")


async def _delete(connection: Connection, name: Name, live: Object) -> Answer | Unreachable:
    exactly = {key: live["metadata"][key] for key in ("uid", "resourceVersion")}
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Foreground", "preconditions": exactly}
    return await connection.write(Ask("DELETE", path_of(name), {}, options))
