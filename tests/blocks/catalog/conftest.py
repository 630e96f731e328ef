"""The record on both databases; what it keeps outside goes to a folder of the test's own."""

from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.blocks.catalog.records import Record, make_record


@pytest.fixture
async def record(engine: AsyncEngine, tmp_path: Path) -> Record:
    """One operation in an otherwise empty record."""
    return await make_record(engine, tmp_path)
