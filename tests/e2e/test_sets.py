"""A set of two services behind the real Envoy, judged by the real Prometheus, while people use both: back together, and on together."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.api import Product
from tests.e2e.conftest import Tenant
from tests.e2e.folders import Service, make_service
from tests.e2e.rollouts import ALARM, FOLLOWS, at, entries, people, publish
from tests.e2e.traffic import CERTAIN, Traffic, is_likely

pytestmark = pytest.mark.world
SHARE = 30
STAGES = [{"weight": SHARE}, {"weight": 100, "pause": 6}]
CANARY: dict[str, Any] = {
    "strategy": "canary",
    "strategyConfig": {"stages": STAGES, "stageInterval": 12, "analysis": {"interval": 5, "minRequests": 5}},
}
# Requests a second for each of the two.
RATE = 25


@dataclass(frozen=True)
class Pair:
    """Two services of one tenant, the second of which needs the first."""

    product: Product
    tenant: Tenant
    services: tuple[Service, Service]

    def carry(self, **changes: Any) -> dict[str, Any]:
        """The set of both once it has ended, well or not; the second is named before the first, which has to come before it."""
        first, second = self.services
        asked = [second.request(self.product, self.tenant.name, dependsOn=[first.name], **changes)]
        asked.append(first.request(self.product, self.tenant.name, **changes))
        accepted = self.product.ask_set({"name": "pair", "tenant": self.tenant.name, "plugins": asked})
        for one in accepted["members"]:
            self.tenant.adopt(one["installation"])
        return self.product.await_set(accepted)

    def see(self, carried: dict[str, Any]) -> list[dict[str, Any]]:
        """Both installations as they stand, in the order of the set."""
        return [self.product.see(one["installation"]) for one in carried["members"]]

    @contextmanager
    def used(self, seen: list[dict[str, Any]]) -> Iterator[list[Traffic]]:
        """People use both until the block ends."""
        with ExitStack() as stack:
            yield [stack.enter_context(people(self.product, one, RATE)) for one in seen]

    def releases(self, *versions: str) -> list[str]:
        """Both releases by their names."""
        return [f"{one.name}@{version}" for one, version in zip(self.services, versions, strict=True)]

    def told(self, seen: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
        """What the timelines of both say of their newest operations."""
        return [entries(self.product, one) for one in seen]


@pytest.fixture
def pair(product: Product, own_tenant: Tenant) -> Iterator[Pair]:
    """Both services, which nobody has installed yet."""
    root = Path(product.world.plugin_dir)
    with make_service(root) as first, make_service(root) as second:
        yield Pair(product, own_tenant, (first, second))


def test_two_plugins_come_in_order_go_back_with_the_bad_one_and_go_on_stage_by_stage_together(pair: Pair) -> None:
    beside = pair.tenant.plugin("service")
    served = assert_they_come_in_order(pair)
    assert_both_go_back_with_the_bad_one(pair, served)
    assert_they_go_on_together(pair, served)
    after = pair.product.see(beside["id"])
    assert (after["revision"], after["operation"]) == (beside["revision"], beside["operation"])


def assert_they_come_in_order(pair: Pair) -> list[dict[str, Any]]:
    """Both installations: the first was ready before the second was begun, and nobody met one before both were ready."""
    served = pair.carry()
    assert (served["phase"], served["committed"]) == ("succeeded", True), served
    assert [one["plugin"] for one in served["members"]] == [one.name for one in pair.services]
    seen = pair.see(served)
    first, second = pair.told(seen)
    assert at(first, "roll_out") <= at(second, "provision_namespace", "intended")
    assert at(second, "roll_out") <= min(at(one, "shift_traffic", "intended") for one in (first, second))
    assert met_now(pair, seen) == pair.releases("1.0.0", "1.0.0")
    return seen


def assert_both_go_back_with_the_bad_one(pair: Pair, served: list[dict[str, Any]]) -> None:
    """The first is bad: it is named and kept away alone, and whoever uses the second never noticed."""
    bad, good = pair.services
    publish(bad, "1.1.0", bad=True)
    publish(good, "1.1.0")
    with pair.used(served) as traffic:
        carried = pair.carry(**CANARY)
        await_answers(traffic)
    assert (carried["phase"], carried["bad"], carried["committed"]) == ("withdrawn", bad.name, False), carried
    of_bad, of_good = (one["reason"] for one in carried["members"])
    assert (carried["reason"], of_bad["code"], of_good["code"]) == (of_bad, "analysis-failed", "set-failed")
    assert f"because of {bad.name}: {of_bad['message']}" in of_good["message"]
    seen = pair.see(carried)
    assert [one["revision"] for one in seen] == [one["revision"] for one in served]
    assert met_now(pair, seen) == pair.releases("1.0.0", "1.0.0")
    assert kept_away(pair, seen) == [[f"{bad.name}@1.1.0"], []]
    told = pair.told(seen)
    assert [one for each in told for one in each if one["step"] == "route_stage:2"] == []
    for each, users, release in zip(told, traffic, pair.releases("1.0.0", "1.0.0"), strict=True):
        assert {one.release for one in users.led_to(release, at(each, "route_stage:1", "undone"))} == {release}
    of_bad, of_good = ([one for one in users.answers if one.failed] for users in traffic)
    assert ({one.status for one in of_bad}, {one.release for one in of_bad}, of_good) == ({500}, {f"{bad.name}@1.1.0"}, [])


def assert_they_go_on_together(pair: Pair, served: list[dict[str, Any]]) -> None:
    """With nothing wrong any more both come, no stage of one before the last one of both was over, and nobody noticed.

    The release of the second that came back with the first is asked for again: it had done nothing.
    """
    publish(pair.services[0], "1.2.0")
    with pair.used(served) as traffic:
        carried = pair.carry(**CANARY)
        await_answers(traffic)
    assert (carried["phase"], carried["committed"]) == ("succeeded", True), carried
    seen, wanted = pair.see(carried), pair.releases("1.2.0", "1.1.0")
    assert [one["revision"]["release"] for one in seen] == wanted == met_now(pair, seen)
    assert [one for users in traffic for one in users.answers if one.failed] == []
    told = pair.told(seen)
    over = [at(one, "watch_stage:1") for one in told]
    assert max(over) <= min(at(one, "route_stage:2", "intended") for one in told)
    for each, ends, users, release in zip(told, over, traffic, wanted, strict=True):
        met = users.between(at(each, "route_stage:1") + FOLLOWS, ends)
        new = sum(one.release == release for one in met)
        assert len(met) > 100
        assert is_likely(new, len(met), SHARE / 100, ALARM), f"{new} of {len(met)} met {release}"
        assert {one.release for one in users.led_to(release, at(each, "route_stage:2"))} == {release}


def await_answers(traffic: list[Traffic]) -> None:
    """Enough ask from now on to show to whom all are led."""
    since = time.time()
    for users in traffic:
        users.await_answers(since, 2 * CERTAIN)


def met_now(pair: Pair, seen: list[dict[str, Any]]) -> list[str]:
    """The releases that answer at both hosts."""
    return [pair.product.await_answer(one, "/hello", 200).release for one in seen]


def kept_away(pair: Pair, seen: list[dict[str, Any]]) -> list[list[str]]:
    """What is in quarantine of each."""
    paths = [f"/api/v1/installations/{one['id']}/quarantine" for one in seen]
    kept = [pair.product.api.get(path).raise_for_status().json()["items"] for path in paths]
    return [[one["release"] for one in items] for items in kept]
