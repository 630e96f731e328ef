"""What people read of a plan: each object that changes, field by field, and the plan in one line."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from blocks.domain.diff import Change, bare, changes, project
from blocks.domain.manifest import InstallRequest
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.names import Name
from blocks.domain.objects.phases import every
from blocks.domain.packages import Moved
from blocks.domain.plan import objects_of
from blocks.domain.planned import ROUTE, SHIFT, VARIANTS
from blocks.domain.ratio import weights_of
from blocks.domain.replaced import REVISIONED, Replaced, is_revisioned, left_over, renumbered
from blocks.domain.stages import config_of, has_experiment, jobs_of, stages_of
from blocks.domain.strategy import Stage

DATA = (
    "what revision {revision} writes into the database stays there, and revision {previous} finds it when it is woken again; "
    "take a copy of the database first if that matters"
)
JOB_RUNS = "a Job runs in the namespace at each stage, for {name}: {image}, which no scanner has seen"
DATA_STAYS = "the database stays as revision {previous} leaves it: only image, configuration and lock go back"


@dataclass(frozen=True)
class ObjectChange:
    """One object: `create`, `change`, `remove` or `keep`, the fields that differ, and with what it was compared if not with itself."""

    object: str
    action: str
    compared: str
    fields: tuple[Change, ...]


@dataclass(frozen=True)
class Seen:
    """How one object stands, and how it would stand: the answers of a dry run."""

    live: Object | None
    after: Object | None


def tell_changes(hashed: Mapping[str, Any], replaced: Replaced, seen: Mapping[Name, Seen]) -> tuple[ObjectChange, ...]:
    """Every object of the plan and every object that goes or sleeps with what it replaces, in the order of the plan."""
    planned, slug = every(objects_of(hashed)), hashed["names"]["slug"]
    counterparts = _counterparts(hashed, replaced)
    told = [_tell(one, seen[Name.of(one)], counterparts.get(Name.of(one))) for one in planned]
    if replaced.number == hashed["revision"]:
        return tuple(told)
    gone = [one for one in left_over(replaced.objects, planned, slug) if _is_there(one, seen)]
    return (*told, *_sleeping(replaced, seen), *(ObjectChange(Name.of(one).short, "remove", "", ()) for one in gone))


def tell_secret(name: str, *, there: bool) -> ObjectChange:
    """The Secret with the database's password, without it."""
    return ObjectChange(f"Secret/{name}", "keep" if there else "create", "", ())


def created(told: Iterable[ObjectChange]) -> list[Object]:
    """What is new, as objects that say no more than what they are."""
    names = [one.object.split("/", 1) for one in told if one.action == "create"]
    return [{"kind": kind, "metadata": {"name": name}} for kind, name in names]


