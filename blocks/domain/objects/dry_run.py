"""The namespaces in which objects are tried whose own namespace is not there yet: one for each environment, bounded like the real ones.

To try in another environment: give it its row in `tenancy.LIMITS`.
"""

from uuid import UUID

from blocks.domain import naming
from blocks.domain.manifest import InstallRequest
from blocks.domain.objects import tenancy
from blocks.domain.objects.blueprint import RUNTIMES, Blueprint, Object, Site
from blocks.domain.objects.labels import INSTALLATION, OPERATION, REVISION
from blocks.domain.objects.network import deny_all
from blocks.domain.release import Release

# No tenant has this name: nothing is ever installed there.
TENANT = "plugin-pipeline-dry-run"
# Nothing of what stands there depends on what is around the cluster.
_NOWHERE = Site("", "", "", "", "", (), (), "", 0, 0)


def stand_in(environment: str) -> str:
    """The namespace in which an environment's objects are tried."""
    return naming.namespace(TENANT, environment)


def stand_in_objects(environment: str) -> tuple[Object, ...]:
    """The namespace with the quota, the limits and the closed doors of a tenant's, in the order in which they come up."""
    plugin = {"name": "nobody", "runtime": {"type": "frontend"}}
    request = InstallRequest.model_validate({"plugin": plugin, "tenant": TENANT, "environment": environment})
    nobody = Blueprint(
        request=request,
        release=Release("nobody", "0", "", ""),
        image="",
        installation=UUID(int=0),
        revision=0,
        serving=RUNTIMES[request.plugin.runtime.type],
        site=_NOWHERE,
    )
    made = (tenancy.namespace(nobody), tenancy.quota(nobody), tenancy.limit_range(nobody), deny_all(nobody))
    return tuple(_without_maker(one) for one in made)


def _without_maker(found: Object) -> Object:
    said = found["metadata"]["annotations"]
    kept = {key: value for key, value in said.items() if key not in (INSTALLATION, OPERATION, REVISION)}
    return found | {"metadata": found["metadata"] | {"annotations": kept}}
