"""Which releases are tried, in which order, and why one was taken. Nothing is asked here: the answers come from outside.

A package manager takes the newest release that a range allows, everywhere in the tree, and gives up when one of those needs something
that is not published. Here such a release is left out and the next older one is tried: what cannot be installed is as good as not there.
Because npm may install several releases of one package side by side, leaving out releases one by one always ends in the newest tree
that can be installed, or in the proof that there is none.
"""

import re
from dataclasses import dataclass, replace

from semantic_version import NpmSpec, Version

from blocks.domain.errors import Unresolvable
from blocks.domain.integrity import is_weak
from blocks.domain.release import PassedOver

# How many releases of the plugin, and how many releases among its dependencies, are given up before we say that we cannot.
MOST_CANDIDATES = 12
MOST_LEFT_OUT = 24
# The alternative that stands in every range narrowed by us (see infra/images/pnpmfile.cjs).
NOBODY = "0.0.0-left-out"


@dataclass(frozen=True)
class Published:
    """One version as its source lists it; `peers` are the packages that it expects its host to bring, with their ranges."""

    version: str
    integrity: str
    location: str
    deprecated: str = ""
    peers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Listing:
    """All that a source has of one plugin; `tags` are names for versions, such as `latest`."""

    name: str
    releases: tuple[Published, ...]
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Gap:
    """A dependency that is not published: `missing` as `name@range`, and the chain of `(name, version)` that leads there, root first."""

    missing: str
    chain: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Search:
    """Where the search stands: the candidate, those still to come, those passed over, and what is left out among its dependencies."""

    candidate: Published
    others: tuple[Published, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()
    left_out: tuple[tuple[str, str, str], ...] = ()

    @property
    def excluded(self) -> dict[str, list[str]]:
        """Package → the versions of it that must not be chosen, oldest first."""
        names = sorted({name for name, _, _ in self.left_out})
        return {name: sorted((version for other, version, _ in self.left_out if other == name), key=Version) for name in names}


def is_exact(wanted: str) -> bool:
    """Whether one version is asked for, so that nothing newer can matter."""
    return _parse(wanted) is not None


def rank_candidates(listing: Listing, wanted: str) -> tuple[Published, ...]:
    """The releases that satisfy an exact version, a tag or an npm range: newest first, deprecated last, or `Unresolvable`.

    Prereleases come in only where the range names one; a release without any checksum never does.
    """
    versions = {parsed: one for one in listing.releases if (parsed := _parse(one.version))}
    spec = _read_range(dict(listing.tags).get(wanted, wanted), listing.name)
    fitting = [version for version in versions if version in spec]
    if not fitting:
        raise Unresolvable(f"no release of {listing.name} satisfies {wanted}", _suggest([*versions], wanted))
    checked = [version for version in fitting if versions[version].integrity]
    if not checked:
        raise Unresolvable(
            f"no release of {listing.name} that satisfies {wanted} has a checksum", "ask its publisher to publish it again"
        )
    return tuple(
        versions[version] for version in sorted(checked, key=lambda one: (not versions[one].deprecated, one), reverse=True)
    )


def begin(candidates: tuple[Published, ...]) -> Search:
    """The search at its beginning."""
    return Search(candidates[0], candidates[1:MOST_CANDIDATES])


def learn(search: Search, plugin: str, gap: Gap) -> Search:
    """The search after a gap was met: what is at fault is left out, or the candidate itself passed over; `Unresolvable` at the end."""
    at_fault = gap.chain == ((plugin, search.candidate.version),) or (not gap.chain and gap.missing.startswith(f"{plugin}@"))
    return _pass_over(search, plugin, gap) if at_fault else _leave_out(search, gap)


def _pass_over(search: Search, plugin: str, gap: Gap) -> Search:
    passed = (*search.passed_over, PassedOver(search.candidate.version, tell_lack(gap)))
    if not search.others:
        told = "; ".join(f"{one.version} {one.reason}" for one in passed)
        raise Unresolvable(f"no release of {plugin} that satisfies the request can be installed: {told}", "ask for another range")
    return Search(search.others[0], search.others[1:], passed)


def _leave_out(search: Search, gap: Gap) -> Search:
    if not gap.chain:
        raise Unresolvable(f"the image itself {tell_lack(gap)}", _tell(search.left_out))
    name, version = gap.chain[-1]
    if version in search.excluded.get(name, ()) or len(search.left_out) >= MOST_LEFT_OUT:
        raise Unresolvable(f"{name} {version} {tell_lack(gap)}", "ask for an older version of the plugin")
    return replace(search, left_out=(*search.left_out, (name, version, tell_lack(gap))))


def tell_lack(gap: Gap) -> str:
    """What the last of the chain needs in vain; a range that we have narrowed is not repeated."""
    if not gap.missing.endswith(NOBODY):
        return f"needs {gap.missing}, which is not published"
    name = gap.missing[: gap.missing.index("@", 1)]
    return f"needs {name}, no release of which can be installed and fits"


def tell_why(search: Search, wanted: str) -> str:
    """One sentence on why this release was taken."""
    version, newer = search.candidate.version, ", ".join(one.version for one in search.passed_over)
    if newer:
        why = f"{version} is the newest release satisfying {wanted} whose dependencies are all published; {newer} was passed over"
    elif version == wanted:
        why = f"{version} is the release that was asked for, and everything it needs is published"
    else:
        why = f"{version} is the newest release satisfying {wanted}, and everything it needs is published"
    if search.left_out:
        why += f"; among its dependencies {_tell(search.left_out)}"
    if search.candidate.deprecated:
        why += f"; its publisher deprecates it: {search.candidate.deprecated}"
    return why + ("; only a sha1 checksum is published for it" if is_weak(search.candidate.integrity) else "")


def all_passed_over(search: Search) -> tuple[PassedOver, ...]:
    """Every release that was not taken, those among the dependencies by `name@version`."""
    return (*search.passed_over, *(PassedOver(f"{name}@{version}", reason) for name, version, reason in search.left_out))


def _tell(left_out: tuple[tuple[str, str, str], ...]) -> str:
    return ", ".join(f"{name} {version} was left out, because it {reason}" for name, version, reason in left_out)


def _parse(version: str) -> Version | None:
    try:
        return Version(version)
    except ValueError:
        return None


def _read_range(wanted: str, name: str) -> NpmSpec:
    try:
        return NpmSpec(wanted)
    except ValueError as problem:
        raise Unresolvable(
            f"{wanted} is neither a version nor a range nor a tag of {name}", "write 1.2.3, ^1.2.0 or 1.x"
        ) from problem


def _suggest(versions: list[Version], wanted: str) -> str:
    if not versions:
        return "nothing of it is published"
    number = re.search(r"\d+(\.\d+)?(\.\d+)?", wanted)
    asked = Version.coerce(number[0]) if number else max(versions)
    below, above = [one for one in sorted(versions) if one <= asked][-2:], [one for one in sorted(versions) if one > asked][:2]
    return f"the nearest are {', '.join(map(str, below + above))}; the newest is {max(versions)}"
