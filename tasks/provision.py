"""Where the plugin will live: its namespace with limits, policies and identity, and its own database."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from blocks.domain.errors import Refused
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.configuration import database_secret, keys_of_persons, password_in
from blocks.domain.objects.labels import MANAGED_BY, MANAGER, is_shared, stamp_of
from blocks.domain.objects.names import Name
from blocks.domain.objects.phases import PROVISIONED, Phase, every
from blocks.domain.plan import Plan
from blocks.ports.cluster import Notice
from blocks.work import Work
from tasks.kinds import Undo, step
from tasks.objects import Stood, is_made_by, put_up, set_back
from tasks.plan import read_plan


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
    """What the operation created is gone and what it changed is as before.

    What plugins share stays as long as another plugin is in the namespace.
    """
    alone = await work.tools.operations.others_in(plan.namespace, work.installation) == 0
    if alone and await work.tools.cluster.remove(Name("Namespace", "", plan.namespace), is_made_by(work)):
        return
    provisioned = every(await read_plan(work, plan), PROVISIONED)
    await set_back(work, plan, [one for one in provisioned if alone or not is_shared(one)])


@step(Undo.COMPENSATABLE)
async def provision_database(work: Work, plan: Plan) -> DatabaseMade:
    """The plugin has its own database and only its Secret knows the password; a plugin without a database gets none."""
    return await stand_database(work, plan)


async def stand_database(work: Work, plan: Plan) -> DatabaseMade:
    """Database, role and Secret stand and fit together."""
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


@step(Undo.FINAL, remains="the new revision ran on the plugin's database, and what it wrote there stays for the old one to find")
async def hand_over_data(work: Work, plan: Plan) -> str:
    """The database is about to be the new revision's too; returns what the plan said of the data.

    It does nothing and stands in the journal for what cannot be known: what a new revision writes, and migrates, when it starts.
    """
    return plan.data


@step(Undo.NEEDLESS)
async def release_namespace(work: Work, plan: Plan) -> bool:
    """The namespace is gone if this was the last installation in it; whether it was.

    It needs no undo of its own: putting the plugin up again makes the namespace again.
    """
    if await work.tools.operations.others_in(plan.namespace, work.installation):
        return False
    is_ours = lambda live: stamp_of(live, MANAGED_BY) == MANAGER  # noqa: E731 — a sentence
    return await work.tools.cluster.remove(Name("Namespace", "", plan.namespace), is_ours)


@step(Undo.FINAL, remains="the plugin's database and role are dropped with all data, as the uninstall asked")
async def drop_database(work: Work, plan: Plan) -> bool:
    """The plugin's database and role are gone with all data; whether there were any."""
    return bool(plan.database) and await work.tools.databases.drop(plan.database)


async def see_secrets(work: Work, plan: Plan, objects: Iterable[Object]) -> None:
    """Every Secret that the request refers to has its key, or `Refused` before anything is made."""
    for name, key in [one for found in objects if found["kind"] == "Deployment" for one in keys_of_persons(found)]:
        secret = await work.tools.cluster.read(Name("Secret", plan.namespace, name))
        if secret is None or key not in secret.get("data", {}):
            hint = f"make it first; the namespace may be made ahead with the label {MANAGED_BY}={MANAGER}"
            raise Refused(f"there is no Secret {name} with the key {key} in namespace {plan.namespace}", hint)
