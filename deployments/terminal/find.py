"""Which installation, watch or waiver is meant: an id, the unambiguous beginning of one, or tenant/environment/plugin."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias
from uuid import UUID

from blocks.domain.naming import slug
from deployments.api.shapes import InstallationShown
from deployments.api.waived import WaiverShown
from deployments.api.watched import WatchShown
from deployments.terminal.exits import ExitCode, Stop
from deployments.terminal.server import Server

BEGINNING = re.compile(r"[0-9a-f][0-9a-f-]{3,35}")
SHOWN = 5
Found: TypeAlias = InstallationShown | WatchShown | WaiverShown
Ask: TypeAlias = Callable[[Mapping[str, str | None]], Iterator[Found]]


def find_installation(server: Server, said: str) -> UUID:
    """The id of the installation, or `Stop` if there is none or more than one."""
    return _find(said, server.installations, ("an installation", "pluginctl list shows what there is"))


def find_watch(server: Server, said: str) -> UUID:
    """The id of the watch, or `Stop` if there is none or more than one."""
    return _find(said, server.watches, ("a watch", "pluginctl watch list shows what there is"))


def find_waiver(server: Server, said: str) -> UUID:
    """The id of the waiver, or `Stop` if there is none or more than one."""
    return _find(said, server.waivers, ("a waiver", "pluginctl waiver list shows what there is"))


def read_spot(said: str) -> dict[str, str]:
    """The three names in tenant/environment/plugin, installed there or not, or `Stop` if it says fewer."""
    tenant, _, rest = said.partition("/")
    environment, _, plugin = rest.partition("/")
    if not plugin:
        raise Stop(ExitCode.WRONG_USE, f"{said} does not name a plugin somewhere", "give tenant/environment/plugin")
    return {"tenant": tenant, "environment": environment, "plugin": plugin}


def _find(said: str, ask: Ask, told: tuple[str, str]) -> UUID:
    tenant, _, rest = said.partition("/")
    environment, _, plugin = rest.partition("/")
    if plugin:
        wanted = ask({"tenant": tenant, "environment": environment})
        return _only(said, [one for one in wanted if plugin in (one.plugin, slug(one.plugin))], told)
    if not BEGINNING.fullmatch(said.lower()):
        hint = "give an id, four or more letters of its beginning, or tenant/environment/plugin"
        raise Stop(ExitCode.WRONG_USE, f"{said} does not name {told[0]}", hint)
    try:
        return UUID(said)
    except ValueError:
        return _only(said, [one for one in ask({}) if str(one.id).startswith(said.lower())], told)


def _only(said: str, found: Sequence[Found], told: tuple[str, str]) -> UUID:
    (_, kind), hint = told[0].split(), told[1]
    if not found:
        raise Stop(ExitCode.NOT_FOUND, f"there is no {kind} {said}", hint)
    if len(found) > 1:
        lines = [f"{one.id} {one.tenant}/{one.environment}/{one.plugin}" for one in found[:SHOWN]]
        raise Stop(ExitCode.WRONG_USE, f"{said} is the beginning of more than one {kind}", "give more of the id", lines)
    return found[0].id
