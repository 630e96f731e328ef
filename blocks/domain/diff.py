"""Two states of one object as the fields that differ, readable for people; what only the server or our own stamp puts in is left out.

Items of lists are compared by name where they have one, so that a container that moved is no change. A Secret's values are never shown.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.labels import INSTALLATION, OPERATION, RELOADED, REVISION

# What the server writes into every object for itself.
OF_THE_SERVER = ("creationTimestamp", "deletionTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid")
NOTES_OF_TOOLS = ("deployment.kubernetes.io/revision", "kubectl.kubernetes.io/last-applied-configuration")
# By which field the items of a list are told apart: the first that all of them have, each with a value of its own.
NAMING = ("name", "mountPath", "key", "containerPort", "port", "type")
HIDDEN = "(hidden)"


@dataclass(frozen=True)
class Change:
    """One field that differs: where it is, and its two values; None is a field that is not there."""

    path: str
    before: Any
    after: Any


def changes(before: Object | None, after: Object | None) -> tuple[Change, ...]:
    """The fields in which two states of an object differ; a state that is None has no fields, and a reload is no difference."""
    found = tuple(one for one in differences(bare(before or {}), bare(after or {})) if not one.path.endswith(f"[{RELOADED}]"))
    kind = (after or before or {}).get("kind")
    return tuple(map(_hide, found)) if kind == "Secret" else found


def differences(before: Any, after: Any, path: str = "") -> Iterator[Change]:
    """The places in which two values differ, as deep as both have the same form."""
    inner = _opened(before, after)
    if inner is None:
        if before != after:
            yield Change(path, before, after)
        return
    had, has = inner
    # Of two lists, an item that only one of them has is told whole; of what is new altogether, every field is.
    whole = isinstance(before, list) and isinstance(after, list)
    for key in dict.fromkeys([*had, *has]):
        if whole and not (key in had and key in has):
            yield Change(_join(path, key), had.get(key), has.get(key))
        else:
            yield from differences(had.get(key), has.get(key), _join(path, key))


def bare(found: Mapping[str, Any]) -> Object:
    """The object without its status, without what the server writes, and without the stamp of whoever wrote it."""
    whole = {key: value for key, value in found.items() if key != "status"}
    if "metadata" not in whole:
        return whole
    kept = {key: value for key, value in whole["metadata"].items() if key not in OF_THE_SERVER}
    unsaid = {"labels": (OPERATION,), "annotations": (INSTALLATION, OPERATION, REVISION, *NOTES_OF_TOOLS)}
    for place, keys in unsaid.items():
        said = {key: value for key, value in (kept.pop(place, None) or {}).items() if key not in keys}
        kept |= {place: said} if said else {}
    return whole | {"metadata": kept}


def project(live: Mapping[str, Any], shape: Mapping[str, Any]) -> Object:
    """What the live value has in the fields that the shape names, None where it has nothing; a list is taken whole."""
    return {
        key: project(live.get(key) or {}, value) if isinstance(value, Mapping) and value else live.get(key)
        for key, value in shape.items()
    }


def _opened(before: Any, after: Any) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    """Both as things with named parts, or None where there is no looking inside."""
    if isinstance(before, str) and isinstance(after, str):
        before, after = _read(before), _read(after)
    # Something beside nothing is opened too, so that each of its fields is told.
    present = [one for one in (before, after) if one is not None]
    if any(present) and all(isinstance(one, Mapping) for one in present):
        return before or {}, after or {}
    if all(isinstance(one, list) for one in present):
        return _named(before or [], after or [])
    return None


def _named(before: Sequence[Any], after: Sequence[Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    items = [*before, *after]
    if not items or not all(isinstance(one, Mapping) for one in items):
        return None
    for field in NAMING:
        if all(field in one for one in items) and all(len({one[field] for one in many}) == len(many) for many in (before, after)):
            return {f"[{one[field]}]": one for one in before}, {f"[{one[field]}]": one for one in after}
    return {f"[{at}]": one for at, one in enumerate(before)}, {f"[{at}]": one for at, one in enumerate(after)}


def _read(text: str) -> Any:
    """A configuration file's own fields, or the text."""
    try:
        found = json.loads(text) if text.startswith("{") else text
    except ValueError:
        return text
    return found


def _join(path: str, key: str) -> str:
    if key.startswith("["):
        return path + key
    part = f"[{key}]" if "." in key or "/" in key else key
    return part if not path else f"{path}{part}" if part.startswith("[") else f"{path}.{part}"


def _hide(change: Change) -> Change:
    if not change.path.startswith(("data", "stringData")):
        return change
    return Change(change.path, *(None if one is None else HIDDEN for one in (change.before, change.after)))
