"""The account of an operation, kept beside its flow run for people who look there."""

from uuid import UUID

from prefect.artifacts import acreate_markdown_artifact

from blocks.catalog.database import open_database
from blocks.catalog.operations import Operations
from blocks.catalog.views import Views
from blocks.domain.account import Links, give_account
from blocks.settings import Settings


async def report_operation(settings: Settings, operation: UUID) -> None:
    """Keep the account of the operation's installation as a Markdown artifact of this flow run; nothing depends on it."""
    engine = open_database(settings.database_url)
    try:
        order = await Operations(engine).order(operation)
        view = await Views(engine).installation(order.installation)
    finally:
        await engine.dispose()
    if view is None:
        return
    plugin = view.revision.url if view.revision else ""
    links = Links(plugin, f"http://{settings.api_host}:{settings.api_port}/api/v1/installations/{view.id}", "")
    await acreate_markdown_artifact(key=f"account-{view.slug}", markdown=give_account(view, links))
