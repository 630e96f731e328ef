"""Plays in which somebody else does something in the cluster: takes objects away, changes them, or was there first."""

from typing import Any

from blocks.domain.status import InstallationView
from tests.flows.life import Life

TEAM = "team"


async def removed_by_hand(life: Life) -> InstallationView:
    """Objects that all revisions share are taken away before the update."""
    cluster, place = life.outside.cluster, life.first.namespace
    shared = [("services", place, life.first.slug), ("poddisruptionbudgets", place, life.first.slug)]
    for key in shared:
        cluster.store.delete(key)
    seen = await life.update("2.0.0")
    assert [key for key in shared if key not in cluster.store.objects] == []
    return seen


async def removed_midway(life: Life) -> InstallationView:
    """The new revision's Deployment is taken away while the update waits, and somebody lets it go on."""
    seen = await life.halfway()
    await life.outside.cluster.take_down(f"{life.first.slug}-r2")
    return await life.go_on(seen)


async def field_of_others(life: Life) -> InstallationView:
    """Somebody's own annotation on an object of ours is none of our business."""
    owner = {"metadata": {"annotations": {"team.example/owner": TEAM}}}
    said = write(life, ("services", life.first.namespace, life.first.slug), owner)
    seen = await life.update("2.0.0")
    assert life.outside.cluster.store.objects[said]["metadata"]["annotations"]["team.example/owner"] == TEAM
    return seen


async def field_taken_by_others(life: Life) -> InstallationView:
    """Somebody changed what we have to change too: it is theirs now, and the update says so."""
    said = write(
        life,
        ("services", life.first.namespace, life.first.slug),
        {"metadata": {"labels": {"app.kubernetes.io/version": "theirs"}}},
    )
    seen = await life.update("2.0.0")
    assert seen.operation.reason is not None
    assert TEAM in seen.operation.reason.message
    assert life.outside.cluster.store.objects[said]["metadata"]["labels"]["app.kubernetes.io/version"] == "theirs"
    return seen


async def scaled_by_others(life: Life) -> InstallationView:
    """Somebody scaled what serves by hand: those pods are theirs now, and the plan of an update says so."""
    write(life, ("deployments", life.first.namespace, f"{life.first.slug}-r1"), {"spec": {"replicas": 2}})
    return await life.update("2.0.0")


async def collision(life: Life) -> InstallationView:
    """Somebody else has an object of the name that the new revision's would have."""
    key = ("configmaps", life.first.namespace, f"{life.first.slug}-r2")
    body = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": key[2]}, "data": {"mine": "yes"}}
    life.outside.cluster.store.create(key, body, TEAM)
    life.remember()
    return await life.update("2.0.0")


def write(life: Life, key: tuple[str, str, str], said: dict[str, Any]) -> tuple[str, str, str]:
    """Somebody else's fields in the object at the key, by force."""
    named = said | {"metadata": {"name": key[2]} | said.get("metadata", {})}
    life.outside.cluster.store.apply(key, named, TEAM, force=True)
    life.remember()
    return key