def tell_traffic(hashed: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Which share of the requests goes to which revision, step by step."""
    slug, number, previous = hashed["names"]["slug"], hashed["revision"], hashed["previous"]
    new, old = f"{slug}-r{number}", f"{slug}-r{previous}"
    if number == previous:
        return []
    before: dict[str, int] = {old: 100} if previous else {}
    ready = [{"step": "now", "weights": before}, {"step": "roll_out", "weights": before | {new: 0}}]
    stages = enumerate(stages_of(hashed), 1)
    staged = [
        {"step": f"{ROUTE.name}:{at}", "weights": _shared(old, new, weight)} | _also(new, one)
        for (at, one), weight in zip(stages, weights_of(hashed), strict=True)
    ]
    whole = [*_tell_variants(hashed), (SHIFT, 100)]
    return [*ready, *(staged or [{"step": step, "weights": _shared(old, new, weight)} for step, weight in whole])]


def _tell_variants(hashed: Mapping[str, Any]) -> list[tuple[str, int]]:
    found = config_of(InstallRequest.model_validate(hashed["inputs"]["request"])).experiment
    return [(VARIANTS.name, found.share)] if found and has_experiment(hashed) else []


def _shared(old: str, new: str, weight: int) -> dict[str, int]:
    return {new: weight} if weight == 100 else {old: 100 - weight, new: weight}


def _also(new: str, stage: Stage) -> dict[str, str]:
    """Who meets the new revision beside its share, if anybody."""
    return {"also": f"{stage.others} to {new}"} if stage.others else {}


def tell_packages(moved: Iterable[Moved]) -> dict[str, int]:
    """How many packages come, go and change, the plugin itself among them."""
    kinds = [("added" if not one.before else "removed" if not one.after else "changed") for one in moved]
    return {kind: kinds.count(kind) for kind in ("added", "removed", "changed")}


def summarize(hashed: Mapping[str, Any], told: Iterable[ObjectChange], final: int) -> str:
    """The plan in one line."""
    release, plugin = hashed["inputs"]["release"]["version"], hashed["releases"]["plugin"]
    request, counted = hashed["inputs"]["request"], [one.action for one in told]
    where = f"{request['tenant']}/{request['environment']}"
    if hashed["revision"] == hashed["previous"]:
        return f"nothing to do: {hashed['inputs']['release']['name']} {release} serves {where} as asked for"
    moved = f"{plugin['before'].rpartition('@')[2]} → {release}" if plugin["before"] else release
    numbers = ", ".join(f"{counted.count(action)} to {action}" for action in ("create", "change", "remove"))
    approval = hashed["policy"]["approval"]
    agreed = f"{approval['quorum']} of {', '.join(approval['roles'])} must approve" if approval else "nobody has to approve"
    once = f"; {final} step cannot be taken back" if final else ""
    return f"{hashed['verb']} {hashed['inputs']['release']['name']} {moved} for {where}: {numbers}; {agreed}{once}"


def warn(hashed: Mapping[str, Any], told: Iterable[ObjectChange]) -> list[str]:
    """What people should know before they say yes."""
    found = [hashed["data"]] if hashed["data"] else []
    if hashed["verb"] == "rollback" and hashed["names"]["database"]:
        found.append(DATA_STAYS.format(previous=hashed["previous"]))
    found += [JOB_RUNS.format(name=one.name, image=one.job.image) for one in jobs_of(hashed) if one.job]
    if hashed["revision"] == hashed["previous"]:
        found += [f"{one.object} is not as it was put up: {_drift(one)}" for one in told if one.action != "keep"]
    return found


def _drift(one: ObjectChange) -> str:
    return "it is gone" if one.action == "create" else ", ".join(change.path for change in one.fields)


def as_shown(one: ObjectChange) -> dict[str, Any]:
    """The change as plain JSON."""
    return asdict(one) | {"fields": [asdict(change) for change in one.fields]}


def _tell(desired: Object, seen: Seen, counterpart: Object | None) -> ObjectChange:
    name = Name.of(desired).short
    fields = changes(seen.live, seen.after) if seen.live else ()
    compared = f"{desired['kind']}/{counterpart['metadata']['name']}" if counterpart else ""
    action = "create" if seen.live is None else "change" if fields else "keep"
    if action == "keep":
        return ObjectChange(name, action, "", ())
    if counterpart:
        return ObjectChange(name, action, compared, (*fields, *_beside(counterpart, desired)))
    whole = project(bare(seen.after or desired), bare(desired)) if seen.live is None else {}
    return ObjectChange(name, action, "", fields or changes(None, whole))


def _beside(counterpart: Object, desired: Object) -> Iterator[Change]:
    """How one revision's object differs from another revision's, but for their numbers."""
    slug, _, before = counterpart["metadata"]["name"].rpartition("-r")
    after = desired["metadata"]["name"].rpartition("-r")[2]
    yield from changes(renumbered(counterpart, slug, (int(before), int(after))), desired)


def _counterparts(hashed: Mapping[str, Any], replaced: Replaced) -> dict[Name, Object]:
    """For each object of the new revision the one of the revision that serves."""
    names, number = hashed["names"], hashed["revision"]
    if replaced.number == number:
        return {}
    own = [one for one in replaced.objects if is_revisioned(Name.of(one), names["slug"]) and one["kind"] in REVISIONED]
    return {Name(one["kind"], names["namespace"], f"{names['slug']}-r{number}"): one for one in own}


def _sleeping(replaced: Replaced, seen: Mapping[Name, Seen]) -> Iterator[ObjectChange]:
    for one in replaced.objects:
        if one["kind"] == "Deployment" and (live := seen[Name.of(one)].live) and live["spec"].get("replicas", 1):
            asleep = Change("spec.replicas", live["spec"].get("replicas", 1), 0)
            yield ObjectChange(Name.of(one).short, "change", "", (asleep,))


def _is_there(one: Object, seen: Mapping[Name, Seen]) -> bool:
    return seen[Name.of(one)].live is not None
