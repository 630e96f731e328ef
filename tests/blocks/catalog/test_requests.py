"""Wishes become operations once, on both databases, however often and however many at a time they are sent."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.leases import Leases
from blocks.catalog.operations import Operations
from blocks.catalog.quarantine import Quarantines
from blocks.catalog.requests import Asked, Requests
from blocks.domain.asking import Busy, KeyReused, NotInstalled
from blocks.domain.errors import Needed, NotAllowed, Quarantined, Terminal
from blocks.domain.journal import Kind
from tests.blocks.catalog.asked import ANN, BODY, finish, serve
from tests.builders import make_request

KEYED = Asked("ann", "key", "because")


async def test_fifty_requests_with_one_key_are_one_operation(engine: AsyncEngine) -> None:
    """Sent at the same moment."""
    asked = await asyncio.gather(*(Requests(engine).request_install(BODY, KEYED) for _ in range(50)))
    assert len({one.operation for one in asked}) == 1
    assert sum(one.created for one in asked) == 1


async def test_fifty_rollbacks_with_one_key_are_one_operation(engine: AsyncEngine) -> None:
    """A verb without a body of its own is keyed by all that was said with it."""
    installation = (await serve(engine, 2)).installation
    asked = await asyncio.gather(*(Requests(engine).request_rollback(installation, KEYED) for _ in range(50)))
    assert len({one.operation for one in asked}) == 1
    await finish(engine, asked[0])
    assert (await Requests(engine).request_rollback(installation, KEYED)).operation == asked[0].operation
    with pytest.raises(KeyReused):
        await Requests(engine).request_switch(installation, KEYED, "reload")


async def test_key_with_another_body_is_refused(engine: AsyncEngine) -> None:
    """And the first operation stays as it was; a plan of the same request is another body too."""
    requests = Requests(engine)
    await requests.request_install(BODY, KEYED)
    with pytest.raises(KeyReused):
        await requests.request_install(make_request(replicas=2), KEYED)
    with pytest.raises(KeyReused):
        await requests.request_plan(BODY, KEYED)


async def test_key_is_the_tenants_own_and_ends_after_a_day(engine: AsyncEngine) -> None:
    """Another tenant's key is another key; an old one is free again."""
    requests = Requests(engine)
    first = await requests.request_install(BODY, KEYED)
    assert (await requests.request_install(make_request(tenant="other"), replace(KEYED, actor="bob"))).created
    await finish(engine, first, Kind.WITHDRAWN)
    async with engine.begin() as database:
        await database.execute(text("UPDATE idempotency_key SET created_at = created_at - 86400001"))
    assert (await requests.request_install(make_request(replicas=2), KEYED)).created


async def test_one_operation_at_a_time_and_plans_beside_it(engine: AsyncEngine) -> None:
    """Another wish for the same installation waits; to look ahead is always possible and hinders nobody."""
    requests = Requests(engine)
    assert (await requests.request_plan(BODY, ANN)).created
    asked = await requests.request_install(BODY, ANN)
    with pytest.raises(Busy):
        await requests.request_install(make_request(replicas=2), ANN)
    with pytest.raises(Busy):
        await requests.request_uninstall(asked.installation, ANN)
    assert (await requests.request_plan(BODY, ANN)).created
    assert (await requests.request_install(BODY, ANN)).operation == asked.operation


async def test_what_serves_is_updated_by_another_request(engine: AsyncEngine) -> None:
    """The same request is a no-op, another one is the next revision."""
    requests = Requests(engine)
    asked = await requests.request_install(BODY, ANN)
    await finish(engine, asked)
    again = await requests.request_install(BODY, ANN)
    assert (again.operation, again.created) == (asked.operation, False)
    update = await requests.request_install(make_request(replicas=2), ANN, "sha256:1")
    order = await Operations(engine).order(update.operation)
    assert (order.verb, order.revision, order.wish.plan_hash) == ("update", 2, "sha256:1")


