"""Plays in which somebody else does something in the cluster: takes objects away, changes them, or was there first."""

from blocks.domain.status import InstallationView
from tests.flows.life import Life

OWNER = {"metadata": {"annotations": {"team.example/owner": "team"}}}
THEIRS = {"metadata": {"labels": {"app.kubernetes.io/version": "theirs"}}}


async def removed_by_hand(life: Life) -> InstallationView:
    """Objects that all revisions share are taken away before the update."""
    shared = [life.name("Service"), life.name("PodDisruptionBudget")]
    for name in shared:
        await life.remove(name)
    seen = await life.update("2.0.0")
    assert [name for name in shared if await life.read(name) is None] == []
    return seen


async def removed_midway(life: Life) -> InstallationView:
    """The new revision's Deployment is taken away while the update waits, and somebody lets it go on."""
    seen = await life.halfway()
    await life.remove(life.name("Deployment", 2))
    return await life.go_on(seen)


async def field_of_others(life: Life) -> InstallationView:
    """Somebody's own annotation on an object of ours is none of our business."""
    await life.write(life.name("Service"), OWNER)
    seen = await life.update("2.0.0")
    found = await life.read(life.name("Service"))
    assert found is not None
    assert found["metadata"]["annotations"]["team.example/owner"] == "team"
    return seen


async def field_taken_by_others(life: Life) -> InstallationView:
    """Somebody changed what we have to change too: it is theirs now, and the update says so."""
    await life.write(life.name("Service"), THEIRS)
    await life.remember()
    seen = await life.update("2.0.0")
    assert seen.operation.reason is not None
    assert "team" in seen.operation.reason.message
    return seen


async def scaled_by_others(life: Life) -> InstallationView:
    """Somebody scaled what serves by hand: those pods are theirs now, and the plan of an update says so."""
    await life.write(life.name("Deployment", 1), {"spec": {"replicas": 2}})
    await life.remember()
    return await life.update("2.0.0")


async def collision(life: Life) -> InstallationView:
    """Somebody else has an object of the name that the new revision's would have."""
    await life.create(life.name("ConfigMap", 2), {"data": {"mine": "yes"}})
    await life.remember()
    return await life.update("2.0.0")


async def scaled_away(life: Life) -> InstallationView:
    """Somebody leaves the new revision without pods while the update waits: they are theirs now, and it says so."""
    seen = await life.halfway()
    await life.write(life.name("Deployment", 2), {"spec": {"replicas": 0}})
    return await life.go_on(seen)
