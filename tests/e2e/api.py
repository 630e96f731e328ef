"""The running product as a client meets it: HTTP and JSON, the cluster's own kubectl, the gateway's Envoy; nothing of ours in between."""

import json
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil
import typer

from deployments.terminal.files import find_address
from tests.conftest import World

REQUESTS = Path(__file__).parents[2] / "infra" / "local" / "requests"
T = TypeVar("T")
SETS = "/api/v1/plugin-sets"
FINAL = frozenset({"succeeded", "withdrawn", "frozen"})
# How long anything may take on a busy machine before a test gives it up, in seconds, and how often it looks.
PATIENCE, LOOK_EVERY = 480.0, 0.5


@dataclass(frozen=True)
class Reported:
    """What came back through the gateway."""

    status: int
    release: str
    text: str


def slowly(request: Mapping[str, Any], seconds: int) -> dict[str, Any]:
    """The request for a service whose pods take so long to be ready: whoever rolls it out is met while it does."""
    readiness = {"path": "/ready", "port": 8080, "initialDelaySeconds": seconds}
    return {**request, "plugin": {**request["plugin"], "healthChecks": {"readiness": readiness}}}


class Product:
    """The API with the local token, the cluster and the gateway of the world."""

    def __init__(self, world: World) -> None:
        self.world = world
        address = find_address(None, None, [Path(typer.get_app_dir("plugin-pipeline"))])
        head = {"Authorization": f"Bearer {address.token}"}
        self.api = httpx.Client(base_url=address.url, headers=head, timeout=30, trust_env=False)
        self.gateway = httpx.Client(base_url=world.gateway_url, timeout=30, trust_env=False)
        self.prefect = open_prefect(world)

    def close(self) -> None:
        """Close what was opened."""
        self.api.close()
        self.gateway.close()
        self.prefect.close()

    def request(self, name: str, tenant: str, **changes: Any) -> dict[str, Any]:
        """The request that `make run` would make for the plugin, for this tenant."""
        asked: dict[str, Any] = json.loads((REQUESTS / f"{name}.json").read_text())
        return {**asked, "tenant": tenant, **changes}

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Ask for an installation."""
        answer = self.api.post("/api/v1/plugins/install", json=request)
        assert answer.status_code == 202, answer.text
        accepted: dict[str, Any] = answer.json()
        return accepted

    def install(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The installation once its operation has ended, well or not."""
        return self.await_end(self.ask(request))

    def ask_set(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Ask for several plugins as one: the set as it then stands."""
        answer = self.api.post(SETS, json=request)
        assert answer.status_code == 202, answer.text
        return self._see_set(answer.json()["id"])

    def await_set(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """The set once it has ended, well or not."""
        return self._await(lambda: self._see_set(asked["id"]), lambda seen: seen["phase"] in FINAL)

    def _see_set(self, plugin_set: str) -> dict[str, Any]:
        seen: dict[str, Any] = self.api.get(f"{SETS}/{plugin_set}").raise_for_status().json()
        return seen

    def carrier(self, seen: Mapping[str, Any]) -> psutil.Process:
        """The process on this machine that runs the operation's flow run, as Prefect was told."""
        flow_run = seen["operation"]["flowRunUrl"].rpartition("/")[2]
        told = self._await(lambda: self.prefect.get(f"flow_runs/{flow_run}").json(), lambda run: bool(run["infrastructure_pid"]))
        return psutil.Process(int(told["infrastructure_pid"]))

    def await_end(self, accepted: Mapping[str, Any]) -> dict[str, Any]:
        """The installation once the accepted operation has ended."""

        def has_ended(seen: Mapping[str, Any]) -> bool:
            return bool(seen["operation"]["id"] != accepted["operation"] or seen["phase"] in FINAL)

        return self.await_that(accepted["id"], has_ended)

    def await_operation(self, installation: str, operation: str) -> dict[str, Any]:
        """The operation once it has ended, whatever else goes on with the installation."""
        path = f"/api/v1/installations/{installation}/operations/{operation}"
        return self._await(lambda: self.api.get(path).json(), lambda seen: seen["phase"] in FINAL)

    def await_that(self, installation: str, is_so: Callable[[Mapping[str, Any]], bool]) -> dict[str, Any]:
        """The installation once it is so."""
        return self._await(lambda: self.see(installation), is_so)

    def await_answer(self, seen: Mapping[str, Any], path: str, status: int) -> Reported:
        """What the installation's host answers once it answers so: the gateway follows a route a little later than it takes it."""
        return self._await(lambda: self.call(seen, path), lambda answer: answer.status == status)

    def _await(self, look: Callable[[], T], is_so: Callable[[T], bool]) -> T:
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            if is_so(seen := look()):
                return seen
            time.sleep(LOOK_EVERY)
        raise AssertionError(f"it did not come to be, this is how it stands: {look()}")

    def await_rest(self, installation: str) -> dict[str, Any]:
        """The installation once nothing happens on it any more."""
        return self.await_end({"id": installation, "operation": self.see(installation)["operation"]["id"]})

    def see(self, installation: str) -> dict[str, Any]:
        """One installation as the API shows it."""
        answer = self.api.get(f"/api/v1/installations/{installation}")
        assert answer.status_code == 200, answer.text
        seen: dict[str, Any] = answer.json()
        return seen

    def uninstall(self, installation: str, *, drop_data: bool = True) -> dict[str, Any]:
        """The installation once it has been taken away."""
        answer = self.api.delete(f"/api/v1/installations/{installation}", params={"dropData": str(drop_data).lower()})
        assert answer.status_code == 202, answer.text
        return self.await_end(answer.json())

    def call(self, seen: Mapping[str, Any], path: str) -> Reported:
        """What the installation's host answers on the path through Envoy."""
        host = httpx.URL(seen["revision"]["url"]).host
        answer = self.gateway.get(path, headers={"Host": host})
        return Reported(answer.status_code, answer.headers.get("x-plugin-release", ""), answer.text)

    def kubectl(self, *arguments: str, told: str | None = None) -> str:
        """What kubectl says; an error of its is an error of the test."""
        program = [f"{self.world.pipeline_bin}/kubectl", f"--kubeconfig={self.world.kubeconfig}", *arguments]
        done = subprocess.run(program, input=told, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
        return done.stdout

    def objects(self, kind: str, namespace: str) -> list[dict[str, Any]]:
        """Every object of the kind in the namespace."""
        items: list[dict[str, Any]] = json.loads(self.kubectl("get", kind, "-n", namespace, "-o", "json"))["items"]
        return items


def open_prefect(world: World) -> httpx.Client:
    """Prefect's API, with the password that it asks everybody for."""
    name, _, password = world.prefect_api_auth_string.partition(":")
    return httpx.Client(base_url=world.prefect_api_url, auth=(name, password), trust_env=False, timeout=30)


def step(seen: Mapping[str, Any], name: str) -> dict[str, Any]:
    """One step of the newest operation."""
    found: dict[str, Any] = next(one for one in seen["operation"]["steps"] if one["name"] == name)
    return found


def locked(seen: Mapping[str, Any]) -> str:
    """The release that the lock holds, as `name@version`."""
    release = step(seen, "resolve")["result"]["release"]
    return f"{release['name']}@{release['version']}"
