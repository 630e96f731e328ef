"""What was told to go: waited for until it is gone with all that hangs on it, or said with what holds it."""

from collections.abc import Mapping
from typing import Any

from blocks.cluster.connection import Connection
from blocks.cluster.read import read_object
from blocks.cluster.watch import wait_for
from blocks.domain.errors import Refused
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.names import Name
from blocks.ports.cluster import Sights, View
from blocks.ports.patience import Patience

# Seconds in which something that was told to go must be gone: pods have their grace period, a namespace all of its contents.
GOING = 180
# What a namespace says of itself while it cannot go.
HELD = ("Remaining", "Failure")


def is_going(live: Mapping[str, Any]) -> bool:
    """Whether the object was told to go."""
    return "deletionTimestamp" in live["metadata"]


async def wait_until_gone(connection: Connection, name: Name, uid: str) -> None:
    """This very object is gone, or `Refused` says what holds it."""
    view = View(name.kind, name.namespace, fields={"metadata.name": name.name})

    def is_gone(seen: Sights) -> bool | None:
        return all(one["metadata"]["uid"] != uid for one in seen["it"]) or None

    if not await wait_for(connection, {"it": view}, is_gone, Patience(GOING)):
        live = await read_object(connection, name)
        told = f"{name} was told to go and is still there after {GOING} s"
        raise Refused(f"{told}: {held_by(live)}" if live else told, "take away what holds it, then retry")


def held_by(live: Object) -> str:
    """What keeps an object that was told to go, in the server's own words where it has some."""
    conditions = (live.get("status") or {}).get("conditions") or ()
    said = [one["message"] for one in conditions if one["status"] == "True" and one["type"].endswith(HELD)]
    finalizers = live["metadata"].get("finalizers") or ()
    told = [*said, *([f"finalizers {', '.join(finalizers)}"] if finalizers else [])]
    return "held by: " + "; ".join(told) if told else "nothing says what holds it"
