"""Where the plugin will live: its namespace with limits, policies and identity, and its own database."""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from blocks.domain.errors import Refused, Transient
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.configuration import database_secret, keys_of_persons, password_in
from blocks.domain.objects.labels import INSTALLATION, MANAGED_BY, MANAGER, OPERATION, is_shared, stamp_of
from blocks.domain.objects.names import Name
from blocks.domain.objects.phases import PROVISIONED, Phase, every
from blocks.domain.objects.standing import has_standing, stands
from blocks.domain.plan import Plan
from blocks.ports.cluster import Applied, Notice, Sights, View
from blocks.work import Work
from tasks.kinds import Undo, step
from tasks.plan import read_plan

# Seconds in which the cluster's own controllers take notice of an object.
NOTICED = 60


@dataclass(frozen=True)
class Stood:
    """What stands now, as `Kind/name`: what this operation created, and what was there already."""

    created: tuple[str, ...]
    found: tuple[str, ...]


@dataclass(frozen=True)
class Provisioned:
    """The namespace, and what stands in it."""

    namespace: str
    objects: Stood


@dataclass(frozen=True)
class DatabaseMade:
    """The plugin's database, nothing if it needs none; the Secret with its password; whether this operation made it."""

    database: str
    secret: str
    created: bool


@step(Undo.REVERSIBLE)
async def provision_namespace(work: Work, plan: Plan) -> Provisioned:
    """The namespace stands with limits and policies, and the plugin has an identity in it."""
    staged = await read_plan(work, plan)
    await see_secrets(work, plan, staged[Phase.WORKLOAD])
    stood = await put_up(work, every(staged, PROVISIONED))
    namespace = await work.tools.cluster.read(Name("Namespace", "", plan.namespace))
    if namespace:
        note = f"revision {plan.revision} of {plan.slug}: namespace, limits and policies stand"
        await work.tools.cluster.tell(namespace, Notice("Provisioned", "Provision", note))
    return Provisioned(plan.namespace, stood)


@provision_namespace.undo
async def unprovision_namespace(work: Work, plan: Plan) -> None:
    """What the operation created is gone; what plugins share stays as long as another plugin is in the namespace."""
    made_here = is_made_by(work)
    alone = await work.tools.operations.others_in(plan.namespace, work.installation) == 0
    if alone and await work.tools.cluster.remove(Name("Namespace", "", plan.namespace), made_here):
        return
    for one in reversed(every(await read_plan(work, plan), PROVISIONED)):
        if alone or not is_shared(one):
            await work.tools.cluster.remove(Name.of(one), made_here)


@step(Undo.COMPENSATABLE)
async def provision_database(work: Work, plan: Plan) -> DatabaseMade:
    """The plugin's own database and role stand, and only the Secret knows the password; a plugin without a database gets none."""
    if not plan.database:
        return DatabaseMade("", "", created=False)
    cluster, name = work.tools.cluster, Name("Secret", plan.namespace, plan.database_secret)
    password = password_in(await cluster.read(name)) or secrets.token_urlsafe(32)
    beside, *_ = (await read_plan(work, plan))[Phase.CONFIGURATION]
    # The Secret goes first: whoever comes back after a crash finds the password there, and the role is given it again.
    await cluster.apply(database_secret(beside, plan.database_secret, password))
    made = await work.tools.databases.ensure(plan.database, password, work.operation)
    return DatabaseMade(made.database, plan.database_secret, made.created)


@provision_database.undo
async def unprovision_database(work: Work, plan: Plan) -> None:
    """A database, role and Secret that the operation made are gone; others stay."""
    if plan.database:
        await work.tools.databases.drop(plan.database, work.operation)
        await work.tools.cluster.remove(Name("Secret", plan.namespace, plan.database_secret), is_made_by(work))


@step(Undo.FINAL)
async def release_namespace(work: Work, plan: Plan) -> bool:
    """The namespace is gone if this was the last installation in it; whether it was."""
    if await work.tools.operations.others_in(plan.namespace, work.installation):
        return False
    is_ours = lambda live: stamp_of(live, MANAGED_BY) == MANAGER  # noqa: E731 — a sentence
    return await work.tools.cluster.remove(Name("Namespace", "", plan.namespace), is_ours)


@step(Undo.FINAL)
async def drop_database(work: Work, plan: Plan) -> bool:
    """The plugin's database and role are gone with all data; whether there were any."""
    return bool(plan.database) and await work.tools.databases.drop(plan.database)


async def put_up(work: Work, objects: Iterable[Object]) -> Stood:
    """Every object stands as the next needs it, in this order."""
    applied = [await put_up_one(work, one) for one in objects]
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


async def see_secrets(work: Work, plan: Plan, objects: Iterable[Object]) -> None:
    """Every Secret that the request refers to has its key, or `Refused` before anything is made."""
    for name, key in [one for found in objects if found["kind"] == "Deployment" for one in keys_of_persons(found)]:
        secret = await work.tools.cluster.read(Name("Secret", plan.namespace, name))
        if secret is None or key not in secret.get("data", {}):
            hint = f"make it first; the namespace may be made ahead with the label {MANAGED_BY}={MANAGER}"
            raise Refused(f"there is no Secret {name} with the key {key} in namespace {plan.namespace}", hint)


def is_made_by(work: Work) -> Callable[[Object], bool]:
    """Whether a live object was created by the operation, for this installation."""
    stamps = ((OPERATION, str(work.operation)), (INSTALLATION, str(work.installation)))
    return lambda live: all(stamp_of(live, key) == value for key, value in stamps)


async def _was_made_here(work: Work, applied: Applied) -> bool:
    live = await work.tools.cluster.read(applied.name)
    return live is not None and is_made_by(work)(live)
