"""Asking a plugin as whoever uses it does: through the gateway, or, where there is none, by its Service's own name in the cluster."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from blocks.cluster.proxy import open_service_web
from blocks.domain.service_host import ServiceHost
from blocks.ports.cluster import Reply, Web
from blocks.settings import Settings
from blocks.sources.known import trust
from blocks.web import open_web


class PluginWeb:
    """The gateway and the Services of one environment; implements `blocks.ports.cluster.Web`."""

    def __init__(self, gateway: Web, services: Web) -> None:
        self._gateway, self._services = gateway, services

    async def ask(self, host: str, path: str, headers: Mapping[str, str] | None = None) -> Reply:
        """What the host answers, asked where it is known."""
        return await (self._services if ServiceHost.read(host) else self._gateway).ask(host, path, headers)


@asynccontextmanager
async def open_plugin_web(settings: Settings) -> AsyncIterator[PluginWeb]:
    """Both, as the settings say."""
    gateway = open_web(settings.gateway_url, trust(settings.extra_ca_bundle))
    async with gateway as through, open_service_web(settings.kubeconfig) as services:
        yield PluginWeb(through, services)
