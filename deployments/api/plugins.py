"""Plugins known here: what was installed, in which releases and where."""

from collections.abc import AsyncIterator, Iterable
from itertools import groupby
from operator import attrgetter

from fastapi import APIRouter
from pydantic import Field

from blocks.catalog.views import Wanted
from blocks.domain.status import InstallationView
from deployments.api.shown import INSTALLATIONS, Shown
from deployments.api.visit import OpenVisit, Visit

router = APIRouter(prefix="/api/v1", tags=["plugins"])
AT_ONCE = 500


class Place(Shown):
    """One place where the plugin is or was; `release` is null while nothing serves there."""

    tenant: str
    environment: str
    release: str | None
    link: str


class PluginShown(Shown):
    """One plugin: the releases that serve now and every installation of it."""

    name: str = Field(examples=["@backstage/plugin-catalog"])
    releases: tuple[str, ...] = Field(examples=[["@backstage/plugin-catalog@2.0.8"]])
    installations: tuple[Place, ...]


class PluginList(Shown):
    """Every plugin of the caller's tenants, by name."""

    items: tuple[PluginShown, ...]


@router.get("/plugins")
async def list_plugins(visit: OpenVisit) -> PluginList:
    """The plugins of the caller's tenants, by name, with the releases that serve now."""
    return PluginList(items=tuple(group_plugins([view async for view in _read_all(visit)])))


def group_plugins(views: Iterable[InstallationView]) -> list[PluginShown]:
    """One entry for each plugin, by name."""
    by_name = attrgetter("plugin")
    return [_show(name, tuple(same)) for name, same in groupby(sorted(views, key=by_name), by_name)]


def _show(name: str, views: tuple[InstallationView, ...]) -> PluginShown:
    releases = sorted({view.revision.release for view in views if view.revision})
    return PluginShown(name=name, releases=tuple(releases), installations=tuple(_place(view) for view in views))


def _place(view: InstallationView) -> Place:
    release = view.revision.release if view.revision else None
    return Place(tenant=view.tenant, environment=view.environment, release=release, link=f"{INSTALLATIONS}/{view.id}")


async def _read_all(visit: Visit) -> AsyncIterator[InstallationView]:
    after: str | None = None
    while True:
        page = await visit.ports.views.installations(Wanted(visit.caller.tenants), AT_ONCE, after)
        for view in page.items:
            yield view
        if (after := page.next) is None:
            return
