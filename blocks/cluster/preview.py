"""Dry runs: the API server is asked what applying would lead to, with all its own defaults and objections, and changes nothing."""

from blocks.cluster.apply import ask_to_apply, is_autoscalers
from blocks.cluster.connection import Connection
from blocks.cluster.read import read_object
from blocks.cluster.translate import CONFLICT, NOT_FOUND, UNAUTHORIZED, Answer, is_taken, refusal, taken
from blocks.domain.errors import Refused, Transient
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.labels import claim
from blocks.domain.objects.names import Name
from blocks.domain.objects.workload import trial_pod
from blocks.ports.cluster import Preview

TRIES = 8


async def preview_object(connection: Connection, desired: Object, stand_in: str = "") -> Preview:
    """What applying the object would lead to; a Deployment that would start pods is tried with one of them."""
    tried = await _try(connection, desired, stand_in)
    if desired["kind"] != "Deployment" or tried.objection or not _starts_pods(tried):
        return tried
    pod = await _try(connection, trial_pod(desired), stand_in)
    return Preview(tried.live, tried.after, pod.objection)


async def _try(connection: Connection, desired: Object, stand_in: str) -> Preview:
    name = Name.of(desired)
    for _ in range(TRIES):
        live = await read_object(connection, name)
        try:
            answer = await _ask(connection, claim(desired, live))
        except Refused as problem:
            return Preview(live, None, str(problem))
        if answer.ok:
            return Preview(live, dict(answer.body))
        if stand_in and name.namespace not in ("", stand_in) and answer.status == NOT_FOUND:
            return await _try_elsewhere(connection, desired, stand_in)
        if is_taken(answer):
            return Preview(live, None, str(taken(answer, str(name))))
        if answer.status != CONFLICT:
            return Preview(live, None, _objection(answer, name))
    raise Transient(f"{name} keeps changing while it is being tried: {answer.sentence}")


async def _ask(connection: Connection, desired: Object) -> Answer:
    answer = await connection.ask(ask_to_apply(desired, dryRun="All"))
    return await connection.ask(ask_to_apply(desired, dryRun="All", force="true")) if is_autoscalers(answer, desired) else answer


async def _try_elsewhere(connection: Connection, desired: Object, stand_in: str) -> Preview:
    tried = await _try(connection, _moved(desired, stand_in), stand_in)
    if _is_missing(tried, stand_in):
        return Preview(
            None, None, f"there is no namespace {stand_in} to try objects in: run `python -m deployments.standing` once"
        )
    # What stands in the stand-in namespace is nobody's, so nothing is there yet.
    return Preview(None, tried.after and _moved(tried.after, desired["metadata"]["namespace"]), tried.objection)


def _is_missing(tried: Preview, namespace: str) -> bool:
    return f'namespaces "{namespace}" not found' in tried.objection


def _objection(answer: Answer, name: Name) -> str:
    problem = refusal(answer, f"apply {name}")
    if isinstance(problem, Transient) or answer.status == UNAUTHORIZED:
        raise problem
    return str(problem)


def _moved(found: Object, namespace: str) -> Object:
    return found | {"metadata": found["metadata"] | {"namespace": namespace}}


def _starts_pods(tried: Preview) -> bool:
    live, after = ((one or {}).get("spec", {}) for one in (tried.live, tried.after))
    grows = after.get("replicas", 1) > live.get("replicas", 0)
    return bool(after.get("replicas", 1)) and (grows or after.get("template") != live.get("template"))
