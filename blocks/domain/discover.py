"""Which of the releases in a registry are new for a watch, what is done about each, and which one is asked for now.

Nothing is remembered for this but what was done: what serves, what is in quarantine and what was asked for is looked up every time.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from uuid import UUID

from semantic_version import NpmSpec, Version

from blocks.domain.resolution import Listing
from blocks.domain.watch import Action, Done, Terms

# Whose word a request is that a watch led to.
ACTOR = "discover"
# So many releases are looked at, from the newest; older ones are neither recorded nor asked for.
MOST = 50
# Why an operation ended that people or gates said no to; such a release is not asked for again.
REFUSALS = frozenset({"not-approved", "gate-refused", "cancelled"})
ASKED: Mapping[Action, Done] = MappingProxyType({Action.PLAN: Done.PLAN_REQUESTED, Action.UPDATE: Done.UPDATE_REQUESTED})
NAMES_A_PRERELEASE = re.compile(r"\d-[0-9A-Za-z]")
NOTHING_SERVES = "nothing of the plugin serves here"


@dataclass(frozen=True)
class Tried:
    """An operation that was to bring a version, whoever asked for it; `code` and `message` say why it stands where it stands."""

    operation: UUID
    verb: str
    actor: str
    version: str
    asked_at: int
    code: str = ""
    message: str = ""


@dataclass(frozen=True)
class Known:
    """How things stand around a watch, everything by version; `serving` is empty where nothing does.

    `quarantined` says why, `lifted` when a person let a version be tried again, `seen` what was done about it.
    """

    serving: str = ""
    quarantined: Mapping[str, str] = field(default_factory=dict)
    lifted: Mapping[str, int] = field(default_factory=dict)
    tried: tuple[Tried, ...] = ()
    seen: Mapping[str, Done] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """What is done about a version, and why."""

    version: str
    done: Done
    why: str = ""
    operation: UUID | None = None


@dataclass(frozen=True)
class Wanted:
    """The version to ask for; `occasion` tells one time from a later one after its quarantine was lifted."""

    version: str
    occasion: int = 0


@dataclass(frozen=True)
class Sight:
    """What one look at a registry came to: the newest version that counts, what is done about the new ones, and what is asked for."""

    found: str = ""
    findings: tuple[Finding, ...] = ()
    wanted: Wanted | None = None


def discover(terms: Terms, listing: Listing, known: Known) -> Sight:
    """What the watch makes of the listing: at most one version is wanted, the newest that nobody said no to."""
    fitting = find_fitting(terms, listing)
    found, new = (str(fitting[0]) if fitting else ""), find_new(fitting, known)
    if terms.action is Action.RECORD or not known.serving:
        return Sight(found, tuple(_record(new, terms, known)))
    findings: list[Finding] = []
    chosen: Finding | None = None
    for version in map(str, new):
        finding = _said_no(version, known) or _passed(version, chosen, known)
        if finding is None:
            finding = chosen = _asked(version, terms.action, known) or Finding(version, Done.WAITING)
        findings.append(finding)
    wanted = chosen.version if chosen and chosen.operation is None else None
    return Sight(found, tuple(findings), Wanted(wanted, known.lifted.get(wanted, 0)) if wanted else None)


def find_fitting(terms: Terms, listing: Listing) -> list[Version]:
    """The versions that count, newest first: in the range, with a checksum, and not deprecated by their publisher.

    A prerelease counts where the range names one, or where the terms ask for them and the release that it leads to is in the range.
    """
    spec, named = NpmSpec(terms.version), NAMES_A_PRERELEASE.search(terms.version)

    def counts(one: Version) -> bool:
        if not one.prerelease:
            return one in spec
        # The library lets 2.0.0-rc.1 into <2, so it is asked only where a prerelease is named.
        return bool((named and one in spec) or (terms.prereleases and one.truncate() in spec))

    offered = [version for one in listing.releases if one.integrity and not one.deprecated for version in _read(one.version)]
    return sorted(filter(counts, offered), reverse=True)


def find_new(fitting: list[Version], known: Known) -> list[Version]:
    """The versions above the one that serves; where nothing serves, above the newest seen, and at the first look the newest alone."""
    floor = max(_read(known.serving), default=None) or max((one for seen in known.seen for one in _read(seen)), default=None)
    return fitting[:1] if floor is None else [one for one in fitting if one > floor][:MOST]


def _record(new: Iterable[Version], terms: Terms, known: Known) -> Iterator[Finding]:
    for version in map(str, new):
        if version not in known.seen:
            waits = terms.action is not Action.RECORD
            yield Finding(version, Done.WAITING, NOTHING_SERVES) if waits else Finding(version, Done.RECORDED)


def _said_no(version: str, known: Known) -> Finding | None:
    if version in known.quarantined:
        return Finding(version, Done.QUARANTINED, f"it was rolled back here: {known.quarantined[version]}")
    for one in known.tried:
        if one.version == version and one.code in REFUSALS:
            return Finding(version, Done.REFUSED, one.message, one.operation)
    return None


def _passed(version: str, chosen: Finding | None, known: Known) -> Finding | None:
    """A version that a newer one stood before is not gone back to: what came after it was what people were asked about."""
    if chosen:
        return Finding(version, Done.PASSED_OVER, f"{chosen.version} is newer")
    if known.seen.get(version) is Done.PASSED_OVER:
        return Finding(version, Done.PASSED_OVER, "a newer one was chosen before")
    return None


def _asked(version: str, action: Action, known: Known) -> Finding | None:
    """The operation that was asked for because of a watch already, unless the version was let out of its quarantine since."""
    for one in known.tried:
        mine = (one.actor, one.verb, one.version) == (ACTOR, action.value, version)
        if mine and one.asked_at >= known.lifted.get(version, 0):
            return Finding(version, ASKED[action], one.message, one.operation)
    return None


def _read(version: str) -> Iterator[Version]:
    try:
        yield Version(version)
    except ValueError:
        return
