"""A Job that looks at a revision: bounded as the revision is, told what it looks at, and never taken for it."""

import re
from typing import Any

import pytest

from blocks.domain.job_check import JobCheck
from blocks.domain.objects.analysis_job import Run, describe_run, is_let_in, name_job
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.labels import INSTALLATION, OPERATION, REVISION, selector
from blocks.domain.objects.phases import Phase, phases
from tests.blocks.domain.objects.blueprints import make_blueprint

BLUEPRINT = make_blueprint("service")
WORKLOAD = phases(BLUEPRINT)[Phase.WORKLOAD]
RUN = Run("basket", JobCheck(image=f"registry.test/basket@sha256:{'a' * 64}", args=("--deep",), deadline=7), 2)


def described(run: Run = RUN) -> Object:
    return describe_run(WORKLOAD, BLUEPRINT.name, BLUEPRINT.host, run)


def test_it_is_run_once_and_goes_by_itself() -> None:
    spec = described()["spec"]
    assert (spec["backoffLimit"], spec["activeDeadlineSeconds"], spec["ttlSecondsAfterFinished"]) == (0, 7, 3600)
    assert spec["template"]["spec"]["restartPolicy"] == "Never"


def test_it_may_do_no_more_than_the_plugin() -> None:
    (plugin,) = (one["spec"]["template"]["spec"] for one in WORKLOAD if one["kind"] == "Deployment")
    pod = described()["spec"]["template"]["spec"]
    (container,), (own,) = pod["containers"], plugin["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"] == plugin["securityContext"]
    assert container["securityContext"] == own["securityContext"]
    assert container["resources"].keys() == {"requests", "limits"}
    assert [*pod["volumes"][0]] == ["name", "emptyDir"]
    assert len(pod["volumes"]) == 1


def test_it_is_told_what_it_looks_at() -> None:
    (container,) = described()["spec"]["template"]["spec"]["containers"]
    assert (container["image"], container["args"]) == (RUN.check.image, ["--deep"])
    assert {one["name"]: one["value"] for one in container["env"]} == {
        "PLUGIN_URL": f"http://{BLUEPRINT.name}.{BLUEPRINT.namespace}.svc:{BLUEPRINT.ports[0].port}",
        "PLUGIN_HOST": BLUEPRINT.host,
        "PLUGIN_REVISION": BLUEPRINT.name,
        "PLUGIN_STAGE": "2",
    }


def test_its_pod_is_none_of_the_plugins() -> None:
    """Or a Service would send it people, and whoever counts or reads the plugin's pods would find it."""
    job = described()
    labels: dict[str, Any] = job["spec"]["template"]["metadata"]["labels"]
    assert not selector(BLUEPRINT).items() <= labels.items()
    assert labels.keys().isdisjoint({INSTALLATION, OPERATION, REVISION})
    assert job["metadata"]["labels"].keys() >= {INSTALLATION, OPERATION, REVISION}
    assert labels["app.kubernetes.io/part-of"] == "plugin-pipeline"


@pytest.mark.parametrize(
    ("revision", "run"),
    [
        pytest.param(2, RUN, id="of another revision"),
        pytest.param(1, Run("basket", RUN.check, 3), id="of another stage"),
        pytest.param(1, Run("other", RUN.check, 2), id="of another metric"),
        pytest.param(1, Run("basket", RUN.check, 2, 1), id="after another run"),
    ],
)
def test_each_run_has_a_name_of_its_own(revision: int, run: Run) -> None:
    name = name_job("hello", revision, run)
    assert name != name_job("hello", 1, RUN)
    assert name == name_job("hello", revision, run)
    assert re.fullmatch(r"hello-check-[0-9a-f]{12}", name)


def test_the_longest_name_is_a_label() -> None:
    assert len(name_job("a" * 40, 99999, RUN)) <= 63


@pytest.mark.parametrize(
    ("annotations", "let_in"),
    [pytest.param({}, True, id="no proxy"), pytest.param({"linkerd.io/inject": "enabled"}, False, id="Linkerd's")],
)
def test_who_has_a_proxy_lets_in_nobody_without_one(annotations: dict[str, str], let_in: bool) -> None:  # noqa: FBT001
    pod = {"kind": "Deployment", "spec": {"template": {"metadata": {"annotations": annotations}}}}
    assert is_let_in([{"kind": "Service"}, pod]) is let_in
