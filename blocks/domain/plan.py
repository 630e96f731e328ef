"""What will happen, as a value: small enough for the journal, and naming the document that holds every object.

The document has two parts. `hashed` is what people agree to: inputs, objects, the fields of live objects that we own, verdict and
policy. `shown` is what they read beside it: differences, estimates, steps. The hash is that of `hashed` alone, so the same plan made
twice has one hash.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

import rfc8785

from blocks.domain.autoscaling import Range, range_of
from blocks.domain.errors import Refused
from blocks.domain.objects.blueprint import Blueprint, Object
from blocks.domain.objects.labels import stamped
from blocks.domain.objects.names import Name
from blocks.domain.objects.phases import Phase, every, phases
from blocks.domain.planned import PlannedStep
from blocks.domain.ratio import is_plain, sizes_of
from blocks.domain.scaling import replicas_for
from blocks.domain.stages import has_experiment, has_preview, stages_of
from blocks.domain.strategy import Stage
from blocks.domain.waves import Limits, Sizes, limits_of

SCHEMA = 2


@dataclass(frozen=True)
class Plan:
    """One revision about to be put up; `hash` is that of what people agree to, `document` a key in storage, paths are HTTP paths.

    `before` is the document of the revision that serves, `before_by` its operation, `previous` its number. `target` is the release as
    `name@version`, `changes` how many objects will change, `stages` how it meets its users (empty: all at once), `preview` whether those
    who ask for it can meet it before, `experiment` whether it is compared with the one that serves, `limits` how many of its pods come
    at a time (none: all), `autoscaled` between how many replicas the cluster chooses (none: it has `replicas`), `data` what becomes of
    the plugin's data where that cannot be taken back. `plain` says that nothing but a Service leads people to it, `sizes` how many pods
    each side has then at each stage.
    """

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
    verb: str = ""
    before: str = ""
    previous: int = 0
    summary: str = ""
    changes: int = 0
    data: str = ""
    target: str = ""
    integrity: str = ""
    before_by: str = ""
    stages: tuple[Stage, ...] = ()
    preview: bool = False
    experiment: bool = False
    limits: Limits | None = None
    plain: bool = False
    sizes: tuple[Sizes, ...] = ()
    autoscaled: Range | None = None

    @property
    def name(self) -> str:
        """What the objects of the revision are called."""
        return f"{self.slug}-r{self.revision}"

    @property
    def own_host(self) -> str:
        """The host at which only this revision answers, where there is one: that of its own Service."""
        return f"{self.name}{self.host.removeprefix(self.slug)}"

    def size_at(self, stage: int, whole: int) -> int:
        """How many pods of the whole the revision needs at the stage with this number; all where there are no stages."""
        return self.sizes[stage - 1].coming if self.sizes else replicas_for(self.stages[:stage], whole)

    @property
    def database_secret(self) -> str:
        """The Secret that alone holds the database's password."""
        return f"{self.slug}-database"


def describe_revision(blueprint: Blueprint, lock: str, verdict: Mapping[str, Any]) -> dict[str, Any]:
    """What a revision is, whatever it replaces: inputs, names, image, verdict, and every object by phase."""
    inputs = {
        "request": blueprint.request.model_dump(mode="json", by_alias=True),
        "release": asdict(blueprint.release),
        "lock": lock,
    }
    staged = [{"phase": phase.value, "objects": objects} for phase, objects in phases(blueprint).items()]
    made = {"installation": str(blueprint.installation), "revision": blueprint.revision, "names": _names(blueprint)}
    whole: dict[str, Any] = exact(made | {"inputs": inputs, "image": blueprint.image, "verdict": verdict, "phases": staged})
    return whole


def write_document(hashed: Mapping[str, Any], shown: Mapping[str, Any]) -> str:
    """Both parts as canonical JSON; one plan, one text."""
    return canonical({"schema": SCHEMA, "hashed": hashed, "shown": shown})


def read_hashed(text: str) -> dict[str, Any]:
    """The hashed part of a document; `Refused` for one of an earlier make, which says too little."""
    document = json.loads(text)
    if document["schema"] != SCHEMA:
        raise Refused("the plan was written by an earlier version of the pipeline", "install the release again instead")
    hashed: dict[str, Any] = document["hashed"]
    return hashed


def read_document(text: str, operation: UUID | None = None) -> dict[Phase, list[Object]]:
    """Every object of the plan, by phase, as the operation is to make it, or as planned if none is named."""
    document = json.loads(text)
    # A document of an earlier make has its objects on top.
    staged = document.get("hashed", document)["phases"]
    return {Phase(one["phase"]): [stamped(found, operation or "") for found in one["objects"]] for one in staged}


def hash_plan(hashed: Mapping[str, Any]) -> str:
    """The hash that people agree to."""
    return f"sha256:{hashlib.sha256(canonical(hashed).encode()).hexdigest()}"


def compose_plan(hashed: Mapping[str, Any], shown: Mapping[str, Any], document: str) -> Plan:
    """The plan whose document is kept in storage under the key; what it replaces is put in by whoever knows that."""
    names, release = hashed["names"], hashed["inputs"]["release"]
    secret = [f"Secret/{names['slug']}-database"] if names["database"] else []
    return Plan(
        hash=hash_plan(hashed),
        document=document,
        revision=hashed["revision"],
        replicas=hashed["inputs"]["request"]["replicas"],
        image=hashed["image"],
        objects=(*(Name.of(one).short for one in every(objects_of(hashed))), *secret),
        steps=tuple(PlannedStep(**one) for one in shown["steps"]),
        verb=hashed["verb"],
        previous=hashed["previous"],
        summary=shown["summary"],
        changes=count_changes(shown["changes"]),
        data=hashed["data"],
        target=f"{release['name']}@{release['version']}",
        integrity=release["integrity"],
        stages=stages_of(hashed),
        preview=has_preview(hashed),
        experiment=has_experiment(hashed),
        limits=limits_of(hashed),
        plain=is_plain(hashed),
        sizes=sizes_of(hashed),
        autoscaled=range_of(hashed),
        **names,
    )


def objects_of(hashed: Mapping[str, Any]) -> dict[Phase, list[Object]]:
    """Every planned object by phase, without the stamp of any operation."""
    return {Phase(one["phase"]): one["objects"] for one in hashed["phases"]}


def count_changes(told: Iterable[Mapping[str, Any]]) -> int:
    """How many objects will not be as they are."""
    return sum(one["action"] != "keep" for one in told)


def canonical(value: Mapping[str, Any]) -> str:
    """The value as the one JSON text that is written for it (RFC 8785)."""
    return rfc8785.dumps(dict(value)).decode()


def exact(value: Any) -> Any:
    """The value as plain JSON, with numbers that canonical JSON cannot carry exactly as text: whole ones beyond 2^53."""
    if isinstance(value, Mapping):
        return {key: exact(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [exact(one) for one in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53 - 1:
        return str(value)
    return value


def _names(blueprint: Blueprint) -> dict[str, str]:
    """What the revision's things are called, under the names of the fields of `Plan`."""
    return {
        "namespace": blueprint.namespace,
        "slug": blueprint.slug,
        "host": blueprint.host,
        "url": blueprint.url,
        "liveness": blueprint.liveness.path if blueprint.liveness else "",
        "readiness": blueprint.readiness.path if blueprint.readiness else "",
        "release": blueprint.serving.release,
        "database": blueprint.database,
    }
