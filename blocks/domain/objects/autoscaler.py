"""What lets the cluster choose how many pods serve: one HorizontalPodAutoscaler, which moves from one revision to the next."""

from blocks.domain.objects.blueprint import Blueprint, Object
from blocks.domain.objects.labels import own


def autoscalers(blueprint: Blueprint) -> list[Object]:
    """The autoscaler that follows this revision, none where none was asked for.

    It looks at the plugin's own container: what a mesh puts beside it may have no request to be a percentage of.
    """
    asked = blueprint.request.autoscaling
    if asked is None:
        return []
    slowly = asked.scale_down_stabilization_seconds
    target = {"type": "Utilization", "averageUtilization": asked.cpu}
    busy = {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "plugin", "target": target}}
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": blueprint.name},
        "minReplicas": asked.min_replicas,
        "maxReplicas": asked.max_replicas,
        "metrics": [busy],
        "behavior": {"scaleDown": {"selectPolicy": "Max"} | ({} if slowly is None else {"stabilizationWindowSeconds": slowly})},
    }
    metadata = own(blueprint) | {"name": blueprint.slug}
    return [{"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": metadata, "spec": spec}]


def held(autoscaler: Object) -> Object:
    """The autoscaler that makes nothing smaller.

    While a share of the requests goes elsewhere its pods are less busy, and yet all of them may come back in one write.
    """
    spec = autoscaler["spec"]
    down = spec["behavior"]["scaleDown"] | {"selectPolicy": "Disabled"}
    return autoscaler | {"spec": spec | {"behavior": {"scaleDown": down}}}
