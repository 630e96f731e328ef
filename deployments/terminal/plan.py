"""How a plan looks in a terminal: what would be different, line by line, and the whole of it in one line at the end."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from blocks.domain.waivers import Waived

Part = Mapping[str, Any]
# One cell of a line: what it says and in which colour.
Cell = tuple[str, str]
SIGNS = {"create": ("+", "green"), "change": ("~", "yellow"), "remove": ("-", "red")}
UNDO = {"needless": "dim", "reversible": "green", "compensatable": "yellow", "final": "bold red"}
LONGEST = 110
# So many fields of a new object are shown; the JSON has all of them.
MOST = 14
# Marks that follow the release and the revision, wherever they stand: they say nothing new.
FOLLOWING = ("app.kubernetes.io/version", "plugin-pipeline.io/release", "plugin-pipeline.io/revision")
KNOWN = ("apiVersion", "kind")


def draw_plan(document: Part, plan_hash: str) -> RenderableType:
    """Everything that people should read before they say yes."""
    hashed, shown = document["hashed"], document["shown"]
    parts = {
        "releases": _releases(hashed, shown),
        "verdict": _verdict(hashed["verdict"]),
        "objects": _objects(shown["changes"]),
        "permissions": _permissions(shown["rbac"]),
        "quota": _quota(shown["quota"]),
        "traffic": _traffic(shown["traffic"]),
        "steps": _steps(shown["steps"]),
    }
    lines = [Text(f"plan {plan_hash}", "dim")]
    for title, found in parts.items():
        if told := [*found]:
            lines += [Text(title, "bold"), *(Text("  ").append(one) for one in told)]
    lines += [Text(f"! {one}", "bold red") for one in shown["warnings"]]
    return Group(*lines, Text(shown["summary"], "bold"))


def _releases(hashed: Part, shown: Part) -> Iterator[Text]:
    plugin, counts = hashed["releases"]["plugin"], shown["packages"]
    name, _, version = plugin["after"].rpartition("@")
    moved = [{"name": name, "before": plugin["before"].rpartition("@")[2], "after": version}, *hashed["releases"]["dependencies"]]
    yield from _align(
        [[(one["name"], ""), (one["before"] or "-", "red"), ("→", ""), (one["after"] or "-", "green")] for one in moved]
    )
    if told := ", ".join(f"{number} {kind}" for kind, number in counts.items() if number):
        yield Text(f"packages: {told}", "dim")
    yield Text(f"image {hashed['image']}", "dim")


def _verdict(verdict: Part) -> Iterator[Text]:
    yield from (Text(f"✓ {one}", "green") for one in verdict["admitted_by"])
    yield from (Text(f"! accepted: {one}", "yellow") for one in verdict["accepted"])
    yield from (Text(f"! waived: {Waived(**one)}", "yellow") for one in verdict.get("waived", ()))
    yield from (Text(f"  off: {one['scanner']} ({one['reason']})", "dim") for one in verdict["off"])


def _objects(changes: Iterable[Part]) -> Iterator[Text]:
    kept = 0
    for one in changes:
        if one["action"] == "keep":
            kept += 1
            continue
        sign, colour = SIGNS[one["action"]]
        beside = f"  (beside {one['compared']})" if one["compared"] else ""
        yield Text.assemble((f"{sign} {one['object']}", f"bold {colour}"), (beside, "dim"))
        yield from (Text("    ").append(line) for line in _fields(one))
    if kept:
        yield Text(f"  {kept} more stay as they are", "dim")


def _fields(one: Part) -> Iterator[Text]:
    new = one["action"] == "create" and not one["compared"]
    told = [field for field in one["fields"] if not _goes_without_saying(field["path"], new=new)]
    for field in told[: MOST if new else None]:
        if field["before"] is not None:
            yield Text(f"- {field['path']}: {_say(field['before'])}", "red")
        if field["after"] is not None:
            yield Text(f"+ {field['path']}: {_say(field['after'])}", "green")
    if new and len(told) > MOST:
        yield Text(f"… {len(told) - MOST} more fields", "dim")
    if one["fields"] and not told and not new:
        yield Text("its labels and annotations follow the release", "dim")


def _goes_without_saying(path: str, *, new: bool) -> bool:
    return any(f"[{one}]" in path for one in FOLLOWING) or (new and (path in KNOWN or "metadata." in path))


def _permissions(rbac: Part) -> Iterator[Text]:
    yield from (Text(f"+ {one}", "green") for one in rbac["gained"])
    yield from (Text(f"- {one}", "red") for one in rbac["lost"])


def _quota(bounds: Sequence[Part]) -> list[Text]:
    keys = ("resource", "hard", "before", "during", "after")
    heads = [[(title, "dim") for title in ("resource", "allowed", "now", "during", "after")]] if bounds else []
    return _align([*heads, *([(one[key], "") for key in keys] for one in bounds)])


def _traffic(steps: Iterable[Part]) -> Iterator[Text]:
    for one in steps:
        weights = ", ".join(f"{name} {weight} %" for name, weight in one["weights"].items()) or "nobody is served"
        also = f", {one['also']}" if one.get("also") else ""
        yield Text(f"{one['step']}: {weights}{also}")


def _steps(steps: Sequence[Part]) -> Iterator[Text]:
    lines = _align([[(one["name"], ""), (one["undo"], UNDO[one["undo"]]), (one["what"], "")] for one in steps])
    for one, line in zip(steps, lines, strict=True):
        yield line
        if one["back"]:
            yield Text(f"    undo: {one['back']}", "dim")


def _align(rows: Sequence[Sequence[Cell]]) -> list[Text]:
    """Lines whose cells stand under each other, with nothing after the last."""
    widths = [max(len(text) for text, _ in column) for column in zip(*rows, strict=True)]
    widths[-1:] = [0] * bool(widths)
    padded = [[Text(text.ljust(width), colour) for (text, colour), width in zip(row, widths, strict=True)] for row in rows]
    return [Text("  ").join(row) for row in padded]


def _say(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    line = " ⏎ ".join(text.splitlines())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
