"""What each kind of run may do at the real API server as who it is there, and what is refused to it; and what its namespace lets in."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import World
from tests.e2e.api import Product
from tests.infra.pipeline import read_objects

pytestmark = pytest.mark.world
HOME, OURS = "plugin-pipeline", "plugin-pipeline-dry-run-dev"
CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "tried"}}
# A role like those that plugins get, one that gives what nobody of ours has, and a binding to what is not ours.
ROLE = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "tried"}}
READS = ROLE | {"rules": [{"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["tried"], "verbs": ["get"]}]}
ENTERS = ROLE | {"rules": [{"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create"]}]}
ADMIN = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "RoleBinding",
    "metadata": {"name": "tried"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin"},
    "subjects": [{"kind": "ServiceAccount", "name": "apply", "namespace": HOME}],
}
SPEC = {"image": "nothing", "name": "it"}
SAFE = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True}
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "tried"},
    "spec": {"containers": [SPEC | {"securityContext": SAFE | {"seccompProfile": {"type": "RuntimeDefault"}}}]},
}
JOB = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "tried"},
    "spec": {"template": {"spec": {"restartPolicy": "Never", **POD["spec"]}}},  # type: ignore[dict-item]
}
SOCKET = {"volumes": [{"name": "socket", "hostPath": {"path": "/var/run/docker.sock"}}]}
MAKE, TRY = ("create", "-f", "-"), ("create", "--dry-run=server", "-f", "-")


@dataclass(frozen=True)
class Account:
    """A kind of run at the API server: no certificate of the world's administrator, only its own token."""

    world: World
    token: str

    def ask(self, *arguments: str, told: object = None) -> str:
        """Nothing where it is allowed, else why not."""
        server = yaml.safe_load(Path(self.world.kubeconfig).read_text())["clusters"][0]["cluster"]["server"]
        trusted = f"--certificate-authority={Path(self.world.kubeconfig).parent}/ca.crt"
        who = ("--kubeconfig=/dev/null", f"--server={server}", trusted, f"--token={self.token}")
        program = [f"{self.world.pipeline_bin}/kubectl", *who, *arguments]
        done = subprocess.run(program, input=json.dumps(told), capture_output=True, text=True, timeout=60, check=False)
        return done.stderr if done.returncode else ""


def sign_in(product: Product, kind: str) -> Account:
    """The kind's own token, as its pods get one."""
    return Account(product.world, product.kubectl("create", "token", kind, "-n", HOME, "--duration=10m").strip())


def asked(namespace: str) -> str:
    """Where the API server passes on what is for a Service of the namespace that is not there."""
    return f"/api/v1/namespaces/{namespace}/services/nobody:80/proxy/"


def row(kind: str, what: tuple[str, ...], told: object, refused: str, *, to: str) -> Any:
    return pytest.param(kind, what, told, refused, id=f"{kind}: {to}")


