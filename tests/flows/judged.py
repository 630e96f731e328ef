"""How a play must end, and the one judge of all plays: the same few things are asked of each world at the end."""

import asyncio
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from blocks.catalog.audit import Audit
from blocks.domain.journal import Phase
from blocks.domain.objects.labels import INSTALLATION, stamp_of
from blocks.domain.status import InstallationView
from tests.fakes.cluster import FakeCluster
from tests.flows.conftest import PLUGIN, Outside
from tests.flows.standing import REVISIONED, replicas, weights

# Seconds in which the cluster's controllers have followed what was written; it takes them milliseconds.
FOLLOWED = 10
OF_REVISION = re.compile(r".*-r(?P<number>[0-9]+)(?P<pod>-[0-9]+)?$")


@dataclass(frozen=True)
class Ending:
    """What is to be seen at the end, by revision: which one serves, the replicas of all there are, and the share of those with requests.

    `kept` are the versions in quarantine; `code` is that of the reason, nothing where there is none.
    """

    phase: Phase = Phase.SUCCEEDED
    serves: int = 2
    replicas: Mapping[int, int] = field(default_factory=lambda: {1: 0, 2: 1})
    weights: Mapping[int, int] = field(default_factory=dict)
    code: str = ""
    kept: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What was seen, in the words of the ending."""

    phase: Phase
    serves: int
    replicas: Mapping[int, int]
    pods: Mapping[int, int]
    weights: Mapping[int, int]
    code: str
    kept: tuple[str, ...]
    orphans: tuple[str, ...]
    broken: tuple[Any, ...]


async def judge(outside: Outside, seen: InstallationView, ending: Ending) -> None:
    """Assert the ending; whatever the play was, the chain is whole and no revision has left anything that is not wanted."""
    await settle(outside.cluster)
    pods = {number: count for number, count in ending.replicas.items() if count}
    wanted = Verdict(
        phase=ending.phase,
        serves=ending.serves,
        replicas=ending.replicas,
        pods=pods,
        weights=ending.weights or {ending.serves: 100},
        code=ending.code,
        kept=ending.kept,
        orphans=(),
        broken=(),
    )
    assert await look(outside, seen) == wanted


async def look(outside: Outside, seen: InstallationView) -> Verdict:
    """What there is to see of the installation."""
    cluster, operation = outside.cluster, seen.operation
    kept = await outside.views.quarantines(seen.id)
    return Verdict(
        phase=operation.phase,
        serves=seen.revision.number if seen.revision else 0,
        replicas=_numbered(replicas(cluster)),
        pods=pods_of(cluster),
        weights=_numbered(weights(cluster)),
        code=operation.reason.code if operation.reason else "",
        kept=tuple(sorted(one.release.removeprefix(f"{PLUGIN}@") for one in kept if not one.lifted_at)),
        orphans=orphans(cluster, seen),
        broken=tuple(await Audit(outside.engine, outside.seals).verify()),
    )


def orphans(cluster: FakeCluster, seen: InstallationView) -> tuple[str, ...]:
    """What stands in the installation's name and belongs to no revision that is there, or is not whole."""
    mine = [
        key
        for key, found in cluster.store.objects.items()
        if stamp_of(found, INSTALLATION) == str(seen.id) and key[0] in REVISIONED
    ]
    by_number = Counter(name for _, _, name in mine if OF_REVISION.match(name))
    whole = set(replicas(cluster))
    return tuple(sorted(name for name, parts in by_number.items() if name not in whole or parts != len(REVISIONED)))


def pods_of(cluster: FakeCluster) -> dict[int, int]:
    """How many pods each revision has."""
    named = [OF_REVISION.match(name) for plural, _, name in cluster.store.objects if plural == "pods"]
    return dict(sorted(Counter(int(one["number"]) for one in named if one).items()))


async def settle(cluster: FakeCluster) -> None:
    """The controllers have done what was wanted of them; what they never do is seen by whoever looks next."""
    try:
        async with asyncio.timeout(FOLLOWED):
            while pods_of(cluster) != {number: count for number, count in _numbered(replicas(cluster)).items() if count}:
                await asyncio.sleep(0.01)
    except TimeoutError:
        return


def _numbered(by_name: Mapping[str, int]) -> dict[int, int]:
    return {int(found["number"]): count for name, count in sorted(by_name.items()) if (found := OF_REVISION.match(name))}
