"""What changed between two plans, or between a plan and the world it was made for, in sentences."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from blocks.domain.diff import changes, differences
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.names import Name

# More than this nobody reads.
MOST = 10
LONGEST = 80
APART = ("phases", "live")


def tell_differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """Sentences on what differs between the hashed parts of two plans; none if nothing does."""
    told = [*_of_inputs(before, after), *_of_objects(before, after), *_of_cluster(before, after)]
    rest = (f"and {len(told) - MOST} more",) if len(told) > MOST else ()
    return (*told[:MOST], *rest)


def _of_inputs(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    had, has = ({key: value for key, value in one.items() if key not in APART} for one in (before, after))
    for one in differences(had, has):
        yield _was(one.path, one.before, one.after)


def _of_objects(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    had, has = _objects(before), _objects(after)
    for name in dict.fromkeys([*had, *has]):
        if name not in has:
            yield f"{name} was planned and no longer is"
        elif name not in had:
            yield f"{name} is planned and was not"
        else:
            yield from (_was(f"{name}: {one.path}", one.before, one.after) for one in changes(had[name], has[name]))


def _of_cluster(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    had, has = before.get("live") or {}, after.get("live") or {}
    for name in dict.fromkeys([*had, *has]):
        if had.get(name) is None and has.get(name) is not None:
            yield f"in the cluster there is now {name}"
        elif had.get(name) is not None and has.get(name) is None:
            yield f"in the cluster {name} is no longer there"
        else:
            found = differences(had.get(name), has.get(name))
            yield from (_was(f"in the cluster {name}: {one.path}", one.before, one.after) for one in found)


def _objects(hashed: Mapping[str, Any]) -> dict[str, Object]:
    return {Name.of(one).short: one for phase in hashed.get("phases") or () for one in phase["objects"]}


def _was(what: str, before: Any, after: Any) -> str:
    return f"{what} was {_say(before)} and is now {_say(after)}"


def _say(value: Any) -> str:
    if value is None:
        return "not there"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
