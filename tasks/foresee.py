"""What a plan will do, for people: each object's differences by dry run, permissions, quota, traffic, steps, and one line."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from blocks.domain.fit import Bound
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.names import Name
from blocks.domain.objects.phases import every
from blocks.domain.objects.sizes import awake, refuse_moves
from blocks.domain.objects.workload import asleep
from blocks.domain.packages import Moved
from blocks.domain.permissions import compare_permissions, stay_below_ceiling
from blocks.domain.plan import exact, objects_of
from blocks.domain.planned import steps_of
from blocks.domain.ratio import sizes_of
from blocks.domain.replaced import REVISIONED, Replaced
from blocks.domain.shown import (
    ObjectChange,
    Seen,
    as_shown,
    summarize,
    tell_changes,
    tell_packages,
    tell_secret,
    tell_traffic,
    warn,
)
from blocks.domain.waves import limits_of
from blocks.ports.cluster import Preview
from blocks.work import Work
from tasks.job_trial import try_jobs
from tasks.preview import Move, find_room, raise_objections, read_all, try_all
from tasks.routes import check_routes


async def foresee(work: Work, hashed: Mapping[str, Any], replaced: Replaced, moved: Iterable[Moved]) -> dict[str, Any]:
    """The shown part of the plan's document; raises `Refused` and `DoesNotFit` where the plan cannot be carried out."""
    planned = every(objects_of(hashed))
    stay_below_ceiling(planned, hashed["names"]["slug"])
    if hashed["revision"] == hashed["previous"]:
        return foresee_nothing(hashed, replaced, await try_all(work, planned))
    refuse_moves(bool(limits_of(hashed) or sizes_of(hashed)), [*planned, *replaced.objects])
    # What comes is tried with pods, however many an autoscaler gives it later.
    tried = await try_all(work, [awake(one) if one["kind"] == "Deployment" else one for one in planned])
    await check_routes(work, hashed, replaced)
    beside = await read_all(work, {Name.of(one) for one in replaced.objects} - tried.keys())
    # What serves sleeps at the end: who has taken its replicas for themselves says no now, and not when everybody has moved on.
    sleeping = [asleep(one) for one in replaced.objects if one["kind"] == "Deployment" and beside.get(Name.of(one))]
    raise_objections([*tried.values(), *(await try_all(work, sleeping)).values()], of_room=False)
    seen = {name: Seen(one.live, one.after) for name, one in tried.items()}
    seen |= {name: Seen(one, None) for name, one in beside.items()}
    told = [*tell_changes(hashed, replaced, seen), *await look_at_secret(work, hashed), *await look_at_forgotten(work, hashed)]
    move = Move(_retiring(replaced, seen), limits_of(hashed), await try_jobs(work, hashed))
    bounds = await find_room(work, seen, told, move)
    raise_objections(tried.values(), of_room=True)
    return shown_part(hashed, (told, bounds, seen), moved)


def foresee_nothing(hashed: Mapping[str, Any], replaced: Replaced, tried: Mapping[Name, Preview]) -> dict[str, Any]:
    """The shown part of a plan that has nothing to do.

    What is not as it was put up was changed by somebody else. It is warned of, and so is what the cluster objects to: nothing is applied.
    """
    seen = {name: Seen(one.live, one.live if one.objection else one.after) for name, one in tried.items()}
    told = tell_changes(hashed, replaced, seen)
    objections = list(dict.fromkeys(one.objection for one in tried.values() if one.objection))
    shown = shown_part(hashed, ([], (), {}), ())
    return shown | {"warnings": [*warn(hashed, told), *objections]}


async def look_at_secret(work: Work, hashed: Mapping[str, Any]) -> list[ObjectChange]:
    """Whether the database's Secret will be made; its content is no part of any plan."""
    names = hashed["names"]
    if not names["database"]:
        return []
    name = f"{names['slug']}-database"
    return [tell_secret(name, there=await work.tools.cluster.read(Name("Secret", names["namespace"], name)) is not None)]


async def look_at_forgotten(work: Work, hashed: Mapping[str, Any]) -> list[ObjectChange]:
    """The objects of revisions that fall out of the history when this one is put up; a way back puts up none that is new."""
    names, coming = hashed["names"], 0 if hashed["verb"] == "rollback" else 1
    bygone = await work.tools.operations.bygone(work.installation, coming)
    own = [Name(kind, names["namespace"], f"{names['slug']}-r{old.number}") for old in bygone for kind in REVISIONED]
    return [ObjectChange(name.short, "remove", "", ()) for name, live in (await read_all(work, own)).items() if live]


def shown_part(
    hashed: Mapping[str, Any], found: tuple[list[ObjectChange], Iterable[Bound], Mapping[Name, Seen]], moved: Iterable[Moved]
) -> dict[str, Any]:
    """All that people read, as plain JSON."""
    told, bounds, seen = found
    steps, pairs = steps_of(hashed), seen.values()
    delta = compare_permissions([one.live for one in pairs if one.live], [one.after for one in pairs if one.after])
    shown: dict[str, Any] = exact(
        {
            "changes": [as_shown(one) for one in told],
            "rbac": asdict(delta),
            "quota": [one.shown() for one in bounds],
            "traffic": tell_traffic(hashed),
            "steps": [asdict(one) for one in steps],
            "packages": tell_packages(moved),
            "warnings": warn(hashed, told),
            "summary": summarize(hashed, told, sum(one.undo == "final" for one in steps)),
        }
    )
    return shown


def _retiring(replaced: Replaced, seen: Mapping[Name, Seen]) -> Object | None:
    """The live Deployment that will sleep when the plan is done."""
    return next((seen[Name.of(one)].live for one in replaced.objects if one["kind"] == "Deployment"), None)
