"""What the API needs from the rest, and no more: the seam that its tests replace.

To add a component to `/api/v1/status`: give `Ports.probes` one more `Probe` under its name; readiness asks only the database.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from blocks.catalog.operations import Order
from blocks.catalog.plugin_sets import SetView
from blocks.catalog.requests import Asked, Requested
from blocks.catalog.set_requests import SetRequested
from blocks.catalog.timeline import TimelinePage
from blocks.catalog.views import Counts, Page, Wanted
from blocks.catalog.waivers import WaiverPage, WantedWaivers
from blocks.catalog.watches import WantedWatches, WatchPage
from blocks.domain.approval import Speaker
from blocks.domain.audit import Broken
from blocks.domain.deployment import Deployment
from blocks.domain.journal import Phase
from blocks.domain.manifest import InstallRequest
from blocks.domain.neighbours import Neighbour
from blocks.domain.plugin_sets import SetRequest
from blocks.domain.status import InstallationView, OperationView, PastRevision, QuarantineView
from blocks.domain.traffic import Side
from blocks.domain.waivers import Waiver, Waiving
from blocks.domain.watch import Spot, Terms, Watch


class Requests(Protocol):
    """Where wishes are recorded; each answers with the operation that is begun, or with the one that answers the wish already."""

    async def request_install(self, request: InstallRequest, by: Asked, plan_hash: str | None = None) -> Requested:
        """Record the wish to install, or to update what serves; with a plan's hash nothing but that plan."""

    async def request_plan(self, request: InstallRequest, by: Asked) -> Requested:
        """Record the wish to see what installing would do."""

    async def request_deployment(self, wanted: Deployment, by: Asked) -> Requested:
        """Record the wish to install or update as the deployment says, and all else as it was asked for."""

    async def request_uninstall(self, installation: UUID, by: Asked, *, drop_data: bool = False) -> Requested:
        """Record the wish to uninstall."""

    async def request_rollback(self, installation: UUID, by: Asked, revision: int | None = None) -> Requested:
        """Record the wish to go back to the revision, or to the last good one."""

    async def request_switch(self, installation: UUID, by: Asked, verb: str) -> Requested:
        """Record the wish to `enable`, `disable` or `reload`."""

    async def request_again(self, operation: UUID, by: Asked) -> Requested:
        """Record once more what an operation asked for that was withdrawn."""

    async def lift_quarantine(self, installation: UUID, release: str, by: Asked) -> None:
        """Let the release be tried again on the installation."""


class Words(Protocol):
    """Where people have a say on an operation; each answers with the phase in which the word leaves it.

    The same word with the same `key` is said once, whatever came of it since.
    """

    async def approve(self, operation: UUID, speaker: Speaker, plan_hash: str, comment: str, *, key: str | None = None) -> Phase:
        """Vote for the plan with this hash, and approve it when the quorum is full."""

    async def refuse(self, operation: UUID, speaker: Speaker, plan_hash: str, comment: str, *, key: str | None = None) -> Phase:
        """Refuse the plan with this hash."""

    async def cancel(self, operation: UUID, speaker: Speaker, reason: str, *, key: str | None = None) -> Phase:
        """Take the operation over from whoever carries it, and back."""

    async def freeze(self, operation: UUID, speaker: Speaker, reason: str, *, key: str | None = None) -> Phase:
        """Stop the operation where it stands."""

    async def unfreeze(self, operation: UUID, speaker: Speaker, reason: str, *, key: str | None = None) -> Phase:
        """Let the operation go on where it stood."""

    async def promote(
        self, operation: UUID, speaker: Speaker, reason: str, *, fully: bool = False, key: str | None = None
    ) -> Phase:
        """Let the stage that is watched be good enough, and with `fully` all but the last that follow it."""

    async def retry(
        self, operation: UUID, speaker: Speaker, reason: str, *, accept_remaining: bool, key: str | None = None
    ) -> Phase:
        """Try again what froze, or leave a step that cannot be taken back as it is."""


class Views(Protocol):
    """What the record shows to people."""

    async def installation(self, installation: UUID) -> InstallationView | None:
        """One installation with the steps of its newest operation, or None."""

    async def installations(self, wanted: Wanted, limit: int, after: str | None) -> Page:
        """At most `limit` installations after the cursor, without steps."""

    async def operation(self, operation: UUID) -> OperationView | None:
        """One operation with its steps, or None."""

    async def waiting(self, tenants: frozenset[str] | None) -> tuple[InstallationView, ...]:
        """The installations of these tenants whose operation waits for an approval, the longest first."""

    async def revisions(self, installation: UUID) -> tuple[PastRevision, ...]:
        """What served and serves on the installation, the last first."""

    async def quarantines(self, installation: UUID) -> tuple[QuarantineView, ...]:
        """The releases that are or were in quarantine there, the last first."""

    async def counts(self) -> Counts:
        """How many installations and operations there are, and how long the ended ones took in seconds."""


