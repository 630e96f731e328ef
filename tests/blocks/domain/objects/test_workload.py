"""What runs may do nothing that *restricted* forbids, and says how it is."""

from dataclasses import replace
from typing import Any

from blocks.domain.objects.blueprint import Serving
from blocks.domain.objects.labels import OPERATION, stamped
from blocks.domain.objects.workload import asleep, deployment, disruption_budget, trial_pod
from tests.blocks.domain.objects.blueprints import make_blueprint


def pod(runtime: str = "frontend", **asked: Any) -> dict[str, Any]:
    found: dict[str, Any] = deployment(make_blueprint(runtime, **asked))["spec"]["template"]
    return found


def test_a_pod_has_no_privileges_and_writes_only_to_its_temporary_folder() -> None:
    spec = pod()["spec"]
    (container,) = spec["containers"]
    assert spec["securityContext"]["runAsUser"] == 10001
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {one["mountPath"]: one.get("readOnly", False) for one in container["volumeMounts"]} == {
        "/tmp": False,
        "/etc/plugin": True,
    }


def test_only_the_image_by_digest_runs() -> None:
    assert pod()["spec"]["containers"][0]["image"] == "registry:5000/plugins/it@sha256:0"


def test_resources_are_those_that_were_asked_for() -> None:
    asked = {"cpu": {"request": "10m", "limit": "20m"}, "memory": {"request": "16Mi", "limit": "32Mi"}}
    assert pod(plugin={"resources": asked})["spec"]["containers"][0]["resources"] == {
        "requests": {"cpu": "10m", "memory": "16Mi"},
        "limits": {"cpu": "20m", "memory": "32Mi"},
    }


def test_a_slow_start_is_not_taken_for_a_death() -> None:
    (container,) = pod("backend")["spec"]["containers"]
    start = container["startupProbe"]
    assert start["httpGet"] == container["livenessProbe"]["httpGet"]
    assert start["periodSeconds"] * start["failureThreshold"] == 300


def test_what_says_nothing_of_itself_is_not_asked() -> None:
    silent = replace(make_blueprint("service"), serving=Serving(8080, "", "", "/hello"))
    (container,) = deployment(silent)["spec"]["template"]["spec"]["containers"]
    assert not [key for key in container if key.endswith("Probe")]


def test_metrics_are_scraped_where_the_plugin_has_them() -> None:
    enabled = pod(plugin={"observability": {"metrics": {"enabled": True, "path": "/m", "port": 3000}}})["metadata"]["annotations"]
    assert enabled["prometheus.io/path"] == "/m"
    assert not [key for key in pod()["metadata"]["annotations"] if key.startswith("prometheus.io/")]


def test_tracing_is_told_by_the_environment() -> None:
    asked = {"observability": {"tracing": {"enabled": True, "samplingRate": 0.25}}}
    env = {one["name"]: one["value"] for one in pod(plugin=asked)["spec"]["containers"][0]["env"]}
    assert (env["OTEL_TRACES_SAMPLER_ARG"], env["PORT"]) == ("0.25", "3000")


def test_a_revision_selects_its_own_pods_and_the_budget_all() -> None:
    blueprint = make_blueprint(revision=2)
    selected = deployment(blueprint)["spec"]["selector"]["matchLabels"]
    assert selected["plugin-pipeline.io/revision"] == "2"
    assert selected.items() <= pod()["metadata"]["labels"].items() | {("plugin-pipeline.io/revision", "2")}
    assert "plugin-pipeline.io/revision" not in disruption_budget(blueprint)["spec"]["selector"]["matchLabels"]


def test_who_puts_a_revision_up_is_no_reason_to_start_its_pods_anew() -> None:
    planned = deployment(make_blueprint())
    assert OPERATION in planned["metadata"]["labels"]
    assert stamped(planned, "one")["spec"] == stamped(planned, "another")["spec"]


def test_one_pod_is_tried_as_the_deployment_would_make_it() -> None:
    planned = deployment(make_blueprint("service"))
    tried = trial_pod(planned)
    assert (tried["kind"], tried["metadata"]["name"], tried["metadata"]["namespace"]) == ("Pod", "hello-r1-trial", "default-dev")
    assert tried["spec"] == planned["spec"]["template"]["spec"] | {"serviceAccountName": "default"}


def test_what_sleeps_has_no_pods_and_is_the_same_otherwise() -> None:
    planned = deployment(make_blueprint("frontend", replicas=3))
    sleeping = asleep(planned)
    assert (planned["spec"]["replicas"], sleeping["spec"]["replicas"]) == (3, 0)
    assert sleeping | {"spec": sleeping["spec"] | {"replicas": 3}} == planned
