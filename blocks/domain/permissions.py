"""What a plugin may do at the API server: what it gains and loses by a plan, and the ceiling above which nothing is granted.

To let plugins do more: widen the ceiling here, in `_is_below`; what is above it is refused before anything is touched.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from blocks.domain.errors import Refused
from blocks.domain.objects.blueprint import Object

READING = frozenset({"get", "list", "watch"})
CLUSTER_WIDE = ("ClusterRole", "ClusterRoleBinding")
EVERYTHING = "*"


@dataclass(frozen=True, order=True)
class Grant:
    """One thing that may be done: a verb on one resource (`group/plural`), to all of its kind or to one by name."""

    resource: str
    name: str
    verb: str

    def __str__(self) -> str:
        return f"{self.verb} {'all ' if self.name == EVERYTHING else ''}{self.resource}" + self._which()

    def _which(self) -> str:
        return "" if self.name == EVERYTHING else f" {self.name}"


@dataclass(frozen=True)
class Delta:
    """What may be done after a plan and could not be done before, and the other way round, in words."""

    gained: tuple[str, ...]
    lost: tuple[str, ...]


def compare_permissions(before: Iterable[Object], after: Iterable[Object]) -> Delta:
    """What the roles and bindings of the second grant beyond those of the first, and what they no longer grant."""
    had, has = {*_told(before)}, {*_told(after)}
    return Delta(tuple(sorted(has - had)), tuple(sorted(had - has)))


def stay_below_ceiling(objects: Iterable[Object], slug: str) -> None:
    """Nothing if the plugin is only to read its own configuration in its own namespace; otherwise `Refused` with all that is more."""
    excess = [sentence for one in objects for sentence in _excess(one, slug)]
    if excess:
        hint = "a plugin may read its own configuration and nothing else; take this out of the plan"
        raise Refused(f"the plan grants more than a tenant may have: {'; '.join(excess)}", hint)


def grants_of(role: Mapping[str, Any]) -> tuple[Grant, ...]:
    """Every single thing that the role lets be done."""
    return tuple(
        Grant(f"{group}/{resource}" if group else resource, name, verb)
        for rule in role.get("rules") or ()
        for group in rule.get("apiGroups", ("",))
        # A rule about addresses such as /metrics names no resources; it is shown as what it is.
        for resource in rule.get("resources") or rule.get("nonResourceURLs", ())
        for name in rule.get("resourceNames") or (EVERYTHING,)
        for verb in rule["verbs"]
    )


def _told(objects: Iterable[Object]) -> Iterator[str]:
    for one in objects:
        if one["kind"] in ("Role", "ClusterRole"):
            yield from (f"{one['kind']} {one['metadata']['name']} may {grant}" for grant in grants_of(one))
        elif one["kind"] in ("RoleBinding", "ClusterRoleBinding"):
            role = f"{one['roleRef']['kind']} {one['roleRef']['name']}"
            yield from (f"{who['kind']} {who['name']} has {role}" for who in one.get("subjects") or ())


def _excess(one: Object, slug: str) -> Iterator[str]:
    if one["kind"] in CLUSTER_WIDE:
        yield f"{one['kind']} {one['metadata']['name']} reaches beyond the namespace"
    elif one["kind"] == "Role":
        yield from (f"{grant}" for grant in grants_of(one) if not _is_below(grant, slug))
    elif one["kind"] == "RoleBinding":
        yield from _excess_of_binding(one, slug)


def _excess_of_binding(one: Object, slug: str) -> Iterator[str]:
    role, namespace = one["roleRef"], one["metadata"]["namespace"]
    if (role["kind"], role["name"]) != ("Role", slug):
        yield f"RoleBinding {one['metadata']['name']} gives {role['kind']} {role['name']}"
    for who in one.get("subjects") or ():
        if (who["kind"], who["name"], who.get("namespace", namespace)) != ("ServiceAccount", slug, namespace):
            yield f"RoleBinding {one['metadata']['name']} gives it to {who['kind']} {who.get('namespace', '')}/{who['name']}"


def _is_below(grant: Grant, slug: str) -> bool:
    own = re.fullmatch(rf"{re.escape(slug)}-r\d+", grant.name) is not None
    return grant.verb in READING and grant.resource == "configmaps" and own