class SetRequests(Protocol):
    """Where several plugins are asked for as one."""

    async def request_set(self, wanted: SetRequest, by: Asked) -> SetRequested:
        """Record every plugin of the set as an operation of its own, or none of them."""


class Sets(Protocol):
    """What was asked for as one."""

    async def plugin_set(self, plugin_set: UUID) -> SetView | None:
        """One set with its plugins in order, or None."""


class Orders(Protocol):
    """What operations are to carry out."""

    async def order(self, operation: UUID) -> Order:
        """The verb, the request it came with and the number of its revision, or `Terminal` if there is no such operation."""


class Neighbours(Protocol):
    """Which plugins stand beside each other."""

    async def neighbours(self, tenant: str) -> tuple[Neighbour, ...]:
        """Every plugin that serves for the tenant, in every environment, by environment and name."""


class Timelines(Protocol):
    """Everything that ever happened on an installation."""

    async def page(self, installation: UUID, after: int, limit: int) -> TimelinePage:
        """At most `limit` moments after so many, in their order."""


class Watches(Protocol):
    """Whose releases are looked for, and what a new one leads to."""

    async def set_watch(self, spot: Spot, terms: Terms, by: Asked) -> tuple[Watch, bool]:
        """The watch of the spot, and whether it is new."""

    async def change_watch(self, watch: UUID, said: Terms, by: Asked) -> Watch:
        """The watch with what was said in the terms, and all else as it was."""

    async def remove_watch(self, watch: UUID) -> None:
        """Nobody looks any more."""

    async def watch(self, watch: UUID) -> Watch | None:
        """One watch with the releases that it found, or None."""

    async def watches(self, wanted: WantedWatches, limit: int, after: str | None) -> WatchPage:
        """At most `limit` watches after the cursor, without what they found."""


class Waivers(Protocol):
    """Which findings somebody answers for."""

    async def waive(self, spot: Spot, what: Waiving, by: Asked) -> Waiver:
        """A new waiver."""

    async def revoke(self, waiver: UUID, by: Asked) -> Waiver:
        """The waiver, which counts no longer."""

    async def waiver(self, waiver: UUID) -> Waiver | None:
        """One waiver, whether it stands or not, or None."""

    async def waivers(self, wanted: WantedWaivers, limit: int, after: str | None) -> WaiverPage:
        """At most `limit` waivers in the order of their ids, after the cursor."""


class Audit(Protocol):
    """The journal of everything, checked and copied out."""

    async def verify(self) -> list[Broken]:
        """Where entries were edited, removed or reordered; nothing if all is as it was written."""

    async def remarks(self) -> list[str]:
        """What is no alarm but worth saying."""

    def export(self) -> AsyncIterator[str]:
        """Every entry as a line of JSON."""


class Documents(Protocol):
    """Where the documents of plans are kept."""

    async def get(self, key: str) -> bytes:
        """What is kept under the key, or `Terminal`."""


# Starts the run that carries an operation; raises `Transient` when the operation has to wait in the database.
Dispatch = Callable[[UUID], Awaitable[None]]
# The last so many lines of the plugin's own pods, in pieces as they arrive.
Logs = Callable[[InstallationView, int], AsyncIterator[str]]
# The installation's own pods, of every revision, as the cluster has them; raises what the cluster raises.
Pods = Callable[[InstallationView], Awaitable[Sequence[Mapping[str, Any]]]]
# Which revisions answer people now, as the cluster has it; raises what the cluster raises.
Sides = Callable[[InstallationView], Awaitable[tuple[Side, ...]]]
# Asks one component whether it answers: a sentence about it, or a `PipelineError`.
Probe = Callable[[], Awaitable[str]]


@dataclass(frozen=True)
class Ports:
    """Everything that the API reaches; `prefect_ui` is the address of Prefect's pages without a slash at its end."""

    requests: Requests
    words: Words
    views: Views
    orders: Orders
    set_requests: SetRequests
    sets: Sets
    neighbours: Neighbours
    timelines: Timelines
    watches: Watches
    waivers: Waivers
    audit: Audit
    documents: Documents
    dispatch: Dispatch
    logs: Logs
    pods: Pods
    sides: Sides
    probes: Mapping[str, Probe]
    prefect_ui: str