async def test_uninstall_once_and_then_install_the_next_revision(engine: AsyncEngine) -> None:
    """Revision numbers are never used twice."""
    requests, operations = Requests(engine), Operations(engine)
    installation = (await serve(engine, 1)).installation
    first = await requests.request_uninstall(installation, ANN, drop_data=True)
    again = await requests.request_uninstall(installation, ANN, drop_data=True)
    assert (first.operation, again.created) == (again.operation, False)
    order = await operations.order(first.operation)
    assert (order.verb, order.revision, order.wish.drop_data) == ("uninstall", 1, True)
    await operations.serve_again(installation, 0)
    await finish(engine, first)
    with pytest.raises(NotInstalled):
        await requests.request_uninstall(installation, ANN)
    third = await requests.request_install(BODY, ANN)
    order = await operations.order(third.operation)
    assert (order.verb, order.revision) == ("install", 2)


async def test_rolling_back_goes_to_what_served_before_and_past_what_was_bad(engine: AsyncEngine) -> None:
    """By the order in which revisions served, not by their numbers; and with the request that the revision was made from."""
    requests, operations = Requests(engine), Operations(engine)
    installation = (await serve(engine, 3)).installation
    first = await requests.request_rollback(installation, ANN, 1)
    order = await operations.order(first.operation)
    assert (order.verb, order.revision, order.request.replicas) == ("rollback", 1, 1)
    await finish(engine, first)
    await Quarantines(engine).put_in(installation, "x@3", ("ann", "slow"))
    update = await requests.request_install(make_request(replicas=4), ANN)
    await finish(engine, update)
    second = await requests.request_rollback(installation, ANN)
    assert (await operations.order(second.operation)).revision == 1
    await finish(engine, second)
    with pytest.raises(Quarantined):
        await requests.request_rollback(installation, ANN, 3)
    await requests.lift_quarantine(installation, "x@3", Asked("bob", reason="mended"))
    assert (await requests.request_rollback(installation, ANN, 3)).created


async def test_a_quarantine_is_lifted_once_and_can_begin_anew(engine: AsyncEngine) -> None:
    """Lifting what is in none is refused."""
    requests, quarantines = Requests(engine), Quarantines(engine)
    installation = (await serve(engine, 1)).installation
    await quarantines.put_in(installation, "x@2", ("ann", "slow"))
    assert await quarantines.why(installation, "x@2") == "slow"
    await requests.lift_quarantine(installation, "x@2", ANN)
    assert await quarantines.why(installation, "x@2") is None
    with pytest.raises(NotAllowed, match="no quarantine"):
        await requests.lift_quarantine(installation, "x@2", ANN)
    await quarantines.put_in(installation, "x@2", ("ann", "slow again"))
    assert await quarantines.why(installation, "x@2") == "slow again"
    await quarantines.take_out(installation, "x@2", ("ann", "no"))
    assert await quarantines.why(installation, "x@2") is None


async def test_what_others_need_is_not_uninstalled(engine: AsyncEngine) -> None:
    """As long as the other serves."""
    requests, operations = Requests(engine), Operations(engine)
    needed = (await serve(engine, 1)).installation
    needer = await requests.request_install(make_request(plugin={"name": "b"}, dependsOn=[BODY.plugin.name]), ANN)
    assert await operations.missing(await operations.order(needer.operation)) == ()
    await finish(engine, needer)
    with pytest.raises(Needed, match=r"^b cannot"):
        await requests.request_uninstall(needed, ANN)
    await operations.serve_again(needer.installation, 0)
    assert (await requests.request_uninstall(needed, ANN)).created


async def test_needs_are_met_by_the_same_tenant_and_environment_only(engine: AsyncEngine) -> None:
    """What serves for somebody else does not count, for having it and for keeping it."""
    requests, operations = Requests(engine), Operations(engine)
    needed = (await serve(engine, 1)).installation
    asked = make_request(plugin={"name": "b"}, tenant="other", dependsOn=[BODY.plugin.name])
    elsewhere = await requests.request_install(asked, ANN)
    assert await operations.missing(await operations.order(elsewhere.operation)) == (BODY.plugin.name,)
    await finish(engine, elsewhere)
    assert (await requests.request_uninstall(needed, ANN)).created


async def test_switching_and_going_on_from_it(engine: AsyncEngine) -> None:
    """What is off can be switched on and cannot be updated."""
    requests, operations = Requests(engine), Operations(engine)
    installation = (await serve(engine, 1)).installation
    off = await requests.request_switch(installation, ANN, "disable")
    assert (await requests.request_switch(installation, ANN, "disable")).operation == off.operation
    await operations.switch(installation, enabled=False)
    await finish(engine, off)
    with pytest.raises(NotAllowed):
        await requests.request_install(make_request(replicas=7), ANN)
    assert (await requests.request_switch(installation, ANN, "enable")).created


