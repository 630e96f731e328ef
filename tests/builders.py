"""Requests, entries and chains made short; plain functions with the defaults that most tests want."""

from typing import Any
from uuid import UUID

from blocks.domain.journal import Entry, Kind
from blocks.domain.manifest import InstallRequest

OPERATION = UUID(int=1)
Said = tuple[str, Kind, int, str]


def make_request(**changes: Any) -> InstallRequest:
    """A valid request for a frontend plugin; `plugin` changes are merged."""
    plugin = {"name": "@backstage/plugin-catalog", "version": "2.0.8", "runtime": {"type": "frontend"}} | changes.pop(
        "plugin", {}
    )
    return InstallRequest.model_validate({"plugin": plugin, **changes})


def make_chain(said: list[Said]) -> list[Entry]:
    """Sealed entries, one after the other, a second apart."""
    entries: list[Entry] = []
    for seq, (step, kind, token, payload) in enumerate(said, 1):
        prev = entries[-1].hash if entries else ""
        entries.append(Entry(OPERATION, seq, step, kind, token, "ann", seq * 1000, payload, prev).sealed())
    return entries
