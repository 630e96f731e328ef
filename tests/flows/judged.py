"""How a play must end, and the one judge of all plays: the same few things are asked of each world at the end."""

import asyncio
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from blocks.catalog.audit import Audit
from blocks.domain.journal import Phase
from blocks.domain.objects.labels import INSTALLATION, REVISION, stamp_of
from blocks.domain.status import InstallationView
from tests.flows.life import Life
from tests.flows.standing import REVISIONED, replicas, weights
from tests.flows.teller import Standing

OF_REVISION = re.compile(r".*-r(?P<number>[0-9]+)$")


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


async def judge(life: Life, seen: InstallationView, ending: Ending) -> None:
    """Assert the ending; whatever the play was, the chain is whole and no revision has left anything that is not wanted."""
    await settle(life)
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
    assert await look(life, seen) == wanted, seen.operation.reason


async def look(life: Life, seen: InstallationView) -> Verdict:
    """What there is to see of the installation."""
    stands, outside, operation = await life.stands(), life.outside, seen.operation
    kept = await outside.views.quarantines(seen.id)
    return Verdict(
        phase=operation.phase,
        serves=seen.revision.number if seen.revision else 0,
        replicas=_numbered(replicas(stands)),
        pods=pods_of(stands),
        weights=_numbered(weights(stands)),
        code=operation.reason.code if operation.reason else "",
        kept=tuple(sorted(one.release.rpartition("@")[2] for one in kept if not one.lifted_at)),
        orphans=orphans(stands, seen),
        broken=tuple(await Audit(outside.engine, outside.seals).verify()),
    )


def orphans(stands: Standing, seen: InstallationView) -> tuple[str, ...]:
    """What stands in the installation's name and belongs to no revision that is there, or is not whole."""
    mine = [
        key
        for key, found in stands.store.objects.items()
        if stamp_of(found, INSTALLATION) == str(seen.id) and key[0] in REVISIONED
    ]
    by_number = Counter(name for _, _, name in mine if OF_REVISION.match(name))
    whole = set(replicas(stands))
    return tuple(sorted(name for name, parts in by_number.items() if name not in whole or parts != len(REVISIONED)))


def pods_of(stands: Standing) -> dict[int, int]:
    """How many pods each revision has."""
    pods = [found for (plural, _, _), found in stands.store.objects.items() if plural == "pods"]
    return dict(sorted(Counter(int(one["metadata"]["labels"][REVISION]) for one in pods).items()))


async def settle(life: Life) -> None:
    """The controllers have done what was wanted of them; what they never do is seen by whoever looks next."""
    try:
        async with asyncio.timeout(life.pace.followed):
            while not has_followed(await life.stands()):
                await asyncio.sleep(life.pace.look_every)
    except TimeoutError:
        return


def has_followed(stands: Standing) -> bool:
    """Whether every revision has the pods that are wanted of it."""
    return pods_of(stands) == {number: count for number, count in _numbered(replicas(stands)).items() if count}


def _numbered(by_name: Mapping[str, int]) -> dict[int, int]:
    return {int(found["number"]): count for name, count in sorted(by_name.items()) if (found := OF_REVISION.match(name))}
