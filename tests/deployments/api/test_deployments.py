"""Plugin deployments, as a client that knows document 001 meets them."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from blocks.domain.errors import Transient
from blocks.domain.journal import Kind, Phase, Reason
from blocks.domain.objects.labels import REVISION
from deployments.api.deployed import DEPLOYMENTS
from deployments.api.deployment_examples import DEPLOYMENT_EXAMPLES
from tests.deployments.builders import HASH, Desk, bearer, make_body

WORDS: dict[str, Any] = DEPLOYMENT_EXAMPLES["canary"]["value"] or {}
PLUGIN = {"name": "payment-stripe", "version": "1.0.0", "runtime": {"type": "backend"}}
STAGES = [{"weight": weight, "pause": 300} for weight in (10, 30, 50, 100)]
BAD = Reason("analysis-failed", "success rate 0.4 of 50 requests, at least 0.99 wanted", "Prometheus was asked")
WHY = {"reason": "High error rate detected"}


@pytest.fixture
async def desk() -> Desk:
    """The API on a record in which the plugin of document 001 serves in release 1.0.0."""
    desk = Desk()
    body = make_body(plugin=PLUGIN, tenant="tenant-acme-corp", environment="prod", replicas=4, config={"a": 1})
    async with desk.client() as client:
        accepted = (await client.post("/api/v1/plugins/install", json=body)).json()
    desk.record.succeed(UUID(accepted["operation"]))
    desk.started.clear()
    return desk


async def post(desk: Desk, **changes: Any) -> dict[str, Any]:
    """The answer to a deployment."""
    async with desk.client() as client:
        answer = await client.post(DEPLOYMENTS, json=WORDS | changes)
    assert answer.status_code == 202, answer.text
    shown: dict[str, Any] = answer.json()
    assert answer.headers["location"] == shown["links"]["self"] == f"{DEPLOYMENTS}/{shown['deploymentId']}"
    return shown


async def read(desk: Desk, deployed: dict[str, Any], link: str = "self") -> dict[str, Any]:
    """What is shown of the deployment."""
    async with desk.client() as client:
        answer = await client.get(deployed["links"][link])
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def roll_back(desk: Desk, deployed: dict[str, Any], headers: dict[str, str] | None = None) -> tuple[int, dict[str, Any]]:
    """The answer to taking it back."""
    async with desk.client() as client:
        answer = await client.post(deployed["links"]["rollback"], json=WHY, headers=headers)
    return answer.status_code, answer.json()


def go_to_stage(desk: Desk, operation: UUID, number: int) -> None:
    """Let a canary have come to the stage, with good samples at those before."""
    plan = {"hash": HASH, "verb": "update", "previous": 1, "target": "payment-stripe@2.0.0", "stages": STAGES}
    desk.record.tell(operation, "make_plan", Kind.INTENDED)
    desk.record.tell(operation, "make_plan", Kind.DONE, json.dumps(plan))
    done = ["roll_out", *(name for n in range(1, number) for name in (f"route_stage:{n}", f"watch_stage:{n}"))]
    samples, over = json.dumps([{"sentence": "success rate 1 of 240 requests"}]), json.dumps({"why": "good", "next": 2})
    for name in [*done, f"route_stage:{number}"]:
        watched = name.startswith("watch")
        desk.record.tell(operation, name, Kind.INTENDED)
        if watched:
            desk.record.tell(operation, name, Kind.MEASURED, samples)
        desk.record.tell(operation, name, Kind.DONE, over if watched else "null")


def take_back(desk: Desk, operation: UUID) -> None:
    """Let what was begun be undone."""
    desk.record.tell(operation, "operation", Kind.FAILED, json.dumps(vars(BAD)))
    for name in ("route_stage:1", "roll_out"):
        desk.record.tell(operation, name, Kind.UNDOING)
        desk.record.tell(operation, name, Kind.UNDONE)
    desk.record.tell(operation, "operation", Kind.WITHDRAWN)


def make_pod(name: str, revision: int, *, ready: bool = True) -> dict[str, Any]:
    """A pod of the installation."""
    status = {"conditions": [{"type": "Ready", "status": str(ready)}]}
    return {"kind": "Pod", "metadata": {"name": name, "labels": {REVISION: str(revision)}}, "spec": {}, "status": status}


async def test_a_deployment_is_the_update_that_its_words_mean(desk: Desk) -> None:
    deployed = await post(desk)
    (operation,) = desk.started
    order = await desk.record.order(operation)
    assert (deployed["deploymentId"], deployed["status"], deployed["created"]) == (str(operation), "Pending", True)
    assert (order.verb, order.request.replicas, order.request.config, order.actor) == ("update", 10, {"a": 1}, "ann")
    assert (order.request.plugin.version, order.request.strategy) == ("2.0.0", "canary")


@pytest.mark.parametrize("name", DEPLOYMENT_EXAMPLES)
async def test_every_example_is_accepted(desk: Desk, name: str) -> None:
    async with desk.client() as client:
        answer = await client.post(DEPLOYMENTS, json=DEPLOYMENT_EXAMPLES[name]["value"])
    assert answer.status_code == 202, answer.text


async def test_the_same_deployment_twice_is_one(desk: Desk) -> None:
    first, second = await post(desk), await post(desk)
    assert (second["deploymentId"], second["created"]) == (first["deploymentId"], False)
    desk.record.succeed(UUID(first["deploymentId"]))
    third = await post(desk)
    assert (third["deploymentId"], third["created"], third["status"]) == (first["deploymentId"], False, "Completed")
    assert len(desk.started) == 1


async def test_a_key_stands_for_one_deployment(desk: Desk) -> None:
    async with desk.client(bearer() | {"Idempotency-Key": "k"}) as client:
        first = await client.post(DEPLOYMENTS, json=WORDS)
        desk.record.withdraw(UUID(first.json()["deploymentId"]), BAD)
        again = await client.post(DEPLOYMENTS, json=WORDS)
        other = await client.post(DEPLOYMENTS, json=WORDS | {"totalInstances": 3})
    assert (again.json()["deploymentId"], again.json()["created"]) == (first.json()["deploymentId"], False)
    assert (other.status_code, other.json()["type"].rpartition(":")[2]) == (422, "idempotency-key-reused")


async def test_what_was_never_installed_is_refused_with_the_way_to_install_it(desk: Desk) -> None:
    async with desk.client() as client:
        answers = [await client.post(DEPLOYMENTS, json=WORDS | {"environment": "Staging"})]
        answers.append(await client.post(DEPLOYMENTS, json=WORDS | {"pluginId": "ledger"}))
    for answer in answers:
        problem = answer.json()
        assert (answer.status_code, problem["type"].rpartition(":")[2]) == (422, "not-described")
        assert "/api/v1/plugins/install" in problem["hint"]
    assert (desk.started, len(desk.record.installed)) == ([], 1)


async def test_what_is_on_its_way_keeps_another_deployment_waiting(desk: Desk) -> None:
    await post(desk)
    async with desk.client() as client:
        answer = await client.post(DEPLOYMENTS, json=WORDS | {"totalInstances": 3})
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (409, "busy")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        pytest.param({"pluginId": ""}, "pluginId", id="no plugin"),
        pytest.param({"pluginVersion": ""}, "pluginVersion", id="no version"),
        pytest.param({"tenantId": "ACME"}, "tenantId", id="a tenant that is no label"),
        pytest.param({"environment": "QA"}, "environment", id="an environment there is not"),
        pytest.param({"strategy": "BigBang"}, "strategy", id="a strategy there is not"),
        pytest.param({"strategy": "RollingUpdate"}, "strategyConfig", id="stages where there are none"),
        pytest.param({"strategyConfig": {"stages": "30,10"}}, "strategyConfig.stages", id="stages that fall"),
        pytest.param({"strategyConfig": {"stageInterval": "5m"}}, "strategyConfig.stageInterval", id="an interval with a unit"),
        pytest.param({"totalInstances": 0}, "totalInstances", id="no instances"),
        pytest.param({"totalInstances": "10"}, "totalInstances", id="instances as text"),
        pytest.param({"instances": 10}, "instances", id="a field that is misspelt"),
    ],
)
async def test_a_deployment_is_refused_with(desk: Desk, wrong: dict[str, Any], field: str) -> None:
    async with desk.client() as client:
        answer = await client.post(DEPLOYMENTS, json=WORDS | wrong)
    assert (answer.status_code, [one["field"] for one in answer.json()["errors"]]) == (422, [field])
    assert desk.started == []


async def test_a_canary_is_shown_with_its_stage_share_and_instances(desk: Desk) -> None:
    deployed = await post(desk)
    go_to_stage(desk, UUID(deployed["deploymentId"]), 2)
    desk.pods = [make_pod("a", 1), make_pod("b", 2), make_pod("c", 2, ready=False)]
    shown = await read(desk, deployed)
    assert shown["stage"] == {"number": 2, "of": 4, "weight": 30, "lastSample": "success rate 1 of 240 requests"}
    assert shown["instances"] == {"updated": 1, "total": 10}
    named = {
        name: shown[name] for name in ("pluginId", "pluginVersion", "tenantId", "environment", "strategy", "status", "release")
    }
    assert named == {
        "pluginId": "payment-stripe",
        "pluginVersion": "2.0.0",
        "tenantId": "tenant-acme-corp",
        "environment": "Production",
        "strategy": "Canary",
        "status": "InProgress",
        "release": "payment-stripe@2.0.0",
    }
    async with desk.client() as client:
        links = [await client.get(shown["links"][name]) for name in ("installation", "operation", "health")]
    assert [answer.status_code for answer in links] == [200, 200, 200]


async def test_the_answers_are_as_described(desk: Desk) -> None:
    deployed = await post(desk)
    shapes = desk.app().openapi()["components"]["schemas"]
    shown = {"DeploymentAccepted": deployed, "DeploymentShown": await read(desk, deployed)}
    shown["DeploymentHealthShown"] = await read(desk, deployed, "health")
    for name, answer in shown.items():
        assert set(answer) == set(shapes[name]["properties"])


@pytest.mark.parametrize(
    ("pods", "status", "message"),
    [
        pytest.param([], "Unknown", "no instance of it runs", id="none runs"),
        pytest.param([make_pod("a", 2), make_pod("b", 2)], "Healthy", "2 of 2 instances are ready", id="all are ready"),
        pytest.param([make_pod("a", 2), make_pod("b", 2, ready=False)], "Degraded", "1 of 2 instances", id="one is not"),
        pytest.param([make_pod("a", 1), make_pod("b", 2, ready=False)], "Unhealthy", "0 of 1 instances", id="only the old are"),
    ],
)
async def test_health(desk: Desk, pods: list[dict[str, Any]], status: str, message: str) -> None:
    deployed = await post(desk)
    desk.pods = pods
    health = await read(desk, deployed, "health")
    mine = [pod["metadata"]["name"] for pod in pods if pod["metadata"]["labels"][REVISION] == "2"]
    assert (health["status"], [one["name"] for one in health["instances"]]) == (status, mine)
    assert health["message"].startswith(message)


async def test_a_cluster_that_is_away_is_told_and_hides_nothing_else(desk: Desk) -> None:
    deployed = await post(desk)
    desk.logs_are_away = Transient("the cluster does not answer")
    health, shown = await read(desk, deployed, "health"), await read(desk, deployed)
    assert (health["status"], health["message"], health["instances"]) == ("Unknown", "the cluster does not answer", [])
    assert (shown["status"], shown["instances"]) == ("Pending", {"updated": None, "total": 10})


async def test_a_deployment_on_its_way_is_taken_back(desk: Desk) -> None:
    deployed = await post(desk)
    operation = UUID(deployed["deploymentId"])
    go_to_stage(desk, operation, 1)
    desk.started.clear()
    status, answer = await roll_back(desk, deployed)
    assert (status, answer["status"], answer["operation"]) == (202, "RollingBack", str(operation))
    assert desk.started == [operation]
    shown = await read(desk, deployed)
    assert (shown["reason"]["code"], "High error rate detected" in shown["reason"]["message"]) == ("cancelled", True)


async def test_what_went_bad_by_itself_is_rolled_back_and_says_which_number_decided(desk: Desk) -> None:
    deployed = await post(desk)
    go_to_stage(desk, UUID(deployed["deploymentId"]), 1)
    take_back(desk, UUID(deployed["deploymentId"]))
    shown = await read(desk, deployed)
    assert (shown["status"], shown["stage"]["weight"], shown["reason"]["message"]) == ("RolledBack", 0, BAD.message)
    status, answer = await roll_back(desk, deployed)
    assert (status, answer["status"], answer["created"]) == (202, "RolledBack", False)


async def test_a_deployment_that_serves_is_rolled_back_by_an_operation_that_is_a_deployment_too(desk: Desk) -> None:
    deployed = await post(desk)
    desk.record.succeed(UUID(deployed["deploymentId"]))
    desk.started.clear()
    status, answer = await roll_back(desk, deployed)
    carrying = UUID(answer["operation"])
    assert (status, answer["deploymentId"], answer["status"]) == (202, deployed["deploymentId"], "RollingBack")
    assert desk.started == [carrying]
    order = await desk.record.order(carrying)
    assert (order.verb, order.wish.reason) == ("rollback", WHY["reason"])
    desk.record.succeed(carrying)
    back = await read(desk, {"links": {"self": f"{DEPLOYMENTS}/{carrying}"}})
    assert ((await read(desk, deployed))["status"], back["status"], back["pluginVersion"]) == ("RolledBack", "Completed", "1.0.0")
    assert await roll_back(desk, deployed) == (
        202,
        answer | {"status": "RolledBack", "created": False, "operation": deployed["deploymentId"]},
    )


async def test_asking_twice_to_take_back_is_one_rollback(desk: Desk) -> None:
    deployed = await post(desk)
    desk.record.succeed(UUID(deployed["deploymentId"]))
    (_, first), (_, second) = await roll_back(desk, deployed), await roll_back(desk, deployed)
    assert (second["operation"], second["created"]) == (first["operation"], False)


async def test_what_something_else_came_after_is_not_taken_back(desk: Desk) -> None:
    deployed = await post(desk)
    desk.record.succeed(UUID(deployed["deploymentId"]))
    later = await post(desk, pluginVersion="3.0.0")
    desk.record.succeed(UUID(later["deploymentId"]))
    status, problem = await roll_back(desk, deployed)
    assert (status, "take back the one that came after it" in problem["hint"]) == (409, True)
    assert (await read(desk, deployed))["status"] == "Completed"


async def test_what_failed_is_not_taken_back_again(desk: Desk) -> None:
    deployed = await post(desk)
    desk.record.withdraw(UUID(deployed["deploymentId"]), BAD)
    assert (await read(desk, deployed))["status"] == "Failed"
    status, problem = await roll_back(desk, deployed)
    assert (status, problem["type"].rpartition(":")[2]) == (409, "too-late")


async def test_a_word_with_a_key_is_said_once(desk: Desk) -> None:
    deployed = await post(desk)
    said = [await roll_back(desk, deployed, {"Idempotency-Key": "k"}) for _ in range(2)]
    assert [status for status, _ in said] == [202, 202]
    assert (await desk.record.operation(UUID(deployed["deploymentId"]))).phase is Phase.WITHDRAWN  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({}, id="no reason"),
        pytest.param({"reason": ""}, id="an empty one"),
        pytest.param({"reason": "slow", "revision": 1}, id="a field it does not have"),
    ],
)
async def test_taking_back_needs_a_reason_and_nothing_else(desk: Desk, wrong: dict[str, Any]) -> None:
    deployed = await post(desk)
    async with desk.client() as client:
        assert (await client.post(deployed["links"]["rollback"], json=wrong)).status_code == 422


@pytest.mark.parametrize("path", ["{}", "{}/health"])
async def test_what_is_no_deployment_is_not_found(desk: Desk, path: str) -> None:
    (installation,) = desk.record.installed
    async with desk.client() as client:
        off = await client.post(f"/api/v1/installations/{installation}/disable", json={"reason": "r"})
        for unknown in (uuid4(), installation, off.json()["operation"]):
            answer = await client.get(f"{DEPLOYMENTS}/{path.format(unknown)}")
            assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (404, "not-found")
        assert (await client.get(f"{DEPLOYMENTS}/{path.format('none')}")).status_code == 422


@pytest.mark.parametrize(
    ("claims", "statuses"),
    [
        pytest.param(
            {"tenants": ["tenant-acme-corp"], "roles": ["developer"]}, [202, 200, 200, 202], id="a developer may change"
        ),
        pytest.param({"tenants": ["tenant-acme-corp"], "roles": ["viewer"]}, [403, 200, 200, 403], id="a viewer may look"),
        pytest.param({"tenants": ["other"], "roles": ["developer"]}, [403, 404, 404, 404], id="another tenant sees nothing"),
        pytest.param({"roles": []}, [403, 403, 403, 403], id="nobody without a role"),
    ],
)
async def test_of_a_tenants_deployments(desk: Desk, claims: dict[str, Any], statuses: list[int]) -> None:
    links = (await post(desk))["links"]
    async with desk.client(bearer(**claims)) as client:
        answers = [
            await client.post(DEPLOYMENTS, json=WORDS),
            await client.get(links["self"]),
            await client.get(links["health"]),
            await client.post(links["rollback"], json=WHY),
        ]
    assert [answer.status_code for answer in answers] == statuses


async def test_without_a_token_nothing_is_told(desk: Desk) -> None:
    async with desk.client({"Accept": "*/*"}) as client:
        assert (await client.post(DEPLOYMENTS, json=WORDS)).status_code == 401
