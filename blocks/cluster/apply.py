"""Server-side apply: look at what stands, decide whether it is ours, say what we want of it; never by force."""

from blocks.cluster.connection import Connection
from blocks.cluster.paths import Ask, path_of
from blocks.cluster.read import read_object
from blocks.cluster.translate import CONFLICT, Answer, is_taken, refusal, taken
from blocks.domain.errors import Transient
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.labels import MANAGER, claim
from blocks.domain.objects.names import Name
from blocks.ports.cluster import Applied

APPLY = "application/apply-patch+yaml"
TRIES = 8
CREATED = 201


async def apply_object(connection: Connection, desired: Object) -> Applied:
    """Let the object stand as desired; what changed between look and write is looked at again."""
    name = Name.of(desired)
    for _ in range(TRIES):
        live = await read_object(connection, name)
        answer = await _write(connection, claim(desired, live))
        if answer.ok:
            return Applied(name, str(answer.body["metadata"]["uid"]), answer.status == CREATED)
        if is_taken(answer):
            raise taken(answer, str(name))
        if answer.status != CONFLICT:
            raise refusal(answer, f"apply {name}")
    raise Transient(f"{name} keeps changing while it is being applied: {answer.sentence}")


async def _write(connection: Connection, desired: Object) -> Answer:
    query = {"fieldManager": MANAGER, "force": "false", "fieldValidation": "Strict"}
    return await connection.ask(Ask("PATCH", path_of(Name.of(desired)), query, desired, APPLY))
