"""Operations asked for and ended, made short for the tests of the record."""

from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.journal import Journal
from blocks.catalog.leases import Leases
from blocks.catalog.operations import Operations, needs_of
from blocks.catalog.requests import Asked, Requested, Requests
from blocks.catalog.tables import Revision
from blocks.domain.journal import Fact, Kind
from tests.builders import make_request

ANN = Asked("ann")
BODY = make_request()


def image_of(number: int) -> str:
    """The pinned image of a revision."""
    return f"registry/plugins/x@sha256:{number}"


async def finish(engine: AsyncEngine, asked: Requested, kind: Kind = Kind.FINISHED, release: str = "") -> None:
    """Let the operation end, and its revision serve if it is one that makes a revision and succeeded."""
    lease = await Leases(engine, 60).acquire(asked.operation, "worker")
    await Journal(engine).append(lease, Fact("operation", kind, "worker"))
    operations = Operations(engine)
    order = await operations.order(asked.operation)
    if kind is not Kind.FINISHED or order.verb not in ("install", "update", "rollback"):
        return
    revision = Revision(
        installation=asked.installation,
        number=order.revision,
        operation=asked.operation,
        release=release or f"x@{order.revision}",
        integrity="sha512-x",
        image=image_of(order.revision),
        plan=f"sha256:{order.revision}",
        url="http://x",
        needs=needs_of(order.request),
        created_at=0,
        served_at=0,
    )
    await operations.serve_revision(revision)


async def serve(engine: AsyncEngine, count: int) -> Requested:
    """An installation that was updated until so many revisions served; the last update is returned."""
    requests = Requests(engine)
    for number in range(1, count + 1):
        asked = await requests.request_install(make_request(replicas=number), ANN)
        await finish(engine, asked)
    return asked
