"""Jobs as metrics: what a plan says of them, and each on the cluster in memory and on the real one from its beginning until it is gone."""

import json
from typing import Any

import pytest

from blocks.domain.analysis import Metric
from blocks.domain.errors import Refused
from blocks.domain.job_answer import next_run
from blocks.domain.mesh import LINKERD_GROUP
from blocks.domain.objects.labels import INSTANCE
from blocks.domain.objects.names import Name
from blocks.domain.objects.phases import PROVISIONED, Phase, every
from blocks.domain.plan import Plan
from blocks.domain.rollout import Sample
from blocks.ports.cluster import Sights, View
from tasks.job_check import begin_jobs, clear_jobs, measure_job
from tasks.objects import put_up
from tasks.plan import read_plan
from tests.conftest import World
from tests.fakes.cluster import FakeCluster
from tests.tasks.carried import Carried

IMAGE = f"registry.test/basket@sha256:{'c' * 64}"
# Seconds in which a Job of these tests has ended, where images are pulled and nodes are busy.
ENDS = 90


def ask(carried: Carried, image: str = IMAGE, *says: str, deadline: int = 60) -> None:
    """Let a canary be asked for that one Job looks at."""
    job = {"image": image, "args": ["sh", "-c", *says], "deadline": deadline}
    config = {"analysis": {"metrics": [{"name": "basket", "job": job}]}}
    carried.asked = carried.service(strategy="canary", strategyConfig=config)


async def shown(carried: Carried, plan: Plan) -> Any:
    return json.loads(await carried.storage.get(plan.document))["shown"]


async def test_the_plan_says_that_jobs_run_and_counts_their_pods(carried: Carried) -> None:
    ask(carried)
    told = await shown(carried, await carried.plan())
    (warning,) = told["warnings"]
    assert warning == f"a Job runs in the namespace at each stage, for basket: {IMAGE}, which no scanner has seen"
    assert "the Job basket too" in next(one["what"] for one in told["steps"] if one["name"] == "watch_stage:1")
    bounds = {one["resource"]: (one["before"], one["during"], one["after"]) for one in told["quota"]}
    assert (bounds["pods"], bounds["limits.cpu"]) == (("0", "2", "1"), ("0", "1", "500m"))


async def test_without_a_stage_none_runs(carried: Carried) -> None:
    told = await shown(carried, await carried.plan())
    assert (told["warnings"], {one["during"] for one in told["quota"] if one["resource"] == "pods"}) == ([], {"1"})


async def test_what_the_cluster_would_not_take_is_told_with_the_plan(carried: Carried, fake: FakeCluster) -> None:
    ask(carried)
    plan = await carried.plan()
    (metric,) = metrics(carried)
    await put_up(carried.work, (await read_plan(carried.work, plan))[Phase.IDENTITY])
    await measure_job(carried.work, plan, metric, _run(metric), 0)
    (name,) = [name for plural, _, name in fake.store.objects if plural == "jobs"]
    fake.store.objects[("jobs", plan.namespace, name)]["metadata"]["labels"]["app.kubernetes.io/managed-by"] = "somebody"
    with pytest.raises(Refused, match=f"Job {plan.namespace}/{name} is there already and is not ours"):
        await carried.plan()


async def test_a_plugin_with_a_proxy_would_let_none_in(carried: Carried, fake: FakeCluster) -> None:
    ask(carried)
    fake.groups.add(LINKERD_GROUP)
    carried.tools.settings = carried.tools.settings.model_copy(update={"service_mesh_provider": "linkerd"})
    with pytest.raises(Refused, match="the Job of basket has no proxy of Linkerd's"):
        await carried.plan()


@pytest.fixture(params=["memory", pytest.param("world", marks=pytest.mark.world)])
def either(request: pytest.FixtureRequest) -> tuple[Carried, str]:
    """An operation on the cluster in memory and one on the real one, each with an image that has a shell."""
    if request.param == "memory":
        return request.getfixturevalue("carried"), IMAGE
    world: World = request.getfixturevalue("world")
    return request.getfixturevalue("really_carried"), world.base_image


EMPTY = "basket: the Job ended with exit code 3; its last words: the basket is empty"
LOOKS = 'test "$PLUGIN_STAGE $PLUGIN_URL" = "1 http://hello-r1.$0.svc:8080"'


@pytest.mark.parametrize(
    ("case", "says", "expected"),
    [
        pytest.param("succeeds", LOOKS, ("good", "basket: the Job succeeded"), id="it ends well, and was told what it looks at"),
        pytest.param("fails", "echo the basket is empty; exit 3", ("bad", EMPTY), id="it ends badly, with its last words"),
        pytest.param("hangs", "exec sleep 60", ("error", "basket: its Job did not end within 3 s"), id="it hangs"),
    ],
)
async def test_it_is_begun_ends_and_is_gone(
    either: tuple[Carried, str], fake: FakeCluster, case: str, says: str, expected: tuple[str, str]
) -> None:
    (carried, image), fake.jobs_are = either, case
    ask(carried, image, says, f"{carried.tenant}-dev", deadline=3 if case == "hangs" else 60)
    plan, (metric,) = await carried.plan(), metrics(carried)
    await put_up(carried.work, every(await read_plan(carried.work, plan), PROVISIONED))
    await begin_jobs(carried.work, plan, 1, ())
    name = await ended(carried, plan)
    sample = await measure_job(carried.work, plan, metric, _run(metric), 100)
    assert sample is not None
    assert (sample.verdict.value, sample.sentence) == expected
    assert sample.query == f"{name} of {image}"
    await clear_jobs(carried.work, plan, 1, (sample,))
    assert await carried.cluster.read(name) is None
    assert await carried.cluster.find(View("Pod", plan.namespace, labels={INSTANCE: name.name})) == []


async def test_what_is_over_leaves_none_that_runs(carried: Carried, fake: FakeCluster) -> None:
    fake.jobs_are = "hangs"
    ask(carried)
    plan, taken = await carried.plan(), tuple[Sample, ...]()
    await put_up(carried.work, (await read_plan(carried.work, plan))[Phase.IDENTITY])
    await begin_jobs(carried.work, plan, 1, taken)
    assert [plural for plural, _, name in fake.store.objects if "-check-" in name] == ["jobs", "pods"]
    await clear_jobs(carried.work, plan, 1, taken, over=True)
    assert [name for _, _, name in fake.store.objects if "-check-" in name] == []


async def ended(carried: Carried, plan: Plan) -> Name:
    """The name of the one Job there is, when it has ended."""

    def find_end(seen: Sights) -> Name | None:
        ends = [one for job in seen["it"] for one in job.get("status", {}).get("conditions", ()) if one["status"] == "True"]
        return Name.of(seen["it"][0]) if {one["type"] for one in ends} & {"Complete", "Failed"} else None

    found = await carried.cluster.wait({"it": View("Job", plan.namespace)}, find_end, ENDS)
    assert found is not None
    return found


def metrics(carried: Carried) -> tuple[Metric, ...]:
    config = carried.asked.strategy_config
    assert config is not None
    return config.analysis.metrics


def _run(metric: Metric) -> Any:
    assert metric.job is not None
    return next_run(metric, metric.job, 1, ())
