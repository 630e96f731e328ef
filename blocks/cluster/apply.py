"""Server-side apply: look at what stands, decide whether it is ours, say what we want of it; never by force."""

from blocks.cluster.connection import Connection
from blocks.cluster.going import held_by, is_going, wait_until_gone
from blocks.cluster.paths import Ask, path_of
from blocks.cluster.read import read_object
from blocks.cluster.translate import CONFLICT, Answer, is_only_scaled, is_taken, is_terminating, refusal, taken
from blocks.domain.errors import PipelineError, Transient, Unreachable
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.labels import MANAGER, claim
from blocks.domain.objects.names import Name
from blocks.domain.objects.sizes import range_in
from blocks.ports.cluster import Applied

APPLY = "application/apply-patch+yaml"
TRIES = 8
CREATED = 201


async def apply_object(connection: Connection, desired: Object) -> Applied:
    """Let the object stand as desired; what changed between look and write, or may have been written, is looked at again."""
    name, made = Name.of(desired), False
    for _ in range(TRIES):
        live = await _look(connection, name)
        answer = await _write(connection, claim(desired, live))
        if isinstance(answer, Unreachable):
            # If it stands when we look again, it was this write that made it.
            made = made or live is None
        elif answer.ok:
            return Applied(name, str(answer.body["metadata"]["uid"]), answer.status == CREATED or made)
        elif is_taken(answer):
            raise taken(answer, str(name))
        elif answer.status != CONFLICT:
            raise await _refusal(connection, answer, name)
    raise answer if isinstance(answer, Unreachable) else Transient(f"{name} keeps changing while it is being applied")


async def _look(connection: Connection, name: Name) -> Object | None:
    live = await read_object(connection, name)
    if live is None or not is_going(live):
        return live
    # What is on its way out takes a write and goes all the same.
    await wait_until_gone(connection, name, live["metadata"]["uid"])
    return await read_object(connection, name)


async def _write(connection: Connection, desired: Object) -> Answer | Unreachable:
    answer = await connection.write(ask_to_apply(desired))
    if isinstance(answer, Answer) and is_autoscalers(answer, desired):
        return await connection.write(ask_to_apply(desired, force="true"))
    return answer


def ask_to_apply(desired: Object, **said: str) -> Ask:
    """The request that lets the object stand as desired; who else manages something of it is asked first, unless that is forced."""
    query = {"fieldManager": MANAGER, "force": "false", "fieldValidation": "Strict"}
    return Ask("PATCH", path_of(Name.of(desired)), query | said, desired, APPLY)


def is_autoscalers(answer: Answer, desired: Object) -> bool:
    """Whether it is a no because the autoscaler that we made has chosen how many pods there are: then it is ours to say otherwise.

    Where we made none, it is somebody else's word, and stays.
    """
    return is_only_scaled(answer) and range_in(desired) is not None


async def _refusal(connection: Connection, answer: Answer, name: Name) -> PipelineError:
    problem = refusal(answer, f"apply {name}")
    if not is_terminating(answer):
        return problem
    namespace = await read_object(connection, Name("Namespace", "", name.namespace))
    return Transient(f"{problem.message}; {held_by(namespace)}" if namespace else problem.message)
