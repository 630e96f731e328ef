"""Putting objects up in their order, and setting them back to what they were."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from blocks.abreast import abreast
from blocks.domain.errors import Transient
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.checked import refuse_objections, shape_objections
from blocks.domain.objects.labels import INSTALLATION, OPERATION, stamp_of
from blocks.domain.objects.names import Name
from blocks.domain.objects.phases import every
from blocks.domain.objects.standing import has_standing, stands
from blocks.domain.plan import Plan
from blocks.ports.cluster import Applied, Sights, View
from blocks.work import Work
from tasks.plan import read_before

# Seconds in which the cluster's own controllers take notice of an object.
NOTICED = 60


@dataclass(frozen=True)
class Stood:
    """What stands now, as `Kind/name`: what this operation created, and what was there already."""

    created: tuple[str, ...]
    found: tuple[str, ...]


async def put_up(work: Work, objects: Iterable[Object]) -> Stood:
    """Every object stands as the next needs it, in this order; `Refused` before the first of them where a route among them is wrong.

    Neighbours of one kind need nothing of each other, and are put up together.
    """
    objects = list(objects)
    refuse_objections(shape_objections(objects))
    alike = [[*group] for _, group in groupby(objects, lambda one: one["kind"])]
    applied = [one for group in alike for one in await abreast(lambda each: put_up_one(work, each), group)]
    created = tuple(one.name.short for one in applied if one.created)
    return Stood(created, tuple(one.name.short for one in applied if not one.created))


async def put_up_one(work: Work, desired: Object) -> Applied:
    """The object stands, and whoever has to take notice of it has."""
    applied = await work.tools.cluster.apply(desired)
    if has_standing(desired["kind"]):
        view = View(desired["kind"], applied.name.namespace, fields={"metadata.name": applied.name.name})

        def is_noticed(seen: Sights) -> bool | None:
            return any(stands(one) for one in seen["it"]) or None

        if not await work.tools.cluster.wait({"it": view}, is_noticed, NOTICED):
            raise Transient(f"nobody took notice of {applied.name} within {NOTICED} s", "see that the cluster's controllers run")
    # An operation that was interrupted between creating and recording created it all the same.
    return applied if applied.created else replace(applied, created=await _was_made_here(work, applied))


async def set_back(work: Work, plan: Plan, objects: Sequence[Object]) -> None:
    """Each object, the last first, is as the revision that served before had it; one that only this operation made is gone.

    What somebody else changed meanwhile is not written over: `Refused` says whose it is now.
    """
    before = {Name.of(one): one for one in every(await read_before(work, plan))} if plan.before else {}
    for name in map(Name.of, reversed(objects)):
        if name in before:
            await put_up_one(work, before[name])
        else:
            await work.tools.cluster.remove(name, is_made_by(work))


def is_made_by(work: Work) -> Callable[[Object], bool]:
    """Whether a live object was created by the operation, for this installation."""
    stamps = ((OPERATION, str(work.operation)), (INSTALLATION, str(work.installation)))
    return lambda live: all(stamp_of(live, key) == value for key, value in stamps)


def is_of(work: Work) -> Callable[[Object], bool]:
    """Whether a live object is the installation's."""
    return lambda live: stamp_of(live, INSTALLATION) == str(work.installation)


async def _was_made_here(work: Work, applied: Applied) -> bool:
    live = await work.tools.cluster.read(applied.name)
    return live is not None and is_made_by(work)(live)
