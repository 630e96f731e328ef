"""The past of an installation, page by page: on both databases."""

from uuid import uuid4

from blocks.catalog.requests import Asked, Requests
from blocks.catalog.timeline import Timelines
from blocks.domain.journal import Kind
from tests.blocks.catalog.records import ANN, BOB, Record
from tests.builders import make_request


async def test_everything_that_was_asked_done_and_said(record: Record) -> None:
    """Of every operation of the installation, in order, with who and why."""
    await record.begin(Kind.DONE)
    await record.words.cancel(record.operation, BOB, "too slow")
    planned = await Requests(record.engine).request_plan(make_request(plugin={"name": "catalog"}), Asked("zoe", reason="to see"))
    await record.words.cancel(planned.operation, ANN, "")
    page = await Timelines(record.engine).page(record.installation, 0, 100)
    assert [(one.verb, one.seq, one.kind, one.actor, one.reason) for one in page.items] == [
        ("install", 0, "requested", "ann", ""),
        ("install", 1, "intended", "worker", ""),
        ("install", 2, "done", "worker", ""),
        ("install", 3, "cancelled", "bob", "bob cancelled it: too slow"),
        ("plan", 0, "requested", "zoe", "to see"),
        ("plan", 1, "cancelled", "ann", "ann cancelled it"),
        ("plan", 2, "withdrawn", "ann", ""),
    ]
    assert page.next is None
    assert page.items[1].trace == record.operation.hex


async def test_pages_join_without_a_gap(record: Record) -> None:
    """The cursor goes on where the page ended."""
    await record.begin(Kind.DONE)
    timelines = Timelines(record.engine)
    first = await timelines.page(record.installation, 0, 2)
    assert first.next == 2
    rest = await timelines.page(record.installation, first.next, 2)
    assert [one.seq for one in (*first.items, *rest.items)] == [0, 1, 2]
    assert rest.next is None


async def test_an_unknown_installation_has_no_past(record: Record) -> None:
    """Whether it exists is another question."""
    assert (await Timelines(record.engine).page(uuid4(), 0, 9)).items == ()
