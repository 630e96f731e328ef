"""Off, on and anew: the revision stays, and whoever calls a plugin that is off is told; on both databases, with the world in memory."""

from blocks.domain.journal import Phase
from tests.flows.conftest import MOSTLY_ON_SQLITE, Outside
from tests.flows.standing import replicas, routed_to, wanted

pytestmark = MOSTLY_ON_SQLITE


async def test_off_answers_in_the_plugins_place_and_runs_nothing(outside: Outside) -> None:
    seen = await outside.install()
    off = await outside.switch(seen.id, "disable")
    assert off.operation.phase is Phase.SUCCEEDED, off.operation.reason
    assert (off.enabled, off.revision) == (False, seen.revision)
    assert replicas(outside.cluster) == {f"{seen.slug}-r1": 0}
    assert routed_to(outside.cluster) == [f"{seen.slug}-closed"]


async def test_on_again_is_as_before(outside: Outside) -> None:
    seen = await outside.install()
    before = wanted(outside.cluster)
    await outside.switch(seen.id, "disable")
    on = await outside.switch(seen.id, "enable")
    assert (on.operation.phase, on.enabled) == (Phase.SUCCEEDED, True), on.operation.reason
    assert wanted(outside.cluster) == before


async def test_what_does_not_come_up_stays_off(outside: Outside) -> None:
    seen = await outside.install()
    await outside.switch(seen.id, "disable")
    before = wanted(outside.cluster)
    outside.cluster.pods_are = "crash"
    on = await outside.switch(seen.id, "enable")
    assert (on.operation.phase, on.enabled) == (Phase.WITHDRAWN, False), on.operation.reason
    assert wanted(outside.cluster) == before


async def test_reloading_starts_the_same_revision_anew(outside: Outside) -> None:
    seen = await outside.install()
    before = wanted(outside.cluster)
    again = await outside.switch(seen.id, "reload")
    assert (again.operation.phase, again.revision) == (Phase.SUCCEEDED, seen.revision), again.operation.reason
    changed = [name for name, one in wanted(outside.cluster).items() if one != before[name]]
    assert changed == [f"deployments {seen.namespace}/{seen.slug}-r1"]


async def test_a_disabled_plugin_can_be_uninstalled(outside: Outside) -> None:
    before = outside.cluster.names()
    seen = await outside.install()
    await outside.switch(seen.id, "disable")
    await outside.uninstall(seen.id)
    assert outside.cluster.names() == before
