"""The running product of the local world, whose processes are killed while it works; whoever supervises the world starts them again."""

import asyncio
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import psutil

from tests.chaos.ground import make_name
from tests.chaos.life import Outcome
from tests.chaos.points import Moment, Point
from tests.chaos.scripts import Act
from tests.e2e.api import FINAL, LOOK_EVERY, PATIENCE, Product, slowly
from tests.e2e.left import count, take_inventory

# What each process is started with, by what people call it.
PROCESSES = {
    "API": "-m deployments.serve",
    "keeper": "-m deployments.keeper",
    "Prefect server": "server start --host",
}
CARRIER = "carrier"
FIRST_AFTER = "SELECT min(at) FROM journal WHERE operation = $1::uuid AND at > $2"


@dataclass(frozen=True)
class Blow:
    """Who is killed at once while a verb is at a step."""

    verb: str
    step: str
    killed: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.verb}: {' and '.join(self.killed)} killed during {self.step}"


BLOWS = (
    Blow("install", "roll_out", ("API",)),
    Blow("update", "roll_out", ("keeper", CARRIER)),
    Blow("rollback", "roll_out", ("Prefect server",)),
    Blow("uninstall", "remove_plugin", ("API", CARRIER)),
)


def play_product(product: Product) -> list[Outcome]:
    """What came of the blows, one after the other on one installation."""
    tenant, outcomes, installation = make_name(), list[Outcome](), ""
    for blow in BLOWS:
        accepted = ask(product, blow.verb, tenant, installation)
        installation = accepted["id"]
        outcomes.append(strike(product, blow, accepted))
        if outcomes[-1].complaints:
            break
    left = take_inventory(product, tenant, "none")
    wrong = [f"{one} is left" for one in (*left.objects, *left.databases)]
    wrong += [f"{number} {name}" for name, number in left.rows if number and name != "revisions"]
    last = outcomes.pop()
    return [*outcomes, Outcome(last.act, last.world, (*last.complaints, *wrong), last.resumed_after)]


def strike(product: Product, blow: Blow, accepted: Mapping[str, Any]) -> Outcome:
    """What came of one blow."""
    await_step(product, accepted, blow.step)
    victims = [victim for name in blow.killed for victim in find(product, name, accepted)]
    for victim in victims:
        victim.send_signal(signal.SIGKILL)
    struck = time.time() * 1000
    _, alive = psutil.wait_procs(victims, timeout=10)
    wrong = [f"{len(victims)} processes were found for {blow.killed}"] if len(victims) != len(blow.killed) else []
    wrong += [f"{one} is still there" for one in alive]
    seen = await_end(product, accepted)
    wrong += [] if seen["phase"] == "succeeded" else [f"it ended {seen['phase']}: {seen['operation']['reason']}"]
    for name in blow.killed:
        wrong += [] if name == CARRIER or await_again(product, name, victims) else [f"{name} did not come back"]
    first = asyncio.run(count(product, FIRST_AFTER, accepted["operation"], int(struck)))
    point = Point(blow.verb, f"{blow.step} ({' and '.join(blow.killed)})", Moment.AFTER_INTENT)
    return Outcome(Act(blow.verb, (point,)), "product", tuple(wrong), ((first - struck) / 1000 if first else None,))


def ask(product: Product, verb: str, tenant: str, installation: str) -> dict[str, Any]:
    """What was accepted: version 1, another configuration of it, back, and away with it."""
    request = product.request("service", tenant)
    about, below = {"reason": "a test"}, f"/api/v1/installations/{installation}"
    match verb:
        case "install":
            return product.ask(request)
        case "update":
            return product.ask({**slowly(request, 15), "replicas": 2})
        case "rollback":
            answer = product.api.post(f"{below}/rollback", json=about)
        case _:
            answer = product.api.delete(below, params={"dropData": "true"})
    assert answer.status_code == 202, answer.text
    accepted: dict[str, Any] = answer.json()
    return accepted


def look(product: Product, installation: str) -> dict[str, Any] | None:
    """The installation as the API shows it, or None while the API is away."""
    try:
        return product.see(installation)
    except httpx.TransportError:
        return None


def await_step(product: Product, accepted: Mapping[str, Any], step: str) -> None:
    """The step was begun, or the operation has ended."""
    for seen in looks(product, accepted):
        if any(one["name"] == step for one in seen["operation"]["steps"]) or seen["phase"] in FINAL:
            return


def await_end(product: Product, accepted: Mapping[str, Any]) -> dict[str, Any]:
    """The installation once the operation has ended."""
    return next(seen for seen in looks(product, accepted) if seen["phase"] in FINAL)


def looks(product: Product, accepted: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The installation again and again, with this operation the newest."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        seen = look(product, accepted["id"])
        if seen and seen["operation"]["id"] == accepted["operation"]:
            yield seen
        time.sleep(LOOK_EVERY / 5)
    raise AssertionError(f"it never came: {look(product, accepted['id'])}")


def find(product: Product, name: str, accepted: Mapping[str, Any]) -> list[psutil.Process]:
    """The processes of this name that belong to the world."""
    if name == CARRIER:
        return [product.carrier(product.see(accepted["id"]))]
    return [one for one in _supervised() if PROCESSES[name] in " ".join(one.info["cmdline"] or ())]


def await_again(product: Product, name: str, before: list[psutil.Process]) -> bool:
    """Whether a new process of this name came up."""
    ends, old = time.monotonic() + PATIENCE, {one.pid for one in before}
    while time.monotonic() < ends:
        if any(one.pid not in old for one in find(product, name, {})):
            return True
        time.sleep(LOOK_EVERY)
    return False


def _supervised() -> Iterator[psutil.Process]:
    for supervisor in psutil.process_iter(["name"]):
        if supervisor.info["name"] == "process-compose":
            for child in supervisor.children(recursive=True):
                try:
                    child.info = child.as_dict(["cmdline"])
                except psutil.NoSuchProcess:
                    continue
                yield child
