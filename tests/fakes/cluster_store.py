"""What an API server keeps: objects with uids and versions, who owns which field, and the log from which watches are served."""

import copy
import itertools
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Key = tuple[str, str, str]  # plural, namespace, name
Path = tuple[str, ...]
ABSENT = object()
# How many pods a Deployment is to have.
SIZE: Path = ("spec", "replicas")
# What the server itself sets, or what only says which object is meant: nobody owns it.
IDENTITY = {
    ("apiVersion",),
    ("kind",),
    *(("metadata", one) for one in ("name", "namespace", "uid", "resourceVersion", "generateName")),
}


class Conflict(Exception):
    """A 409: with causes if others own fields."""

    def __init__(self, message: str, causes: tuple[dict[str, str], ...] = ()) -> None:
        super().__init__(message, causes)


class Invalid(Exception):
    """A 422."""


@dataclass(frozen=True)
class Change:
    """One line of the log."""

    version: int
    kind: str
    key: Key
    found: dict[str, Any]


class Store:
    """Objects, owners and log; `on_change` is called after every change."""

    def __init__(self, on_change: Callable[[Change], None]) -> None:
        self.objects: dict[Key, dict[str, Any]] = {}
        self.log: list[Change] = []
        self.oldest = 0
        self._owners: dict[Key, dict[str, set[Path]]] = {}
        self._versions = itertools.count(1)
        self._on_change = on_change

    @property
    def version(self) -> int:
        """The version of the newest change."""
        return self.log[-1].version if self.log else 0

    def recall(self, other: "Store") -> None:
        """Hold what the other holds, down to who owns which field; what happens here from now on is not seen there."""
        held = copy.deepcopy((other.objects, other._owners, other.log))
        self.objects, self._owners, self.log = held
        self.oldest, self._versions = other.oldest, itertools.count(other.version + 1)

    def forget(self) -> None:
        """Let the log be compacted: watches from before now find their version gone."""
        self.oldest = self.version

    def rehearsal(self, key: Key) -> "Store":
        """A store with this one object, if it is there: what happens in it is seen by nobody and forgotten."""
        tried = Store(lambda _: None)
        if key in self.objects:
            tried.objects[key], tried._owners[key] = copy.deepcopy(self.objects[key]), copy.deepcopy(self._owners[key])
        return tried

    def create(self, key: Key, body: dict[str, Any], manager: str) -> dict[str, Any]:
        """A new object, or `Conflict`."""
        if key in self.objects:
            raise Conflict(f"{key[0]} {key[2]!r} already exists")
        found = copy.deepcopy(body)
        born = {"uid": str(uuid.uuid4()), "creationTimestamp": "2026-01-01T00:00:00Z", "generation": 1, "name": key[2]}
        found.setdefault("metadata", {}).update(born | ({"namespace": key[1]} if key[1] else {}))
        self._owners[key] = {manager: owned(body)}
        return self._put("ADDED", key, found)

    def apply(self, key: Key, body: dict[str, Any], manager: str, *, force: bool) -> tuple[dict[str, Any], bool]:
        """Server-side apply; whether the object was created, or `Conflict` or `Invalid`."""
        if key not in self.objects:
            if "uid" in body["metadata"]:
                raise Conflict("uid mismatch: no existing object was found")
            return self.create(key, body, manager), True
        live, owners = self.objects[key], self._owners[key]
        check(live, body["metadata"])
        said = {path: value for path, value in leaves(body) if path not in IDENTITY}
        taken = [
            (who, path)
            for who, paths in owners.items()
            for path in paths & said.keys()
            if who != manager and look(live, path) != said[path]
        ]
        if taken and not force:
            causes = tuple(
                {"reason": "FieldManagerConflict", "message": f"conflict with {called(who)}", "field": "." + ".".join(path)}
                for who, path in taken
            )
            raise Conflict(f"Apply failed with {len(taken)} conflicts", causes)
        found = copy.deepcopy(live)
        for who, path in taken:
            owners[who].discard(path)
        others = set().union(*(paths for who, paths in owners.items() if who != manager))
        for path in owners.get(manager, set()) - said.keys() - others:
            put(found, path, ABSENT)
        for path, value in said.items():
            put(found, path, value)
        owners[manager] = set(said)
        if live.get("immutable") and found.get("data") != live.get("data"):
            raise Invalid("data: Forbidden: field is immutable when `immutable` is set")
        return self.replace(key, found), False

    def replace(self, key: Key, found: dict[str, Any]) -> dict[str, Any]:
        """The object as it is now; nothing happens if it is as it was."""
        live = self.objects[key]
        if found == live:
            return live
        if found.get("spec") != live.get("spec"):
            found["metadata"]["generation"] += 1
        return self._put("MODIFIED", key, found)

    def scale(self, key: Key, replicas: int, manager: str) -> dict[str, Any]:
        """Another number of pods, by way of the scale subresource: whoever chose it owns it, and nobody else any more."""
        if look(self.objects[key], SIZE) == replicas:
            return self.objects[key]
        for paths in self._owners[key].values():
            paths.discard(SIZE)
        self._owners[key].setdefault(f"{manager}/scale", set()).add(SIZE)
        found = copy.deepcopy(self.objects[key])
        put(found, SIZE, replicas)
        return self.replace(key, found)

    def set_status(self, key: Key, status: Mapping[str, Any]) -> None:
        """What a controller says of an object."""
        self.replace(key, copy.deepcopy(self.objects[key]) | {"status": copy.deepcopy(dict(status))})

    def delete(self, key: Key) -> None:
        """The object is gone, or going if something holds it."""
        live = copy.deepcopy(self.objects[key])
        if live["metadata"].get("finalizers"):
            live["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:01Z"
            self.replace(key, live)
            return
        del self.objects[key], self._owners[key]
        self._note("DELETED", key, live)

    def _put(self, kind: str, key: Key, found: dict[str, Any]) -> dict[str, Any]:
        self.objects[key] = found
        return self._note(kind, key, found)

    def _note(self, kind: str, key: Key, found: dict[str, Any]) -> dict[str, Any]:
        version = next(self._versions)
        found["metadata"]["resourceVersion"] = str(version)
        change = Change(version, kind, key, copy.deepcopy(found))
        self.log.append(change)
        self._on_change(change)
        return found


def called(manager: str) -> str:
    """How the server speaks of who owns a field."""
    name, _, subresource = manager.partition("/")
    return f'"{name}"' + (f' with subresource "{subresource}" using apps/v1' if subresource else "")


def check(live: Mapping[str, Any], exactly: Mapping[str, Any]) -> None:
    """Raise `Conflict` if the live object is another one, or another version, than is meant."""
    for field in ("uid", "resourceVersion"):
        if exactly.get(field, live["metadata"][field]) != live["metadata"][field]:
            raise Conflict(f"the {field} in the precondition does not match that of the object")


def owned(body: Mapping[str, Any]) -> set[Path]:
    """Every field that whoever wrote this owns."""
    return {path for path, _ in leaves(body) if path not in IDENTITY}


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every field that is no object, with its path; a list is one field."""
    if isinstance(value, Mapping) and value:
        for key, below in value.items():
            yield from leaves(below, (*path, key))
    else:
        yield path, value


def look(found: Any, path: Path) -> Any:
    """What is at the path, or `ABSENT`."""
    for key in path:
        found = found.get(key, ABSENT) if isinstance(found, Mapping) else ABSENT
    return found


def put(found: dict[str, Any], path: Path, value: Any) -> None:
    """Let the value be at the path; `ABSENT` takes it away."""
    *above, last = path
    for key in above:
        found = found.setdefault(key, {})
    if value is ABSENT:
        found.pop(last, None)
    else:
        found[last] = copy.deepcopy(value)
