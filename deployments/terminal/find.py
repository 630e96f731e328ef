"""Which installation is meant: an id, the unambiguous beginning of one, or tenant/environment/plugin."""

import re
from uuid import UUID

from deployments.api.shapes import InstallationShown
from deployments.terminal.exits import ExitCode, Stop
from deployments.terminal.server import Server

BEGINNING = re.compile(r"[0-9a-f][0-9a-f-]{3,35}")
SHOWN = 5


def find_installation(server: Server, said: str) -> UUID:
    """The id of the installation, or `Stop` if there is none or more than one."""
    tenant, _, rest = said.partition("/")
    environment, _, plugin = rest.partition("/")
    if plugin:
        wanted = server.installations({"tenant": tenant, "environment": environment})
        return _only(said, [one for one in wanted if plugin in (one.plugin, one.slug)])
    if not BEGINNING.fullmatch(said.lower()):
        hint = "give an id, four or more letters of its beginning, or tenant/environment/plugin"
        raise Stop(ExitCode.WRONG_USE, f"{said} does not name an installation", hint)
    try:
        return UUID(said)
    except ValueError:
        return _only(said, [one for one in server.installations({}) if str(one.id).startswith(said.lower())])


def _only(said: str, found: list[InstallationShown]) -> UUID:
    if not found:
        raise Stop(ExitCode.NOT_FOUND, f"there is no installation {said}", "pluginctl list shows what there is")
    if len(found) > 1:
        lines = [f"{one.id} {one.tenant}/{one.environment}/{one.plugin}" for one in found[:SHOWN]]
        raise Stop(ExitCode.WRONG_USE, f"{said} is the beginning of {len(found)} installations", "give more of the id", lines)
    return found[0].id
