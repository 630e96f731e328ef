"""Who may talk to whom, proved by cyclonus against a table, and every rule of every policy needed for the proof.

The local cluster's network enforces no policy, so that this is what there is: an independent reading of what was written.
"""

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from blocks.domain.errors import Refused
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.network import network_policies
from tests.blocks.domain.objects.blueprints import SITE, make_blueprint
from tests.blocks.domain.objects.simulator import judge
from tests.conftest import World

TABLE: dict[str, Any] = json.loads((Path(__file__).parents[3] / "cases" / "network" / "traffic.json").read_text())
APART = replace(
    SITE, gateway_cidrs=("10.0.0.1/32", "10.0.1.0/24"), dns_cidrs=("10.0.0.2/32", "10.0.0.3/32"), database_host="10.0.0.4"
)
DECLARED = [{"cidr": "192.0.2.0/24", "port": 443}, {"cidr": "198.51.100.0/24", "port": 8125, "protocol": "UDP"}]
POLICIES = network_policies(replace(make_blueprint("backend", egress=DECLARED), site=APART))


def with_one_rule_less() -> Iterator[tuple[str, list[Object]]]:
    """Every way to leave out one policy, one direction, one rule, one peer or one port."""
    for number, policy in enumerate(POLICIES):
        name = policy["metadata"]["name"]
        yield name, [one for one in POLICIES if one is not policy]
        for path in list_entries(policy["spec"]):
            fewer = copy.deepcopy(POLICIES)
            into = fewer[number]["spec"]
            for key in path[:-1]:
                into = into[key]
            del into[path[-1]]
            if fewer[number]["spec"]["policyTypes"]:
                yield f"{name}: {'.'.join(map(str, path))}", fewer


def list_entries(found: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every entry of every list."""
    pairs = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    for key, below in pairs:
        if isinstance(found, list):
            yield (*path, key)
        yield from list_entries(below, (*path, key))


@pytest.fixture
def cyclonus(world: World) -> Path:
    """The simulator, as the world brings it."""
    return Path(world.pipeline_bin) / "cyclonus"


@pytest.mark.world
def test_the_policies_allow_exactly_what_the_table_says(cyclonus: Path, tmp_path: Path) -> None:
    said = judge(cyclonus, tmp_path, POLICIES, TABLE)
    assert len(said) == len(TABLE["traffic"])
    assert [row for row, allowed in zip(TABLE["traffic"], said, strict=True) if row["allowed"] != allowed] == []


@pytest.mark.world
@pytest.mark.parametrize("fewer", [pytest.param(fewer, id=name) for name, fewer in with_one_rule_less()])
def test_without_any_one_rule_the_proof_fails(cyclonus: Path, tmp_path: Path, fewer: list[Object]) -> None:
    assert judge(cyclonus, tmp_path, fewer, TABLE) != [row["allowed"] for row in TABLE["traffic"]]


def test_only_what_is_needed_is_there() -> None:
    names = [one["metadata"]["name"] for one in network_policies(make_blueprint("frontend"))]
    assert names == ["default-deny", "allow-dns", "allow-same-namespace", "backstage-plugin-catalog-gateway"]


@pytest.mark.parametrize(
    ("host", "block"), [("10.0.0.4", "10.0.0.4/32"), ("2001:db8::1", "2001:db8::1/128")], ids=["IPv4", "IPv6"]
)
def test_the_database_is_one_address(host: str, block: str) -> None:
    blueprint = replace(make_blueprint("backend"), site=replace(SITE, database_host=host))
    (policy,) = [one for one in network_policies(blueprint) if one["metadata"]["name"].endswith("-database")]
    assert policy["spec"]["egress"][0]["to"] == [{"ipBlock": {"cidr": block}}]


def test_a_database_with_a_name_is_refused() -> None:
    with pytest.raises(Refused, match="needs the database's address"):
        network_policies(replace(make_blueprint("backend"), site=replace(SITE, database_host="db.example")))


OURS = replace(SITE, pipeline_cidrs=("10.0.0.9/32", "2001:db8::/64"))


@pytest.mark.parametrize(
    ("declared", "block"),
    [
        pytest.param("192.0.2.0/24", {"cidr": "192.0.2.0/24"}, id="elsewhere"),
        pytest.param("10.0.0.0/8", {"cidr": "10.0.0.0/8", "except": ["10.0.0.9/32"]}, id="around it"),
        pytest.param("::/0", {"cidr": "::/0", "except": ["2001:db8::/64"]}, id="around it, IPv6"),
    ],
)
def test_what_a_plugin_declares_leaves_out_the_pipeline(declared: str, block: dict[str, Any]) -> None:
    blueprint = replace(make_blueprint("frontend", egress=[{"cidr": declared, "port": 4200}]), site=OURS)
    (policy,) = [one for one in network_policies(blueprint) if one["metadata"]["name"].endswith("-egress")]
    assert policy["spec"]["egress"][0]["to"] == [{"ipBlock": block}]


@pytest.mark.parametrize("declared", ["10.0.0.9/32", "2001:db8::1/128"])
def test_the_pipeline_itself_cannot_be_declared(declared: str) -> None:
    blueprint = replace(make_blueprint("frontend", egress=[{"cidr": declared, "port": 4200}]), site=OURS)
    with pytest.raises(Refused, match="the pipeline itself is there"):
        network_policies(blueprint)
