"""A Job that looks at a revision for one metric of one stage: as bounded as the revision's own pods, and none of them.

Its pod bears no label by which a Service, a budget or whoever counts the plugin's pods would take it for one of those. The policies of
the namespace let it reach the tenant's plugins and DNS, and nothing else: they are about everything that is the pipeline's there.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from blocks.domain.job_check import JobCheck
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.labels import INSTALLATION, INSTANCE, MANAGED_BY, OPERATION, PART_OF, REVISION
from blocks.domain.objects.linkerd import INJECT

METRIC = "plugin-pipeline.io/metric"
# Seconds after its end in which it goes by itself, where nobody takes it away.
FORGOTTEN = 3600
RESOURCES = {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"cpu": "500m", "memory": "256Mi"}}
# What its pod has in common with the plugin's own, and its container with theirs.
SAME_POD = ("serviceAccountName", "automountServiceAccountToken", "enableServiceLinks", "securityContext")
SAME_CONTAINER = ("imagePullPolicy", "securityContext", "terminationMessagePolicy")
OWN = (INSTALLATION, OPERATION, REVISION)


@dataclass(frozen=True)
class Run:
    """One run of a metric's Job: at which stage, and how many runs there were at this stage before."""

    metric: str
    check: JobCheck
    stage: int
    before: int = 0


def name_job(slug: str, revision: int, run: Run) -> str:
    """What the run is called, whoever begins it; no object of a revision has a name that begins so."""
    told = f"{revision}/{run.stage}/{run.metric}/{run.before}"
    return f"{slug}-check-{hashlib.sha256(told.encode()).hexdigest()[:12]}"


def describe_run(workload: Iterable[Object], revision: str, host: str, run: Run) -> Object:
    """The Job of the run for the revision of this name, whose objects are among these."""
    found = {one["kind"]: one for one in workload if one["metadata"]["name"] == revision}
    return analysis_job(found["Deployment"], found["Service"], host, run)


def is_let_in(workload: Iterable[Object]) -> bool:
    """Whether the plugin lets in who has no proxy: where it has one itself, it asks everybody of the tenant for theirs."""
    pods = (one["spec"]["template"]["metadata"] for one in workload if one["kind"] == "Deployment")
    return not any(INJECT in one.get("annotations", {}) for one in pods)


def analysis_job(deployment: Object, service: Object, host: str, run: Run) -> Object:
    """The Job of the run for the revision of this Deployment and Service, in the name of the same operation."""
    revision, labels = deployment["metadata"]["name"], deployment["metadata"]["labels"]
    name = name_job(revision.rpartition("-r")[0], int(labels[REVISION]), run)
    marks = {key: labels[key] for key in ("app.kubernetes.io/name", PART_OF, MANAGED_BY)}
    marks |= {INSTANCE: name, METRIC: run.metric, "app.kubernetes.io/component": "analysis"}
    metadata = {"name": name, "namespace": deployment["metadata"]["namespace"]}
    told = {"PLUGIN_URL": _address(service), "PLUGIN_HOST": host, "PLUGIN_REVISION": revision, "PLUGIN_STAGE": str(run.stage)}
    pod = _pod(deployment["spec"]["template"]["spec"], run, told)
    spec = {
        "backoffLimit": 0,
        "activeDeadlineSeconds": run.check.deadline,
        "ttlSecondsAfterFinished": FORGOTTEN,
        # A node that is drained says nothing of the revision: the pod is made again.
        "podFailurePolicy": {
            "rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]
        },
        "template": {"metadata": {"labels": marks}, "spec": pod},
    }
    whose = {key: labels[key] for key in OWN}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata | {"labels": marks | whose}, "spec": spec}


def _pod(plugin: Object, run: Run, told: dict[str, str]) -> dict[str, Any]:
    """What *restricted* lets run, as the plugin's pod is; there is nothing in it that could want to end slowly."""
    (own,) = plugin["containers"]
    container = {
        "name": "check",
        "image": run.check.image,
        "args": [*run.check.args],
        "env": [{"name": name, "value": value} for name, value in told.items()],
        "resources": RESOURCES,
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 — in the pod
    } | {key: own[key] for key in SAME_CONTAINER}
    return {key: plugin[key] for key in SAME_POD} | {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 1,
        "containers": [container],
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}],
    }


def _address(service: Object) -> str:
    """Where the revision is inside the cluster."""
    metadata, (port, *_) = service["metadata"], service["spec"]["ports"]
    return f"http://{metadata['name']}.{metadata['namespace']}.svc:{port['port']}"
