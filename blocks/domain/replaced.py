"""What a revision replaces: which objects belong to one revision alone, which are left over, and what is the same under another number."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from blocks.domain.diff import bare, differences, project
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.configuration import merge
from blocks.domain.objects.labels import REVISION, is_shared
from blocks.domain.objects.names import Name
from blocks.domain.objects.phases import Phase, every
from blocks.domain.plan import read_document

# The kinds of which each revision has its own, called `<plugin>-r<number>`.
REVISIONED = ("Deployment", "Service", "ConfigMap")


@dataclass(frozen=True)
class Replaced:
    """The revision that serves: number (0: none), release as `name@version`, its operation, and the plan by which it was put up."""

    number: int = 0
    release: str = ""
    operation: str = ""
    document: str = ""
    hashed: Mapping[str, Any] = field(default_factory=dict)
    staged: Mapping[Phase, list[Object]] = field(default_factory=dict)

    @property
    def objects(self) -> list[Object]:
        """Every object that it was put up with."""
        return every(self.staged) if self.staged else []


def read_replaced(served: tuple[int, str, str], key: str, text: str) -> Replaced:
    """What serves by number, release and operation, from the text of its plan's document; one of an earlier make has only objects."""
    return Replaced(*served, key, json.loads(text).get("hashed", {}), read_document(text))


def is_revisioned(name: Name, slug: str) -> bool:
    """Whether the object is one revision's own."""
    number = name.name.removeprefix(f"{slug}-r")
    return name.kind in REVISIONED and number != name.name and number.isdecimal()


def left_over(before: Iterable[Object], after: Iterable[Object], slug: str) -> list[Object]:
    """What the revision before had and the new one has not, without the objects that are a revision itself."""
    wanted = {Name.of(one) for one in after}
    return [one for one in before if (name := Name.of(one)) not in wanted and not is_revisioned(name, slug)]


def renumbered(value: Any, slug: str, numbers: tuple[int, int]) -> Any:
    """The value as it would be with the second number for a revision instead of the first."""
    before, after = numbers
    if isinstance(value, Mapping):
        moved = {key: renumbered(one, slug, numbers) for key, one in value.items()}
        return moved | {REVISION: str(after)} if moved.get(REVISION) == str(before) else moved
    if isinstance(value, list):
        return [renumbered(one, slug, numbers) for one in value]
    return f"{slug}-r{after}" if value == f"{slug}-r{before}" else value


def is_same(revision: Mapping[str, Any], replaced: Replaced) -> bool:
    """Whether the revision would be, but for its number, what serves already; how it was asked for does not matter."""
    if not replaced.hashed:
        return False
    numbers = (replaced.number, revision["revision"])
    had, wanted = renumbered(dict(replaced.hashed), revision["names"]["slug"], numbers), dict(revision)
    return [had[key] for key in ("image", "phases")] == [wanted[key] for key in ("image", "phases")] and _lasting(
        had
    ) == _lasting(wanted)


def _lasting(revision: Mapping[str, Any]) -> tuple[Any, ...]:
    """What of the inputs outlives the operation: what was installed, and what it cannot do without."""
    inputs = revision["inputs"]
    return inputs["release"], inputs["request"].get("dependsOn")


def see_live(planned: Iterable[Object], replaced: Iterable[Object], live: Mapping[Name, Object | None]) -> dict[str, Any]:
    """Of each object, planned or replaced, the fields that we own or will own, as they stand; None where it is not there.

    Of what plugins share only what is not as planned: that another plugin of the tenant made it meanwhile changes nothing for this one.
    """
    shapes: dict[Name, Object] = {Name.of(one): bare(one) for one in replaced}
    shapes |= {(name := Name.of(one)): merge(shapes.get(name, {}), bare(one)) for one in planned}
    seen: dict[str, Any] = {}
    for name, shape in shapes.items():
        found = live.get(name)
        owned = project(bare(found), shape) if found else None
        if not is_shared(shape):
            seen[name.short] = owned
        elif owned and (differ := [*differences(shape, owned)]):
            seen[name.short] = {change.path: change.after for change in differ}
    return seen
