"""The namespaces in which objects are tried stand after the first call, and a second one changes nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from blocks.cluster.live import open_cluster
from blocks.domain.objects.names import Name
from deployments.standing import let_stand
from tests.conftest import World
from tests.fakes.cluster import open_fake_cluster
from tests.tasks.carried import settings_for

NAMES = [f"plugin-pipeline-dry-run-{environment}" for environment in ("dev", "staging", "prod")]


async def test_they_stand_with_their_bounds_and_are_made_once(tmp_path: Path) -> None:
    async with open_fake_cluster() as fake:
        settings = settings_for(fake.kubeconfig(tmp_path))
        assert await let_stand(settings) == NAMES
        assert {f"resourcequotas {name}/quota" for name in NAMES} <= fake.names()
        before = fake.store.version
        assert await let_stand(settings) == NAMES
        assert fake.store.version == before


@pytest.mark.world
async def test_the_real_cluster_enforces_there_what_it_enforces_for_tenants(world: World) -> None:
    kubeconfig = Path(world.kubeconfig)
    assert await let_stand(settings_for(kubeconfig)) == NAMES
    async with open_cluster(kubeconfig) as cluster:
        found = [await cluster.read(Name("Namespace", "", name)) for name in NAMES]
    assert {(one or {})["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] for one in found} == {"restricted"}


@pytest.mark.world
def test_it_is_called_by_its_name_and_says_what_stands(world: World) -> None:
    called = [sys.executable, "-m", "deployments.standing"]
    said = subprocess.run(
        called, capture_output=True, text=True, timeout=120, check=True, env=os.environ | {"KUBECONFIG": world.kubeconfig}
    )
    assert said.stdout.splitlines() == [f"objects are tried in {name}" for name in NAMES]
