"""The pipeline's own namespace as it is declared, with the world's addresses filled in."""

from string import Template
from typing import Any

import yaml

from tests.infra import machine

DECLARED = machine.ROOT / "infra/local/cluster/pipeline.yaml"
# As env.sh has them.
ADDRESSES = {
    "GATEWAY_IP": "10.244.0.1",
    "CLUSTER_DNS": "10.96.0.10",
    "FIRST_SERVICE": "10.96.0.1",
    "POD_NETWORK": "10.244.0.0/24",
    "SERVICE_NETWORK": "10.96.0.0/16",
    "POSTGRES_PORT": "15432",
    "PREFECT_PORT": "4200",
    "REGISTRY_PORT": "5000",
    "BUILDER_PORT": "2376",
    "GATEWAY_PORT": "8888",
    "PROMETHEUS_PORT": "9091",
}


def read_objects(*kinds: str) -> list[dict[str, Any]]:
    """Every declared object of these kinds."""
    text = Template(DECLARED.read_text()).substitute(ADDRESSES)
    return [one for one in yaml.safe_load_all(text) if one["kind"] in kinds]
