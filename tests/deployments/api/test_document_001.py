"""The commands of document 001 do what they say there, letter by letter; only the host is another."""

import json
import os
import subprocess
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.deployments.builders import CASES, bearer, make_body, make_token
from tests.deployments.conftest import Stage

COMMANDS = CASES / "document-001"
PLUGIN = {"name": "payment-stripe", "version": "1.9.0", "runtime": {"type": "backend"}}


@pytest.fixture
def deployed(stage: Stage) -> Stage:
    """The served API, with the plugin that document 001 deploys in an earlier release."""
    body = make_body(plugin=PLUGIN, tenant="tenant-acme-corp", environment="prod")
    with httpx.Client(base_url=stage.url, headers=bearer(), timeout=60) as client:
        accepted = client.post("/api/v1/plugins/install", json=body).json()
    stage.record.succeed(UUID(accepted["operation"]))
    return stage


def type_command(stage: Stage, name: str, deployment: str = "") -> dict[str, Any]:
    """What curl prints when somebody types the command."""
    text = (COMMANDS / f"{name}.sh").read_text().replace("https://api.example.com", stage.url)
    said = {"TOKEN": make_token(tenants=["tenant-acme-corp"], roles=["developer"]), "DEPLOYMENT_ID": deployment, "no_proxy": "*"}
    done = subprocess.run(["sh", "-c", text], env=os.environ | said, capture_output=True, text=True, check=True, timeout=60)
    shown: dict[str, Any] = json.loads(done.stdout)
    return shown


def test_deploying_watching_and_rolling_back_as_it_stands_there(deployed: Stage) -> None:
    checked = type_command(deployed, "validate-dependencies")
    begun = type_command(deployed, "deploy")
    named = begun["deploymentId"]
    shown, health = type_command(deployed, "read", named), type_command(deployed, "health", named)
    back = type_command(deployed, "rollback", named)
    again = type_command(deployed, "read", named)
    assert (checked["valid"], begun["status"], shown["instances"]["total"]) == (True, "Pending", 10)
    assert (shown["status"], health["deploymentId"], health["status"]) == ("Pending", named, "Unknown")
    assert (back["deploymentId"], again["status"]) == (named, "RolledBack")
    assert "High error rate detected" in again["reason"]["message"]
