"""Reading: one object, all objects in view, and the end of a log."""

from blocks.cluster.connection import Connection
from blocks.cluster.paths import Ask, list_of, path_of, path_of_all
from blocks.cluster.translate import NOT_FOUND, refusal
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.names import Name
from blocks.ports.cluster import View

GROUPS = Ask("GET", "/apis", {})
LINES = 20
LENGTH = 2000


async def read_object(connection: Connection, name: Name) -> Object | None:
    """The object as it stands, or None."""
    answer = await connection.ask(Ask("GET", path_of(name), {}))
    if answer.status == NOT_FOUND:
        return None
    if not answer.ok:
        raise refusal(answer, f"read {name}")
    return dict(answer.body)


async def find_objects(connection: Connection, view: View) -> tuple[list[Object], str]:
    """Every object in view, and the version from which a watch goes on; a list's items do not say their kind, so it is put in.

    Of a kind that the cluster does not know it has none.
    """
    answer = await connection.ask(list_of(view))
    if answer.status == NOT_FOUND:
        return [], ""
    if not answer.ok:
        raise refusal(answer, f"list {view.kind} in {view.namespace or 'all namespaces'}")
    items = [{"kind": view.kind} | item for item in answer.body.get("items") or ()]
    return items, str(answer.body["metadata"]["resourceVersion"])


async def read_log(connection: Connection, namespace: str, pod: str, *, previous: bool) -> str:
    """The last lines of the plugin's log, or nothing: a pod that never ran has none, and that is no reason to fail."""
    query: dict[str, str | int] = {"container": "plugin", "tailLines": LINES, "previous": "true" if previous else "false"}
    text = await connection.read_text(Ask("GET", f"{path_of_all('Pod', namespace)}/{pod}/log", query))
    return text.strip()[-LENGTH:]


async def read_groups(connection: Connection) -> frozenset[str]:
    """The name of every API group that the server serves."""
    answer = await connection.ask(GROUPS)
    if not answer.ok:
        raise refusal(answer, "see what the cluster serves")
    return frozenset(str(one["name"]) for one in answer.body["groups"])
