"""Which packages two locks hold: what changes from one to the other, and which of them are plugins themselves.

A lock is kept as the JSON of the project's files, with pnpm's lock file among them; a service's manifest locks nothing.
"""

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from blocks.domain.recipe import LOCK_FILE

# What packages of the portal are called that are plugins or the halves of plugins: `plugin-x`, `backstage-plugin-x`.
PLUGIN = re.compile(r"(^|/)(backstage-)?plugin-")
# Plugins of something else.
NOT_OURS = ("@babel/", "@rollup/", "@typescript-eslint/")
ENTRY = re.compile(r"^  '?(?P<name>@?[^@\s']+)@(?P<version>[^'(:\s]+).*:$", re.MULTILINE)


@dataclass(frozen=True)
class Moved:
    """One package and its versions before and after, several beside each other with commas; nothing where it was not there."""

    name: str
    before: str
    after: str


def read_lock(text: str) -> dict[str, str]:
    """Package → the versions of it that the lock holds; empty for a lock of anything but packages."""
    files = json.loads(text) if text.startswith("{") else {}
    _, _, packages = files.get(LOCK_FILE, "").partition("\npackages:\n")
    found: dict[str, set[str]] = defaultdict(set)
    for entry in ENTRY.finditer(packages.partition("\nsnapshots:\n")[0]):
        found[entry["name"]].add(entry["version"])
    return {name: ", ".join(sorted(versions)) for name, versions in sorted(found.items())}


def compare_packages(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Moved, ...]:
    """Every package whose versions are not the same in both, by name."""
    moved = (Moved(name, before.get(name, ""), after.get(name, "")) for name in sorted({*before, *after}))
    return tuple(one for one in moved if one.before != one.after)


def is_plugin(package: str) -> bool:
    """Whether the package is a plugin of the portal, or a half of one, by its name."""
    return PLUGIN.search(package) is not None and not package.startswith(NOT_OURS)
