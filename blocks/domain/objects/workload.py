"""What runs: pods that may do nothing that *restricted* forbids, and the budget that keeps them when nodes go."""

from typing import Any

from blocks.domain.autoscaling import Range
from blocks.domain.manifest import HealthCheck
from blocks.domain.objects.blueprint import Blueprint, Object
from blocks.domain.objects.configuration import FOLDER, file_name, mounted_secrets
from blocks.domain.objects.labels import OPERATION, own, revision_selector, selector
from blocks.domain.objects.providers import provider_of
from blocks.domain.objects.sizes import mark_range

USER = 10001
# Seconds between taking the pod out of its Services and telling it to stop, in which the gateway learns of it.
DRAIN = 3
GRACE = 30
READABLE = 0o440


def deployment(blueprint: Blueprint) -> Object:
    """The revision's pods; how many is not said where an autoscaler decides it."""
    spec = {
        "revisionHistoryLimit": 0,
        "progressDeadlineSeconds": blueprint.site.progress_deadline,
        "selector": {"matchLabels": revision_selector(blueprint)},
        "template": pod_template(blueprint),
    }
    metadata, asked = own(blueprint) | {"name": blueprint.name}, blueprint.request.autoscaling
    if asked:
        marks = mark_range(Range(asked.min_replicas, asked.max_replicas))
        metadata |= {"annotations": metadata["annotations"] | marks}
    else:
        spec |= {"replicas": blueprint.request.replicas}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def disruption_budget(blueprint: Blueprint) -> Object:
    """At most one pod at a time goes for maintenance; a single replica does not stop a node from being drained."""
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": selector(blueprint)}}
    metadata = own(blueprint) | {"name": blueprint.slug}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata, "spec": spec}


def pod_template(blueprint: Blueprint) -> dict[str, Any]:
    """One pod: numbered user, nothing writable but its temporary folder, no token, no privileges."""
    metadata = own(blueprint)
    # Which operation it was is the Deployment's matter: pods that run are not to be made anew because another operation looks after them.
    labels = {key: value for key, value in metadata["labels"].items() if key != OPERATION}
    identity = {"runAsNonRoot": True, "runAsUser": USER, "runAsGroup": USER, "fsGroup": USER}
    spread = {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}
    spec = {
        "serviceAccountName": blueprint.slug,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": GRACE,
        "securityContext": identity | {"seccompProfile": {"type": "RuntimeDefault"}},
        "topologySpreadConstraints": [spread | {"labelSelector": {"matchLabels": revision_selector(blueprint)}}],
        "containers": [container(blueprint)],
        "volumes": volumes(blueprint),
    }
    marks = metadata["annotations"] | scrape(blueprint) | provider_of(blueprint).annotations(blueprint)
    return {"metadata": {"labels": labels, "annotations": marks}, "spec": spec}


def trial_pod(deployment: Object) -> Object:
    """One pod as the Deployment would make it, to be tried: quota, limits and Pod Security speak only at the pod.

    Its account is the namespace's own, because the plugin's may not be there yet and neither of them asks who it is.
    """
    template, metadata = deployment["spec"]["template"], deployment["metadata"]
    named = {"name": f"{metadata['name']}-trial", "namespace": metadata["namespace"]}
    spec = template["spec"] | {"serviceAccountName": "default"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": template["metadata"] | named, "spec": spec}


def sized(deployment: Object, replicas: int) -> Object:
    """The Deployment with so many pods."""
    return deployment | {"spec": deployment["spec"] | {"replicas": replicas}}


def asleep(deployment: Object) -> Object:
    """The Deployment without pods."""
    return sized(deployment, 0)


def container(blueprint: Blueprint) -> dict[str, Any]:
    """The plugin's own container; when it dies, the end of its log is kept in the pod's status."""
    security = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "runAsNonRoot": True}
    mounts = [{"name": "tmp", "mountPath": "/tmp"}, {"name": "plugin", "mountPath": FOLDER, "readOnly": True}]  # noqa: S108 — in the pod
    return {
        "name": "plugin",
        "image": blueprint.image,
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"name": one.name, "containerPort": one.port, "protocol": one.protocol} for one in blueprint.ports],
        "env": environment(blueprint),
        "resources": resources(blueprint),
        "securityContext": security | {"capabilities": {"drop": ["ALL"]}},
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "lifecycle": {"preStop": {"sleep": {"seconds": DRAIN}}},
        "volumeMounts": mounts,
    } | probes(blueprint)


def environment(blueprint: Blueprint) -> list[dict[str, str]]:
    """What the plugin finds in its environment; never a secret."""
    said = {"PORT": str(blueprint.ports[0].port), "NODE_ENV": "production"}
    tracing = blueprint.request.plugin.observability.tracing
    if tracing.enabled:
        said |= {"OTEL_SERVICE_NAME": blueprint.slug, "OTEL_TRACES_SAMPLER": "parentbased_traceidratio"}
        said |= {"OTEL_TRACES_SAMPLER_ARG": str(tracing.sampling_rate)}
    return [{"name": name, "value": value} for name, value in said.items()]


def resources(blueprint: Blueprint) -> dict[str, dict[str, str]]:
    """What one replica is given, and what it never exceeds."""
    asked = blueprint.request.plugin.resources
    return {
        "requests": {"cpu": asked.cpu.request, "memory": asked.memory.request},
        "limits": {"cpu": asked.cpu.limit, "memory": asked.memory.limit},
    }


def probes(blueprint: Blueprint) -> dict[str, Any]:
    """Liveness and readiness; a start probe holds both back, so that a slow start is not taken for a death."""
    start = None
    if blueprint.liveness:
        most = min(1000, blueprint.site.progress_deadline)
        start = HealthCheck(path=blueprint.liveness.path, port=blueprint.liveness.port, period_seconds=1, failure_threshold=most)
    asked = {"startupProbe": start, "livenessProbe": blueprint.liveness, "readinessProbe": blueprint.readiness}
    return {kind: probe(check) for kind, check in asked.items() if check}


def probe(check: HealthCheck) -> dict[str, Any]:
    """One HTTP probe in the words of Kubernetes."""
    times = check.model_dump(by_alias=True, exclude={"type", "path", "port"})
    return {"httpGet": {"path": check.path, "port": check.port}} | times


def volumes(blueprint: Blueprint) -> list[dict[str, Any]]:
    """A small writable folder, and one read-only tree with the configuration and under it the secrets."""
    item = {"key": file_name(blueprint), "path": file_name(blueprint)}
    sources = [{"configMap": {"name": blueprint.name, "items": [item]}}, *mounted_secrets(blueprint)]
    return [
        {"name": "tmp", "emptyDir": {"sizeLimit": "256Mi"}},
        {"name": "plugin", "projected": {"sources": sources, "defaultMode": READABLE}},
    ]


def scrape(blueprint: Blueprint) -> dict[str, str]:
    """Where Prometheus finds the plugin's metrics, if it has any."""
    metrics = blueprint.request.plugin.observability.metrics
    if not metrics.enabled:
        return {}
    said = {"scrape": "true", "path": metrics.path, "port": str(metrics.port)}
    return {f"prometheus.io/{key}": value for key, value in said.items()}
