"""Bring the database to the newest schema before anything of the product starts: `python -m deployments.schema`."""

import asyncio
import sys

from blocks.catalog.database import open_database
from blocks.catalog.migrate import migrate
from blocks.domain.errors import PipelineError
from blocks.settings import read_settings


async def main() -> None:
    """Migrate the configured database; a second run changes nothing. Exits with 1 and a sentence when it is not ours to migrate."""
    engine = open_database(read_settings().database_url)
    try:
        await migrate(engine)
    except PipelineError as problem:
        sys.exit(str(problem))
    finally:
        await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
