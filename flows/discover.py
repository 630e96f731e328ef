"""From what registries have to what watches want: new releases are recorded, and planned or asked for where a watch says so."""

from uuid import UUID

from prefect import flow

from blocks.discovery import open_discovery
from blocks.settings import read_settings
from tasks.discover import look_at_watches, report_discovery


@flow(name="discover-plugins")
async def discover_plugins(watch: UUID | None = None) -> None:
    """Look at every watch that is enabled, or at this one, enabled or not; what is asked for is carried by runs of its own."""
    async with open_discovery(read_settings()) as discovery:
        looks = await look_at_watches(discovery, watch)
    await report_discovery(looks)
