"""What goes wrong is said through the whole chain with its reason and a hint, and nothing of it is left."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.api import Product
from tests.e2e.conftest import Tenant
from tests.e2e.folders import Service, make_up_secret
from tests.e2e.left import take_inventory

pytestmark = pytest.mark.world
MINIMIST = '{"name": "minimist", "version": "1.2.5", "license": "AGPL-3.0-only"}'
BROKEN = """
ARG NODE_IMAGE
FROM ${NODE_IMAGE}
RUN ["node", "-e", "console.error('the sky is falling'); process.exit(3)"]
USER 10001:10001
"""
PROXY = "@backstage/plugin-proxy-backend"


def fail(product: Product, tenant: Tenant, request: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Why the installation of the request failed, and what the state was; nothing more is there than before."""
    name = request["plugin"]["name"]
    before = take_inventory(product, tenant.name, name)
    seen = tenant.install(request)
    assert seen["phase"] == "withdrawn", seen["operation"]
    assert take_inventory(product, tenant.name, name) == before
    assert {one["state"] for one in seen["operation"]["steps"]} == {"undone"}
    reason: dict[str, Any] = seen["operation"]["reason"]
    return reason, f"{reason['message']} {reason['hint']}"


@pytest.mark.parametrize(
    ("name", "version", "said"),
    [
        pytest.param("@backstage/plugin-that-nobody-published", "*", "is not in the registry", id="unknown plugin"),
        pytest.param(PROXY, "^99", "^99", id="a range that nothing satisfies"),
        pytest.param(PROXY, "99.0.0", "99.0.0", id="unknown version"),
    ],
)
def test_release_that_is_not_there(product: Product, own_tenant: Tenant, name: str, version: str, said: str) -> None:
    request = product.request("backend", own_tenant.name)
    request["plugin"] |= {"name": name, "version": version}
    reason, words = fail(product, own_tenant, request)
    assert reason["code"] == "unresolvable"
    assert said in words
    assert name in words


def test_gates_refuse_with_all_objections_and_their_remedies(product: Product, own_tenant: Tenant, service: Service) -> None:
    service.write("cloud.env", make_up_secret())
    service.write("node_modules/minimist/package.json", MINIMIST)
    reason, words = fail(product, own_tenant, service.request(product, own_tenant.name))
    assert reason["code"] == "gate-refused"
    for objection in ("cloud.env", "CVE-2021-44906", "minimist", "AGPL"):
        assert objection in words, words
    assert words.count("(remedy: ") >= 3, words
    assert "1.2.6" in words
    findings = re.findall(r"waived as ([^)]+)\)", words)
    assert len(findings) == words.count("(remedy: "), words
    assert_is_let_through(product, own_tenant, service, findings)


def assert_is_let_through(product: Product, tenant: Tenant, service: Service, findings: list[str]) -> None:
    """Once somebody answers for each of the findings, and the account names them all."""
    said = {"tenant": tenant.name, "plugin": service.name, "owner": "team-hello", "reason": "only made up"}
    expires = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    for finding in findings:
        made = product.api.post("/api/v1/waivers", json=said | {"finding": finding, "expiresAt": expires})
        assert made.status_code == 201, made.text
    seen = tenant.install(service.request(product, tenant.name))
    assert seen["phase"] == "succeeded", seen["operation"]["reason"]
    report = product.api.get(f"/api/v1/installations/{seen['id']}/report").raise_for_status().text
    assert report.count("- waived: ") == len(findings), report


def test_build_that_fails_says_its_last_words(product: Product, own_tenant: Tenant, service: Service) -> None:
    service.write("Dockerfile", BROKEN)
    reason, words = fail(product, own_tenant, service.request(product, own_tenant.name))
    assert reason["code"] == "build-failed"
    assert "the sky is falling" in words


def test_what_exceeds_the_quota_does_not_fit(product: Product, own_tenant: Tenant) -> None:
    request = product.request("service", own_tenant.name, replicas=3)
    request["plugin"]["resources"]["memory"] = {"request": "16Mi", "limit": "7Gi"}
    reason, words = fail(product, own_tenant, request)
    assert reason["code"] == "does-not-fit"
    assert "needs 5Gi memory (limits) more during the rollout" in words


def test_pod_that_crashes_has_its_last_words_in_the_reason(product: Product, own_tenant: Tenant, service: Service) -> None:
    service.write("server.mjs", "console.error('the moon is missing'); process.exit(3);\n")
    reason, words = fail(product, own_tenant, service.request(product, own_tenant.name))
    assert reason["code"] == "rollout-failed"
    assert "exit code 3" in words
    assert "the moon is missing" in words