@pytest.mark.parametrize(
    ("kind", "what", "told", "refused"),
    [
        row("plan", (*TRY, "-n", OURS), CONFIG_MAP, "", to="try an object"),
        row("plan", (*TRY, "-n", OURS), POD, "", to="try a pod"),
        row("plan", (*TRY, "-n", OURS), JOB, "", to="try a Job"),
        row("plan", (*MAKE, "-n", OURS), JOB, "a plan only tries", to="make a Job"),
        row("plan", ("get", "jobs", "-n", HOME), None, "cannot list", to="see Jobs"),
        row("plan", ("get", "deployments", "-A"), None, "", to="see what is there"),
        row("plan", (*MAKE, "-n", OURS), CONFIG_MAP, "a plan only tries", to="make an object"),
        row("plan", ("delete", "configmap", "tried", "-n", OURS), None, "cannot delete", to="delete"),
        row("plan", ("get", "secrets", "-n", HOME), None, "cannot list", to="list secrets"),
        row("apply", (*TRY, "-n", OURS), POD, "", to="try a pod"),
        row("apply", (*TRY, "-n", OURS), READS, "", to="make a plugin's role"),
        row("apply", (*MAKE, "-n", OURS), POD, "pods are only tried", to="make a pod"),
        row(
            "apply",
            (*MAKE, "-n", OURS),
            ENTERS,
            "attempting to grant RBAC permissions not currently held",
            to="give more than it has",
        ),
        row(
            "apply",
            (*MAKE, "-n", OURS),
            ADMIN,
            "attempting to grant RBAC permissions not currently held",
            to="become administrator",
        ),
        row("apply", (*MAKE, "-n", "kube-system"), CONFIG_MAP, "the namespace is not the pipeline's", to="write elsewhere"),
        row("apply", (*MAKE, "-n", HOME), CONFIG_MAP, "the namespace is not the pipeline's", to="write at home"),
        row("apply", ("create", "namespace", "stray"), None, "the namespace is not the pipeline's", to="make any namespace"),
        row(
            "apply",
            ("delete", "namespace", "projectcontour", "--dry-run=server"),
            None,
            "the namespace is not the pipeline's",
            to="delete any namespace",
        ),
        row("apply", ("get", "--raw", asked(OURS)), None, "not found", to="ask a plugin's Service"),
        row("apply", ("get", "--raw", asked("kube-system")), None, "the namespace is not the pipeline's", to="ask any Service"),
        row("plan", ("get", "--raw", asked(OURS)), None, "cannot get", to="ask a Service"),
        row("apply", ("get", "nodes"), None, "cannot list", to="see nodes"),
        row("apply", ("get", "jobs", "-n", OURS), None, "", to="see Jobs"),
        row("apply", (*TRY, "-n", OURS), JOB, "", to="make a Job beside a plugin"),
        row("apply", (*MAKE, "-n", HOME), JOB, "the namespace is not the pipeline's", to="make a Job at home"),
        row("apply", ("get", "clusterroles"), None, "cannot list", to="see roles of the cluster"),
        row("discover", ("get", "pods", "-n", HOME), None, "cannot list", to="see pods"),
        row("discover", ("get", "namespaces"), None, "cannot list", to="see namespaces"),
        row("discover", (*TRY, "-n", OURS), CONFIG_MAP, "cannot create", to="try an object"),
    ],
)
def test_each_kind_of_run_may_do_what_it_needs_and_no_more(
    product: Product, kind: str, what: tuple[str, ...], told: object, refused: str
) -> None:
    said = sign_in(product, kind).ask(*what, told=told)
    assert refused in said
    assert bool(said) is bool(refused), said


def test_apply_makes_and_removes_what_a_plugin_has(product: Product) -> None:
    account = sign_in(product, "apply")
    assert account.ask(*MAKE, "-n", OURS, told=CONFIG_MAP) == ""
    assert account.ask("delete", "configmap", "tried", "-n", OURS) == ""


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(SOCKET, id="the builder's socket"),
        pytest.param({"hostNetwork": True}, id="the machine's network"),
        pytest.param({"containers": [SPEC]}, id="root"),
    ],
)
def test_no_pod_of_the_pipeline_gets_hold_of_the_machine(product: Product, change: dict[str, Any]) -> None:
    pod = POD | {"spec": {**POD["spec"], **change}}  # type: ignore[dict-item]
    with pytest.raises(AssertionError, match="violates PodSecurity"):
        product.kubectl(*TRY, "-n", HOME, told=json.dumps(pod))
    assert "created" in product.kubectl(*TRY, "-n", HOME, told=json.dumps(POD))


def test_no_right_is_a_wildcard() -> None:
    declared = read_objects("Role", "ClusterRole", "ClusterRoleBinding")
    rules = [rule for one in declared for rule in one.get("rules", ())]
    assert len(rules) > 10
    assert not [rule for rule in rules if "*" in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]]
    assert {one["roleRef"]["name"] for one in declared if "roleRef" in one} == {"plugin-pipeline-apply", "plugin-pipeline-plan"}


def test_what_discovers_has_no_token(product: Product) -> None:
    accounts = {one["metadata"]["name"]: one["automountServiceAccountToken"] for one in product.objects("serviceaccounts", HOME)}
    assert accounts == {"plan": True, "apply": True, "discover": False, "default": False}


@pytest.mark.parametrize(
    ("kind", "without"),
    [
        ("plan", ("PLUGIN_DATABASE_ADMIN_URL",)),
        ("discover", ("PLUGIN_DATABASE_ADMIN_URL", "DOCKER_HOST", "GATEWAY_URL")),
    ],
)
def test_each_kind_of_run_is_told_only_what_it_needs(product: Product, kind: str, without: tuple[str, ...]) -> None:
    told = settings_of(product, kind)
    assert {"DATABASE_URL", "PREFECT_API_URL", "STORAGE_DIR"} <= told.keys()
    assert not told.keys() & set(without)
    assert set(without) <= settings_of(product, "apply").keys()
    assert "127.0.0.1" not in "".join(told.values())


def settings_of(product: Product, kind: str) -> dict[str, str]:
    """The settings file that runs of the kind find."""
    text = product.kubectl(
        "get", "secret", f"run-{kind}", "-n", HOME, "-o", 'go-template={{index .data "pipeline.env" | base64decode}}'
    )
    return dict(line.split("=", 1) for line in text.splitlines())
