"""What a plugin needs of the other plugins of its tenant, and which of them need it: read from what serves."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from blocks.domain.watch import Spot


@dataclass(frozen=True)
class Neighbour:
    """A plugin that serves for a tenant: the release as `name@version`, whether it is enabled, and the plugins it cannot do without."""

    installation: UUID
    environment: str
    plugin: str
    release: str
    enabled: bool
    needs: tuple[str, ...]


@dataclass(frozen=True)
class Need:
    """A plugin that is needed: the release that serves, empty if none does, and whether it can be relied on."""

    plugin: str
    release: str = ""
    available: bool = False


@dataclass(frozen=True)
class Dependencies:
    """What is needed, who needs it, and what stands in the way; `read_in` is the environment whose record says so, empty if none does."""

    read_in: str
    needs: tuple[Need, ...]
    needed_by: tuple[str, ...]
    conflicts: tuple[str, ...]

    @property
    def valid(self) -> bool | None:
        """Whether nothing stands in the way; None where what is needed is not known."""
        if self.conflicts:
            return False
        return True if self.read_in else None


def find_neighbour(spot: Spot, neighbours: Iterable[Neighbour]) -> Neighbour | None:
    """The plugin of the spot itself, if it serves there, or else in another environment of the tenant."""
    same = [one for one in neighbours if one.plugin == spot.plugin]
    return min(same, key=lambda one: (one.environment != spot.environment, one.environment), default=None)


def see_dependencies(spot: Spot, neighbours: tuple[Neighbour, ...], refused: str = "") -> Dependencies:
    """What stands in the way of a release of the plugin; `refused` says why that release itself is not tried there, if it is not."""
    own, beside = find_neighbour(spot, neighbours), {one.plugin: one for one in neighbours if one.environment == spot.environment}
    needs = tuple(_see(name, beside.get(name)) for name in (own.needs if own else ()))
    here = beside.get(spot.plugin)
    disabled = [f"{spot.plugin} is disabled there: enable it before it is updated"] if here and not here.enabled else []
    lacks = [f"{one.plugin} {'is disabled' if one.release else 'does not serve'} there" for one in needs if not one.available]
    return Dependencies(
        read_in=own.environment if own else "",
        needs=needs,
        needed_by=tuple(sorted(one.plugin for one in beside.values() if spot.plugin in one.needs)),
        conflicts=(*([refused] if refused else []), *disabled, *lacks),
    )


def _see(name: str, found: Neighbour | None) -> Need:
    return Need(name, found.release, found.enabled) if found else Need(name)
