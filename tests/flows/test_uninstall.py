"""Uninstalling: data stays unless asked, the namespace goes with the last, and what others run stays. On both databases."""

import pytest

from blocks.domain.asking import NotInstalled
from blocks.domain.journal import Phase
from blocks.domain.status import StepState
from blocks.ports.cluster import Reply
from tests.flows.conftest import MOSTLY_ON_SQLITE, Outside

pytestmark = MOSTLY_ON_SQLITE

FRONTEND = {"name": "@a/c", "version": "1.2.3", "runtime": {"type": "frontend"}}


async def test_data_stays_unless_asked(outside: Outside) -> None:
    before = outside.cluster.names()
    seen = await outside.install()
    gone = await outside.uninstall(seen.id)
    assert (gone.operation.phase, gone.revision) == (Phase.SUCCEEDED, None)
    assert outside.cluster.names() == before
    assert len(await outside.databases.names()) == 2


async def test_data_goes_when_asked(outside: Outside) -> None:
    seen = await outside.install()
    gone = await outside.uninstall(seen.id, drop_data=True)
    assert [step.name for step in gone.operation.steps] == [
        *("recall_plan", "approval", "remove_plugin", "drop_database", "release_namespace", "serve_nothing")
    ]
    assert {step.state for step in gone.operation.steps} == {StepState.DONE}
    assert await outside.databases.names() == ()


async def test_data_that_stayed_is_found_again(outside: Outside) -> None:
    seen = await outside.install()
    await outside.uninstall(seen.id)
    kept = await outside.databases.names()
    again = await outside.install(tenant=seen.tenant)
    assert again.id == seen.id
    assert again.operation.phase is Phase.SUCCEEDED, again.operation.reason
    assert await outside.databases.names() == kept


async def test_the_namespace_goes_only_with_the_last(outside: Outside) -> None:
    first = await outside.install()
    outside.releases.name, outside.web.answers = "@a/c", [Reply(200, {"x-plugin-release": "@a/c@1.2.3"}, "")]
    second = await outside.install(tenant=first.tenant, plugin=FRONTEND)
    assert second.operation.phase is Phase.SUCCEEDED, second.operation.reason
    namespace, route = f"namespaces /{first.namespace}", f"httproutes {first.namespace}/{first.slug}"
    await outside.uninstall(second.id)
    assert {namespace, route} <= outside.cluster.names()
    await outside.uninstall(first.id)
    assert namespace not in outside.cluster.names()


async def test_what_is_not_installed_is_not_uninstalled_twice(outside: Outside) -> None:
    seen = await outside.install()
    await outside.uninstall(seen.id)
    with pytest.raises(NotInstalled):
        await outside.uninstall(seen.id)
