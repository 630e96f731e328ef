"""Kubernetes Events of ours, so that people with the cluster's own tools see what the pipeline does and why."""

from datetime import UTC, datetime

from blocks.cluster.connection import Connection
from blocks.cluster.paths import Ask, path_of_all
from blocks.cluster.translate import refusal
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.labels import MANAGER
from blocks.domain.objects.names import Name
from blocks.ports.cluster import Notice

# Lengths that the API server allows.
NOTE, INSTANCE = 1024, 128


async def make_event(connection: Connection, regarding: Object, notice: Notice) -> None:
    """Make an Event about the object, in its namespace; one about a namespace is in that namespace."""
    name = Name.of(regarding)
    namespace = name.namespace or name.name
    body = {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"generateName": f"{name.name[:200]}-", "namespace": namespace},
        "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "reportingController": "plugin-pipeline.io/installer",
        "reportingInstance": MANAGER[:INSTANCE],
        "type": "Warning" if notice.warning else "Normal",
        "reason": notice.reason,
        "action": notice.action,
        "note": notice.note[:NOTE],
        "regarding": _reference(regarding),
    }
    answer = await connection.ask(Ask("POST", path_of_all("Event", namespace), {"fieldManager": MANAGER}, body))
    if not answer.ok:
        raise refusal(answer, f"make an Event about {name}")


def _reference(regarding: Object) -> dict[str, str]:
    metadata = regarding["metadata"]
    # An Event about something that has no namespace must be in `default` unless the reference names the Event's own.
    namespace = metadata.get("namespace", metadata["name"])
    return {
        "apiVersion": regarding["apiVersion"],
        "kind": regarding["kind"],
        "name": metadata["name"],
        "namespace": namespace,
        "uid": metadata.get("uid", ""),
    }
