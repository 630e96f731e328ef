"""What will happen, as a value: small enough for the journal, and naming by hash the document that holds every object.

To add a step to installing: add a row to `STEPS`, in the order in which they are taken; it says how the step is taken back.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import rfc8785

from blocks.domain.objects.blueprint import Blueprint, Object
from blocks.domain.objects.names import Name
from blocks.domain.objects.phases import Phase, every, phases

SCHEMA = 1


@dataclass(frozen=True)
class PlannedStep:
    """One step of the plan: its name, how it is taken back, and what it does."""

    name: str
    undo: str
    what: str


@dataclass(frozen=True)
class Plan:
    """One revision about to be put up; `hash` is that of the document, `document` its key in storage, paths are HTTP paths."""

    hash: str
    document: str
    namespace: str
    slug: str
    revision: int
    replicas: int
    image: str
    host: str
    url: str
    liveness: str
    readiness: str
    release: str
    database: str
    objects: tuple[str, ...]
    steps: tuple[PlannedStep, ...]

    @property
    def name(self) -> str:
        """What the objects of the revision are called."""
        return f"{self.slug}-r{self.revision}"

    @property
    def database_secret(self) -> str:
        """The Secret that alone holds the database's password."""
        return f"{self.slug}-database"


STEPS = (
    PlannedStep(
        "provision_namespace", "reversible", "make the namespace with its limits and policies, and the plugin's identity"
    ),
    PlannedStep(
        "provision_database", "compensatable", "make the plugin's own database, its role and the Secret with the password"
    ),
    PlannedStep("roll_out", "compensatable", "put up the revision, wait until it is ready, and route its host to it"),
    PlannedStep("verify", "needless", "ask the plugin through the gateway which release it is"),
)


def write_document(blueprint: Blueprint, verdict: Mapping[str, Any]) -> str:
    """The whole plan as canonical JSON: inputs, verdict, and every object by phase; one plan, one text."""
    staged = [{"phase": phase.value, "objects": objects} for phase, objects in phases(blueprint).items()]
    inputs = {"request": blueprint.request.model_dump(mode="json", by_alias=True), "release": asdict(blueprint.release)}
    made = {"installation": str(blueprint.installation), "operation": str(blueprint.operation), "revision": blueprint.revision}
    whole = {"schema": SCHEMA, "inputs": _exact(inputs), "image": blueprint.image, "verdict": _exact(verdict), "phases": staged}
    return rfc8785.dumps(whole | made).decode()


def read_document(text: str) -> dict[Phase, list[Object]]:
    """Every object of the plan, by phase."""
    return {Phase(one["phase"]): one["objects"] for one in json.loads(text)["phases"]}


def compose_plan(blueprint: Blueprint, text: str, key: str) -> Plan:
    """The plan whose document is the text, kept in storage under the key."""
    objects = [Name.of(one).short for one in every(read_document(text))]
    secret = [f"Secret/{blueprint.database_secret}"] if blueprint.database else []
    return Plan(
        hash=f"sha256:{hashlib.sha256(text.encode()).hexdigest()}",
        document=key,
        namespace=blueprint.namespace,
        slug=blueprint.slug,
        revision=blueprint.revision,
        replicas=blueprint.request.replicas,
        image=blueprint.image,
        host=blueprint.host,
        url=blueprint.url,
        liveness=blueprint.liveness.path if blueprint.liveness else "",
        readiness=blueprint.readiness.path if blueprint.readiness else "",
        release=blueprint.serving.release,
        database=blueprint.database,
        objects=(*objects, *secret),
        steps=tuple(one for one in STEPS if blueprint.database or one.name != "provision_database"),
    )


def _exact(value: Any) -> Any:
    """The value with numbers that canonical JSON cannot carry exactly as text: whole ones beyond 2^53."""
    if isinstance(value, Mapping):
        return {key: _exact(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(one) for one in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53 - 1:
        return str(value)
    return value
