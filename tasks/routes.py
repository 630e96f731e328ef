"""How people are led to a plugin: by what the cluster has for it, and never where a route is wrong or a host is somebody else's."""

from collections.abc import Mapping
from typing import Any

from blocks.domain.mesh import Mesh, choose_mesh
from blocks.domain.objects.checked import Known, objections, refuse_objections
from blocks.domain.objects.phases import Phase, every
from blocks.domain.plain import refuse_change
from blocks.domain.plan import objects_of
from blocks.domain.ratio import is_plain
from blocks.domain.replaced import Replaced
from blocks.ports.cluster import View
from blocks.work import Work


async def look_up_mesh(work: Work) -> Mesh:
    """What carries requests in this cluster; `Refused` where it cannot be what the settings say."""
    return choose_mesh(work.tools.settings.service_mesh_provider, await work.tools.cluster.groups())


async def check_routes(work: Work, hashed: Mapping[str, Any], replaced: Replaced) -> None:
    """The planned route leads where something is, and nobody else holds its host; otherwise `Refused` with everything against it."""
    staged = objects_of(hashed)
    refuse_change([*staged[Phase.EXPOSURE], *replaced.staged.get(Phase.EXPOSURE, ())])
    others = [] if is_plain(hashed) else await work.tools.cluster.find(View("HTTPRoute"))
    known = Known(hashed["names"]["host"], [*every(staged), *replaced.objects], others)
    refuse_objections(objections(staged[Phase.EXPOSURE], known))
