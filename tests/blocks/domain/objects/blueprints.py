"""Blueprints made short."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from blocks.domain.manifest import InstallRequest
from blocks.domain.mesh import Mesh
from blocks.domain.objects.blueprint import RUNTIMES, Blueprint, Site
from blocks.domain.release import Release

SITE = Site(
    gateway_name="contour",
    gateway_namespace="projectcontour",
    gateway_domain="localhost",
    gateway_scheme="http",
    gateway_port=":8888",
    gateway_cidrs=("10.244.0.1/32",),
    dns_cidrs=("10.96.0.10/32", "10.244.0.1/32"),
    database_host="10.244.0.1",
    database_port=15432,
    progress_deadline=300,
)
NAMES = {"backend": "@backstage/plugin-proxy-backend", "frontend": "@backstage/plugin-catalog", "service": "hello"}


def make_blueprint(runtime: str = "frontend", *, revision: int = 1, **asked: Any) -> Blueprint:
    """A blueprint with the defaults that most tests want; the rest is put into the request, `plugin` into its plugin."""
    plugin = {"name": NAMES[runtime], "runtime": {"type": runtime}} | asked.pop("plugin", {})
    source = {"source": {"type": "folder", "path": "hello"}} if runtime == "service" else {}
    request = InstallRequest.model_validate({"plugin": plugin, **source, **asked})
    return Blueprint(
        request=request,
        release=Release(request.plugin.name, "1.2.3", "sha512-abc", "somewhere"),
        image="registry:5000/plugins/it@sha256:0",
        installation=UUID(int=1),
        revision=revision,
        serving=RUNTIMES[request.plugin.runtime.type],
        site=SITE,
    )


def make_plain_blueprint(runtime: str = "frontend", *, revision: int = 1, **asked: Any) -> Blueprint:
    """The same where nothing but plain Services leads people."""
    return replace(make_blueprint(runtime, revision=revision, **asked), site=replace(SITE, mesh=Mesh.SERVICES))
