"""Rolling back: image, configuration and lock together, and what was bad is kept away; on both databases, with the world in memory."""

from blocks.catalog.requests import Asked
from blocks.domain.journal import Phase
from blocks.domain.status import InstallationView
from blocks.ports.cluster import Reply
from tests.flows.conftest import MOSTLY_ON_SQLITE, PLUGIN, Outside
from tests.flows.standing import replicas, routed_to, wanted
from tests.flows.test_update import FRONTEND, installed

pytestmark = MOSTLY_ON_SQLITE


async def updated(outside: Outside, **changes: object) -> InstallationView:
    """Revision 2 with release 2.0.0 serves, revision 1 with 1.2.3 sleeps."""
    first = await installed(outside)
    return await outside.install(tenant=first.tenant, plugin=FRONTEND, config={"a": 2}, **changes)


def answers(outside: Outside, version: str) -> None:
    """The plugin says that it is this version."""
    outside.web.answers = [Reply(200, {"x-plugin-release": f"{PLUGIN}@{version}"}, "")]


async def test_the_earlier_revision_serves_again_with_all_it_had(outside: Outside) -> None:
    seen = await updated(outside)
    answers(outside, "1.2.3")
    back = await outside.roll_back(seen.id)
    assert (back.operation.verb, back.operation.phase) == ("rollback", Phase.SUCCEEDED), back.operation.reason
    assert back.revision is not None
    assert (back.revision.number, back.revision.release) == (1, f"{PLUGIN}@1.2.3")
    assert replicas(outside.cluster) == {f"{seen.slug}-r1": 1, f"{seen.slug}-r2": 0}
    assert routed_to(outside.cluster) == [f"{seen.slug}-r1"]
    assert len(outside.images.built) == 2


async def test_a_release_that_was_rolled_back_is_not_tried_again_until_somebody_lifts_that(outside: Outside) -> None:
    seen = await updated(outside)
    answers(outside, "1.2.3")
    await outside.roll_back(seen.id)
    again = await outside.install(tenant=seen.tenant, plugin=FRONTEND, replicas=2)
    assert again.operation.phase is Phase.WITHDRAWN
    assert again.operation.reason is not None
    assert (again.operation.reason.code, "it is slow" in again.operation.reason.message) == ("quarantined", True)
    await outside.requests.lift_quarantine(seen.id, f"{PLUGIN}@2.0.0", Asked("bob", reason="mended"))
    outside.release("2.0.0")
    again = await outside.install(tenant=seen.tenant, plugin=FRONTEND, replicas=2)
    assert again.operation.phase is Phase.SUCCEEDED, again.operation.reason


async def test_going_back_to_another_configuration_keeps_no_release_away(outside: Outside) -> None:
    """The release was not what was bad."""
    first = await outside.install(plugin=FRONTEND)
    await outside.install(tenant=first.tenant, plugin=FRONTEND, config={"a": 2})
    back = await outside.roll_back(first.id)
    assert back.operation.phase is Phase.SUCCEEDED, back.operation.reason
    again = await outside.install(tenant=first.tenant, plugin=FRONTEND, config={"a": 3})
    assert again.operation.phase is Phase.SUCCEEDED, again.operation.reason


async def test_a_rollback_that_fails_is_taken_back(outside: Outside) -> None:
    """What it woke sleeps again, and what served never stopped."""
    seen = await updated(outside)
    before = wanted(outside.cluster)
    answers(outside, "3.0.0")
    back = await outside.roll_back(seen.id)
    assert back.operation.phase is Phase.WITHDRAWN, back.operation.reason
    assert wanted(outside.cluster) == before
    assert back.revision == seen.revision
