"""Looking at the cluster as it is and as it would be: every object of a plan tried without being made."""

from collections.abc import Iterable
from dataclasses import dataclass

from blocks.abreast import abreast
from blocks.domain.errors import DoesNotFit, Refused
from blocks.domain.fit import Amounts, Bound, add, must_fit, must_obey, need_of_objects, need_of_pods, peak, weigh
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.dry_run import stand_in
from blocks.domain.objects.labels import stamped
from blocks.domain.objects.names import Name
from blocks.domain.objects.sizes import most_of
from blocks.domain.shown import ObjectChange, Seen, created
from blocks.domain.waves import Limits, Sizes, bound, every_wave
from blocks.ports.cluster import Preview, View
from blocks.work import Work

NO_ROOM = "exceeded quota"


@dataclass(frozen=True)
class Move:
    """What goes when the new Deployment is there, how many pods at a time (no limits: all), and the pods of Jobs in between."""

    replaced: Object | None
    limits: Limits | None
    jobs: tuple[Object, ...] = ()


async def read_all(work: Work, names: Iterable[Name]) -> dict[Name, Object | None]:
    """How each object stands, or None."""
    wanted = list(dict.fromkeys(names))
    return dict(zip(wanted, await abreast(work.tools.cluster.read, wanted), strict=True))


async def try_all(work: Work, planned: Iterable[Object]) -> dict[Name, Preview]:
    """How each object stands and would stand if this operation applied it."""
    environment = work.order.request.environment

    async def try_one(one: Object) -> Preview:
        return await work.tools.cluster.preview(stamped(one, work.operation), stand_in(environment))

    objects = list(planned)
    return dict(zip(map(Name.of, objects), await abreast(try_one, objects), strict=True))


def raise_objections(tried: Iterable[Preview], *, of_room: bool) -> None:
    """Nothing if the cluster would take everything; otherwise `DoesNotFit` where it has no room, and else `Refused`, with all it says."""
    said = dict.fromkeys(one.objection for one in tried if one.objection and (NO_ROOM in one.objection) is of_room)
    if said:
        kind = DoesNotFit if of_room else Refused
        raise kind("; ".join(said), "nothing was changed; see to it, then plan again")


async def find_room(work: Work, seen: dict[Name, Seen], told: Iterable[ObjectChange], move: Move) -> tuple[Bound, ...]:
    """Every bound of the namespace's quotas that the rollout touches; raises `DoesNotFit` where it leaves no room."""
    (name,) = [one for one in seen if one.kind == "Deployment" and seen[one].after]
    deployment, live = seen[name].after or {}, seen[name].live
    ranges = await _bounds_of(work, "LimitRange", name.namespace, seen)
    for pod in (deployment["spec"]["template"]["spec"], *move.jobs):
        must_obey(pod, ranges)
    pods, going = _need_of_move((deployment, live), move.replaced, move.limits)
    jobs = add(*(need_of_pods(pod, 1) for pod in move.jobs))
    coming = add(pods, jobs, need_of_objects(created(told)))
    bounds = weigh(await _bounds_of(work, "ResourceQuota", name.namespace, seen), coming, add(going, jobs))
    must_fit(bounds)
    return bounds


async def _bounds_of(work: Work, kind: str, namespace: str, seen: dict[Name, Seen]) -> list[Object]:
    """What bounds the namespace, persons' own bounds too; ours as they would be after the plan."""
    there = {Name.of(one): one for one in await work.tools.cluster.find(View(kind, namespace))}
    ours = {name: one.after or one.live for name, one in seen.items() if name.kind == kind}
    return [one for one in (there | ours).values() if one]


def _need_of_move(new: tuple[Object, Object | None], replaced: Object | None, limits: Limits | None) -> tuple[Amounts, Amounts]:
    """How much more pods need at most while the new Deployment takes the other one's place, and how much of that is free afterwards."""
    (desired, live), had = new, _replicas(replaced)
    wanted = most_of(desired)
    if not limits:
        # What serves may grow meanwhile, where an autoscaler follows it.
        growth = _need(replaced, most_of(replaced) - had)
        return add(_need(desired, max(wanted - _replicas(live), 0)), growth), _need(replaced, most_of(replaced))
    sizes = [Sizes(0, had), *every_wave(Sizes(0, had), bound(limits, had, wanted))]
    return peak([add(_need(desired, one.coming), _need(replaced, one.going)) for one in sizes])


def _need(deployment: Object | None, count: int) -> Amounts:
    return need_of_pods(deployment["spec"]["template"]["spec"], count) if deployment else {}


def _replicas(deployment: Object | None) -> int:
    return int(deployment["spec"].get("replicas", 1)) if deployment else 0
