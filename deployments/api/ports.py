"""What the API needs from the rest, and no more: the seam that its tests replace.

To add a component to `/api/v1/status`: give `Ports.probes` one more `Probe` under its name; readiness asks only the database.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from blocks.catalog.operations import Requested
from blocks.catalog.views import Counts, Page, Wanted
from blocks.domain.manifest import InstallRequest
from blocks.domain.status import InstallationView, OperationView


class Operations(Protocol):
    """Where wishes are recorded."""

    async def request_install(self, request: InstallRequest, actor: str, key: str | None) -> Requested:
        """Record the wish to install, or return the operation that already answers it."""

    async def request_uninstall(self, installation: UUID, actor: str, *, drop_data: bool) -> Requested:
        """Record the wish to uninstall, or return the uninstall that is on its way."""


class Views(Protocol):
    """What the record shows to people."""

    async def installation(self, installation: UUID) -> InstallationView | None:
        """One installation with the steps of its newest operation, or None."""

    async def installations(self, wanted: Wanted, limit: int, after: str | None) -> Page:
        """At most `limit` installations after the cursor, without steps."""

    async def operation(self, operation: UUID) -> OperationView | None:
        """One operation with its steps, or None."""

    async def counts(self) -> Counts:
        """How many installations and operations there are, and how long the ended ones took in seconds."""


# Starts the run that carries an operation; raises `Transient` when the operation has to wait in the database.
Dispatch = Callable[[UUID], Awaitable[None]]
# The last so many lines of the plugin's own pods, in pieces as they arrive.
Logs = Callable[[InstallationView, int], AsyncIterator[str]]
# Asks one component whether it answers: a sentence about it, or a `PipelineError`.
Probe = Callable[[], Awaitable[str]]


@dataclass(frozen=True)
class Ports:
    """Everything that the API reaches; `prefect_ui` is the address of Prefect's pages without a slash at its end."""

    operations: Operations
    views: Views
    dispatch: Dispatch
    logs: Logs
    probes: Mapping[str, Probe]
    prefect_ui: str
