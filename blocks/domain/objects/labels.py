"""Labels: what belongs to whom, readable by every tool that knows the recommended ones.

What one plugin owns carries installation, operation and revision as labels, so that it can be selected. What a namespace's
plugins share carries them as annotations, which say only who made it.
"""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from blocks.domain.errors import Refused
from blocks.domain.objects.blueprint import Blueprint, Object
from blocks.domain.objects.names import Name
from blocks.domain.objects.sizes import keep_size

MANAGER = "plugin-pipeline"
MANAGED_BY = "app.kubernetes.io/managed-by"
INSTANCE = "app.kubernetes.io/instance"
PART_OF = "app.kubernetes.io/part-of"
INSTALLATION = "plugin-pipeline.io/installation"
OPERATION = "plugin-pipeline.io/operation"
REVISION = "plugin-pipeline.io/revision"
RELEASE = "plugin-pipeline.io/release"
RELOADED = "plugin-pipeline.io/reloaded-by"


def own(blueprint: Blueprint, component: str = "") -> dict[str, Any]:
    """Labels and annotations of what the plugin owns, as the start of its metadata."""
    labels = {
        "app.kubernetes.io/name": blueprint.slug,
        INSTANCE: blueprint.slug,
        "app.kubernetes.io/version": label_value(blueprint.release.version),
        "app.kubernetes.io/component": component or blueprint.runtime.value,
        PART_OF: MANAGER,
        MANAGED_BY: MANAGER,
    }
    annotations = {RELEASE: f"{blueprint.release.name}@{blueprint.release.version}"}
    return {"namespace": blueprint.namespace, "labels": labels | stamp(blueprint), "annotations": annotations}


def shared(blueprint: Blueprint) -> dict[str, Any]:
    """Labels and annotations of what all plugins of the namespace share; nothing in them depends on the plugin but the stamp."""
    labels = {
        "app.kubernetes.io/name": blueprint.namespace,
        INSTANCE: blueprint.namespace,
        "app.kubernetes.io/version": "1",
        "app.kubernetes.io/component": "tenancy",
        PART_OF: MANAGER,
        MANAGED_BY: MANAGER,
    }
    return {"labels": labels, "annotations": stamp(blueprint)}


def stamp(blueprint: Blueprint) -> dict[str, str]:
    """For which installation and revision an object is; by which operation is put in when it is made, see `stamped`."""
    return {INSTALLATION: str(blueprint.installation), OPERATION: "", REVISION: str(blueprint.revision)}


def stamped(planned: Object, operation: UUID | str) -> Object:
    """The object as the operation is to make it, or as nobody's yet; one plan made by two operations is one plan."""
    metadata, marked = planned["metadata"], dict[str, Any]()
    for place in ("labels", "annotations"):
        if OPERATION in metadata.get(place, {}):
            marked[place] = metadata[place] | {OPERATION: str(operation)}
    return planned | {"metadata": metadata | marked}


def selector(blueprint: Blueprint) -> dict[str, str]:
    """What selects the pods of every revision of the plugin."""
    return {INSTANCE: blueprint.slug, PART_OF: MANAGER}


def revision_selector(blueprint: Blueprint) -> dict[str, str]:
    """What selects the pods of this revision alone."""
    return selector(blueprint) | {REVISION: str(blueprint.revision)}


def label_value(text: str) -> str:
    """The text as a label's value: at most 63 characters, what is not allowed in one replaced by a dash."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", text)[:63].strip("-._")


def stamp_of(found: Mapping[str, Any], key: str) -> str:
    """What the object says under this key, as label or annotation, or nothing."""
    metadata = found.get("metadata", {})
    for place in ("labels", "annotations"):
        if key in (metadata.get(place) or {}):
            return str(metadata[place][key])
    return ""


def is_shared(found: Mapping[str, Any]) -> bool:
    """Whether the object belongs to the namespace and not to one plugin."""
    return INSTALLATION not in (found.get("metadata", {}).get("labels") or {})


def keep_maker(desired: Object, live: Mapping[str, Any]) -> Object:
    """The desired object with the stamp of whoever made the live one, so that undoing this operation leaves it alone.

    What a person made and handed over stays without such a stamp. Something shared keeps the whole stamp: installing a second plugin must
    not change what the namespace has.
    """
    place, keys = ("annotations", (INSTALLATION, OPERATION, REVISION)) if is_shared(desired) else ("labels", (OPERATION,))
    metadata = desired["metadata"]
    unstamped = {key: value for key, value in metadata.get(place, {}).items() if key not in keys}
    kept = {key: value for key in keys if (value := stamp_of(live, key))}
    return desired | {"metadata": metadata | {place: unstamped | kept}}


def claim(desired: Object, live: Object | None) -> Object:
    """What is to be written over the live object and over no other, or `Refused` if the live one is not ours to write."""
    if live is None:
        return desired
    name = Name.of(desired)
    if stamp_of(live, MANAGED_BY) != MANAGER:
        raise Refused(
            f"{name} is there already and is not ours", f"remove it, or label it {MANAGED_BY}={MANAGER} to hand it over"
        )
    owner = stamp_of(live, INSTALLATION)
    if not is_shared(desired) and owner and owner != stamp_of(desired, INSTALLATION):
        raise Refused(f"{name} belongs to installation {owner}", "two plugins of one short name cannot share a namespace")
    kept = keep_size(keep_maker(desired, live), live)
    fence = {key: live["metadata"][key] for key in ("uid", "resourceVersion")}
    return kept | {"metadata": kept["metadata"] | fence}
