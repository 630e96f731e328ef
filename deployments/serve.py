"""The API's process: four ports, one server, one clean stop.

Run it with `python -m deployments.serve`. One uvicorn listens on all sockets and the port decides which application answers, so that
one signal stops them all: requests on their way are answered, the database is closed, the exit code is 0.
"""

import asyncio
import logging.config
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from types import MappingProxyType

import httpx
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from blocks.catalog.audit import Audit
from blocks.catalog.database import open_database
from blocks.catalog.neighbours import Neighbours
from blocks.catalog.operations import Operations
from blocks.catalog.plugin_sets import PluginSets
from blocks.catalog.requests import Requests
from blocks.catalog.set_requests import SetRequests
from blocks.catalog.slots import Slots
from blocks.catalog.starts import Starts
from blocks.catalog.timeline import Timelines
from blocks.catalog.views import Views
from blocks.catalog.waivers import Waivers
from blocks.catalog.watches import Watches
from blocks.catalog.words import Words
from blocks.domain.errors import PipelineError, Refused
from blocks.domain.pools import Pools
from blocks.settings import Settings, read_settings
from blocks.storage import FolderStorage
from blocks.toolchain import open_seals
from deployments.api.app import make_app
from deployments.api.health import make_health
from deployments.api.identity import Expected, Verifier, read_verifier
from deployments.api.metrics import Traffic, make_metrics
from deployments.api.pods import cluster_probe, find_own_pods, find_sides, read_pods
from deployments.api.ports import Ports
from deployments.api.probes import page_probe, record_probe
from deployments.api.recorded import JsonLines
from deployments.closed import Closed
from deployments.dispatch import Dispatch

# Seconds that requests on their way get once the process is told to stop.
GRACE = 10
PROBE_SECONDS = 2.5
LOG = logging.getLogger("plugin-pipeline.api")


class ByPort:
    """One application for each port."""

    def __init__(self, apps: Mapping[int, ASGIApp]) -> None:
        self._apps = dict(apps)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application of the port answer that the request came in on."""
        await self._apps[scope["server"][1]](scope, receive, send)


@asynccontextmanager
async def open_ports(settings: Settings) -> AsyncIterator[Ports]:
    """What the API reaches, as the settings say; nothing is asked before the first request, so that it starts without the world."""
    engine, seals = open_database(settings.database_url), open_seals(settings)
    views = Views(engine)
    connect = partial(httpx.AsyncClient, timeout=PROBE_SECONDS)
    probes = {
        "database": record_probe(views),
        "prefect": page_probe(f"{settings.prefect_api_url}/health", connect),
        "cluster": cluster_probe(settings.kubeconfig),
        "registry": page_probe(f"http://{settings.registry}/v2/", connect),
        "prometheus": page_probe(f"{settings.prometheus_url}/-/ready", connect),
    }
    yield Ports(
        requests=Requests(engine),
        words=Words(engine, seals),
        views=views,
        orders=Operations(engine),
        set_requests=SetRequests(engine),
        sets=PluginSets(engine, seals),
        neighbours=Neighbours(engine),
        timelines=Timelines(engine),
        watches=Watches(engine),
        waivers=Waivers(engine),
        audit=Audit(engine, seals),
        documents=FolderStorage(settings.storage_dir),
        dispatch=Dispatch(Starts(engine), Slots(engine, settings.max_applying), Pools.read(settings.work_pools)),
        logs=partial(read_pods, settings.kubeconfig),
        pods=partial(find_own_pods, settings.kubeconfig),
        sides=partial(find_sides, settings.kubeconfig),
        probes=probes,
        prefect_ui=settings.prefect_api_url.rstrip("/").removesuffix("/api"),
    )
    await engine.dispose()


def make_apps(ports: Ports, verifier: Verifier) -> tuple[ASGIApp, ...]:
    """The API, the health checks, the metrics, and the answer of disabled plugins."""
    traffic = Traffic()
    needed = {"database": ports.probes["database"]}
    closed = Closed(ports.views.installation)
    return make_app(ports, verifier, traffic.count), make_health(needed), make_metrics(traffic, ports.views), closed


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens, or `Refused` if the address is taken; port 0 lets the system choose."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as problem:
        raise Refused(f"{host}:{port} cannot be listened on: {problem.strerror}", "see what else runs there") from problem


async def serve(settings: Settings) -> None:
    """Answer on all ports until SIGTERM or SIGINT."""
    verifier = read_verifier(settings.jwt_public_key, Expected(settings.jwt_issuer, settings.jwt_audience))
    sockets = [listen(settings.api_host, port) for port in (settings.api_port, settings.health_port, settings.metrics_port)]
    sockets.append(listen(settings.closed_host, settings.closed_port))
    numbers = [each.getsockname()[1] for each in sockets]
    async with open_ports(settings) as ports:
        app = ByPort(dict(zip(numbers, make_apps(ports, verifier), strict=True)))
        config = uvicorn.Config(
            app, lifespan="off", access_log=False, log_config=None, server_header=False, timeout_graceful_shutdown=GRACE
        )
        LOG.info("listening", extra=dict(zip(("api", "health", "metrics", "closed"), numbers, strict=True)))
        await uvicorn.Server(config).serve(sockets)


def main() -> None:
    """Serve as the environment says; a wrong setting ends the process with a sentence and code 1."""
    logging.config.dictConfig(dict(LOGGING))
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn stops and then hands the signal on to whoever had it before: that is this, so that a clean stop exits with 0.
        signal.signal(number, lambda *_: None)
    try:
        asyncio.run(serve(read_settings()))
    except PipelineError as problem:
        LOG.critical("the API does not start: %s", problem)
        sys.exit(1)


LOGGING: Mapping[str, object] = MappingProxyType(
    {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonLines}},
        "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stdout"}},
        "root": {"handlers": ["out"], "level": "INFO"},
        "loggers": {"httpx": {"level": "WARNING"}, "prefect": {"level": "WARNING"}, "uvicorn.error": {"level": "WARNING"}},
    }
)

if __name__ == "__main__":
    main()