@pytest.mark.parametrize("verb", ["install", "plan"])
async def test_what_was_withdrawn_can_be_asked_for_again(engine: AsyncEngine, verb: str) -> None:
    """With the same request."""
    requests = Requests(engine)
    asked = await (requests.request_plan if verb == "plan" else requests.request_install)(BODY, ANN)
    await finish(engine, asked, Kind.WITHDRAWN)
    again = await requests.request_again(asked.operation, ANN)
    order = await Operations(engine).order(again.operation)
    assert (again.created, order.verb, order.request) == (True, verb, BODY)


async def test_what_has_no_request_of_its_own_is_not_asked_for_again(engine: AsyncEngine) -> None:
    """An uninstall is asked for as an uninstall."""
    requests = Requests(engine)
    asked = await requests.request_uninstall((await serve(engine, 1)).installation, ANN)
    with pytest.raises(NotAllowed):
        await requests.request_again(asked.operation, ANN)


async def test_a_frozen_update_can_be_rolled_back(engine: AsyncEngine) -> None:
    """To the revision before the one that still serves."""
    requests = Requests(engine)
    installation = (await serve(engine, 2)).installation
    stuck = await requests.request_install(make_request(replicas=9), ANN)
    await finish(engine, stuck, Kind.FROZEN)
    with pytest.raises(Busy, match="frozen"):
        await requests.request_install(make_request(replicas=8), ANN)
    assert (await requests.request_rollback(installation, ANN)).created


async def test_unknown_ids_are_refused(engine: AsyncEngine) -> None:
    """With a sentence, not with a traceback of the database."""
    requests = Requests(engine)
    with pytest.raises(Terminal, match="no installation"):
        await requests.request_uninstall(uuid4(), ANN)
    for ask in (Operations(engine).order(uuid4()), requests.request_again(uuid4(), ANN)):
        with pytest.raises(Terminal, match="no operation"):
            await ask


async def test_the_order_says_who_wished_what(engine: AsyncEngine) -> None:
    """So that steps and records can name them."""
    asked = await Requests(engine).request_install(BODY, KEYED)
    order = await Operations(engine).order(asked.operation)
    assert (order.actor, order.wish.reason, order.request) == ("ann", "because", BODY)
    assert (await Leases(engine, 60).acquire(asked.operation, "w")).token == 1


async def test_another_version_of_what_serves_is_requested_with_all_else_as_it_is(engine: AsyncEngine) -> None:
    """A key makes it one operation, even after it has ended; what is asked for at the same time by somebody else is not taken back."""
    requests, serving = Requests(engine), await serve(engine, 2)
    first, again = [await requests.request_release(serving.installation, "3.0.0", Asked("discover", "key")) for _ in range(2)]
    assert (first.created, again) == (True, replace(first, created=False))
    order = await Operations(engine).order(first.operation)
    assert (order.verb, order.actor) == ("update", "discover")
    assert order.request == make_request(replicas=2, plugin={"version": "3.0.0"})
    await finish(engine, first, Kind.WITHDRAWN)
    assert (await requests.request_release(serving.installation, "3.0.0", Asked("discover", "key"))).operation == first.operation
    with pytest.raises(KeyReused):
        await requests.request_release(serving.installation, "3.1.0", Asked("discover", "key"))


async def test_another_version_is_planned_while_something_else_is_on_its_way_but_not_requested(engine: AsyncEngine) -> None:
    requests, serving = Requests(engine), await serve(engine, 1)
    await requests.request_switch(serving.installation, ANN, "disable")
    planned = await requests.request_release(serving.installation, "3.0.0", ANN, "plan")
    assert (await Operations(engine).order(planned.operation)).verb == "plan"
    with pytest.raises(Busy):
        await requests.request_release(serving.installation, "3.0.0", ANN)


async def test_another_version_of_what_does_not_serve_is_not_requested(engine: AsyncEngine) -> None:
    asked = await Requests(engine).request_install(BODY, ANN)
    with pytest.raises(NotInstalled):
        await Requests(engine).request_release(asked.installation, "3.0.0", ANN)
