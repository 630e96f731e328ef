"""Prefect's API answers those with its password, and no network policy leads a tenant's pods there."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from blocks.domain.objects.network import network_policies
from tests.blocks.domain.objects.blueprints import SITE, make_blueprint
from tests.blocks.domain.objects.simulator import judge
from tests.conftest import World
from tests.e2e.api import open_prefect
from tests.infra import machine
from tests.infra.pipeline import read_objects

pytestmark = pytest.mark.world
TABLE: dict[str, Any] = json.loads((machine.ROOT / "tests/cases/network/pipeline.json").read_text())
# One that may call wherever it likes, as far as its tenant can say so.
ANYWHERE = [{"cidr": "0.0.0.0/0", "port": port} for port in (443, 2376, 4200, 5000, 6443, 9091)]


@pytest.mark.parametrize("path", ["flows/filter", "work_pools/filter", "admin/settings"])
def test_nobody_is_answered_without_the_password(world: World, path: str) -> None:
    with httpx.Client(base_url=world.prefect_api_url, trust_env=False) as stranger:
        assert stranger.post(path, json={}).status_code == 401
        assert stranger.post(path, json={}, auth=("plugin-pipeline", "guessed")).status_code == 401


def test_whoever_has_the_password_is_answered(world: World) -> None:
    with open_prefect(world) as prefect:
        assert prefect.post("flows/filter", json={}).status_code == 200


def test_whether_it_lives_may_be_asked_by_anybody(world: World) -> None:
    assert httpx.get(f"{world.prefect_api_url}/health", trust_env=False).status_code == 200


def test_the_policies_lead_runs_to_what_they_need_and_tenants_to_nothing_of_it(world: World, tmp_path: Path) -> None:
    blueprint = make_blueprint("backend", egress=ANYWHERE)
    tenants = network_policies(replace(blueprint, site=replace(SITE, pipeline_cidrs=("10.244.0.1/32",))))
    said = judge(Path(world.pipeline_bin) / "cyclonus", tmp_path, [*read_objects("NetworkPolicy"), *tenants], TABLE)
    assert len(said) == len(TABLE["traffic"])
    assert [one for one, allowed in zip(TABLE["traffic"], said, strict=True) if one["allowed"] != allowed] == []
