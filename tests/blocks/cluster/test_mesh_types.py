"""What is rendered for a mesh is what its own types ask for: a real API server with them takes it, and takes nothing that is wrong.

That is all that is proved here. No proxy of a mesh runs, so nothing is known of what they do with it.
"""

import copy
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from blocks.cluster.apply import APPLY
from blocks.cluster.connection import open_connection
from blocks.cluster.paths import KINDS, Ask
from blocks.cluster.translate import Answer
from blocks.domain.mesh import Mesh
from blocks.domain.objects import istio, linkerd
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.routes import http_route, previewed, split
from tests.blocks.domain.objects.blueprints import SITE, make_blueprint
from tests.conftest import World
from tests.infra.machine import script

pytestmark = pytest.mark.world
LINKERD = Path(__file__).parents[2] / "cases" / "mesh" / "linkerd.yaml"
OF_ISTIO = ("VirtualService", "DestinationRule", "PeerAuthentication", "AuthorizationPolicy")

FIRST, SECOND = (replace(make_blueprint("backend", revision=one), site=replace(SITE, mesh=Mesh.LINKERD)) for one in (1, 2))
BEFORE, NOW = http_route(FIRST), http_route(SECOND)
BACKEND = NOW["spec"]["rules"][0]["backendRefs"][0]
COOKIE = {"name": "cookie", "value": "(^|.*; )variant=b($|;.*)", "type": "RegularExpression"}
KEEP = {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"add": [{"name": "set-cookie", "value": "variant=b"}]}}
COPY = {"type": "RequestMirror", "requestMirror": {"backendRef": {key: BACKEND[key] for key in ("name", "port")}, "percent": 5}}
MATCH = {"headers": [COOKIE], "path": {"type": "PathPrefix", "value": "/"}, "queryParams": [{"name": "q", "value": "1"}]}
VARIANT = {"matches": [MATCH], "filters": [COPY], "backendRefs": [BACKEND | {"filters": [KEEP]}]}
SPLIT, RULE = istio.virtual_service(split(NOW, BEFORE, 30)), istio.destination_rule(split(NOW, BEFORE, 30))
STRICT, NOBODY, ALLOWED = istio.protection(SECOND)
MESHED = {f"{one['kind']}-{one['metadata']['name'].rpartition('-')[2]}": one for one in linkerd.protection(SECOND)}
SERVER = next(one for one in MESHED.values() if one["kind"] == "Server")
POLICY = next(one for one in MESHED.values() if one["kind"] == "AuthorizationPolicy")
TAKEN = {
    "a share": SPLIT,
    "a preview": istio.virtual_service(previewed(NOW, BEFORE)),
    "a variant that is kept to, and a copy": istio.virtual_service(NOW | {"spec": NOW["spec"] | {"rules": [VARIANT]}}),
    "subsets": RULE,
    "nothing in the clear": STRICT,
    "nobody": NOBODY,
    "gateway and tenant": ALLOWED,
    **{f"linkerd {name}": one for name, one in MESHED.items()},
}


def kubectl(world: World, *words: str, told: str = "") -> str:
    """What the cluster's own client says; it ended well."""
    program = [f"{world.pipeline_bin}/kubectl", f"--kubeconfig={world.kubeconfig}", *words]
    done = subprocess.run(program, input=told, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def read_types() -> list[Object]:
    """The real definitions of what is rendered."""
    found = [*yaml.safe_load_all(LINKERD.read_text()), *yaml.safe_load_all(Path(script("mesh-types.sh").strip()).read_text())]
    return [
        one for one in found if one and (one["spec"]["group"] == "policy.linkerd.io" or one["spec"]["names"]["kind"] in OF_ISTIO)
    ]


@pytest.fixture(scope="module")
def types(world: World) -> Iterator[Mapping[tuple[str, str], str]]:
    """The plural of each kind by group, while the API server knows them; nobody else's world has them, so they go."""
    wanted = read_types()
    names = [f"crd/{one['metadata']['name']}" for one in wanted]
    try:
        kubectl(world, "apply", "--server-side", "--force-conflicts", "-f", "-", told=yaml.safe_dump_all(wanted))
        kubectl(world, "wait", "--for=condition=Established", "--timeout=60s", *names)
        yield {(one["spec"]["group"], one["spec"]["names"]["kind"]): one["spec"]["names"]["plural"] for one in wanted}
    finally:
        kubectl(world, "delete", "--ignore-not-found", *names)


async def try_one(world: World, types: Mapping[tuple[str, str], str], wanted: Object) -> Answer:
    """What the API server says to the object, which is not made."""
    group, _, version = wanted["apiVersion"].rpartition("/")
    plural = types.get((group, wanted["kind"])) or KINDS[wanted["kind"]][1]
    metadata = wanted["metadata"] | {"namespace": "default"}
    path = f"/apis/{group}/{version}/namespaces/default/{plural}/{metadata['name']}"
    query: dict[str, str | int] = {"fieldManager": "tries", "fieldValidation": "Strict", "dryRun": "All"}
    async with open_connection(Path(world.kubeconfig)) as connection:
        return await connection.ask(Ask("PATCH", path, query, wanted | {"metadata": metadata}, APPLY))


@pytest.mark.parametrize("wanted", TAKEN.values(), ids=TAKEN.keys())
async def test_a_real_api_server_takes_what_is_rendered(
    world: World, types: Mapping[tuple[str, str], str], wanted: Object
) -> None:
    answer = await try_one(world, types, wanted)
    assert answer.ok, answer.sentence


def weigh(spec: dict[str, Any], value: object) -> None:
    spec["http"][0]["route"][0]["weight"] = value


@pytest.mark.parametrize(
    ("wanted", "spoil", "said"),
    [
        pytest.param(SPLIT, lambda spec: weigh(spec, "x"), "weight", id="a weight that is a word"),
        pytest.param(SPLIT, lambda spec: spec.update(hots=["a"]), "hots", id="a field that is not there"),
        pytest.param(RULE, lambda spec: spec["trafficPolicy"]["tls"].update(mode="NEARLY"), "NEARLY", id="half a mode"),
        pytest.param(STRICT, lambda spec: spec["mtls"].update(mode="LOOSE"), "LOOSE", id="in the clear by a name of its own"),
        pytest.param(ALLOWED, lambda spec: spec.update(action="MAYBE"), "MAYBE", id="perhaps"),
        pytest.param(SERVER, lambda spec: spec.pop("port"), "port", id="no port"),
        pytest.param(SERVER, lambda spec: spec.update(accessPolicy=1), "accessPolicy", id="a policy that is a number"),
        pytest.param(POLICY, lambda spec: spec.pop("targetRef"), "targetRef", id="nothing that it is about"),
    ],
)
async def test_and_nothing_that_is_wrong(
    world: World,
    types: Mapping[tuple[str, str], str],
    wanted: Object,
    spoil: Callable[[dict[str, Any]], object],
    said: str,
) -> None:
    wrong = copy.deepcopy(wanted)
    spoil(wrong["spec"])
    answer = await try_one(world, types, wrong)
    assert not answer.ok
    assert said in answer.sentence
