"""Autoscaled on the real cluster: metrics-server measures how busy the pods are, and the autoscaler follows the revision that serves."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.e2e.api import Product, step
from tests.e2e.conftest import Tenant
from tests.e2e.folders import Service
from tests.e2e.rollouts import people, publish

pytestmark = pytest.mark.world
FEWEST, MOST = 1, 3
# Nobody's pod is idle by this measure as long as people ask; and as soon as nobody does, it may go.
RANGE = {"minReplicas": FEWEST, "maxReplicas": MOST, "cpu": 10, "scaleDownStabilizationSeconds": 0}


# Each greeting is so many milliseconds of work, however quick the machine is: more than all the pods are to have.
WORK = "  for (const until = performance.now() + 4; pathname === '/hello' && performance.now() < until; );\n"


def autoscaler(product: Product, seen: Mapping[str, Any]) -> dict[str, Any]:
    """The one autoscaler of the installation."""
    (found,) = product.objects("horizontalpodautoscalers", seen["namespace"])
    return found


def let_work(service: Service) -> None:
    """Whoever is greeted makes work."""
    server = (service.folder / "server.mjs").read_text()
    service.write("server.mjs", server.replace("  const found =", f"{WORK}  const found ="))


def size(product: Product, seen: Mapping[str, Any]) -> tuple[str, int]:
    """Whom the autoscaler follows, and how many pods of that are ready."""
    followed = autoscaler(product, seen)["spec"]["scaleTargetRef"]["name"]
    found = {one["metadata"]["name"]: one for one in product.objects("deployments", seen["namespace"])}
    return followed, found[followed]["status"].get("readyReplicas", 0)


def test_as_many_pods_serve_as_people_need_through_an_update_and_fewer_once_they_leave(
    product: Product, own_tenant: Tenant, service: Service
) -> None:
    request = service.request(product, own_tenant.name, autoscaling=RANGE)
    let_work(service)
    first = own_tenant.install(request)
    assert first["phase"] == "succeeded", first["operation"]
    names = [f"{first['slug']}-r{number}" for number in (1, 2)]
    with people(product, first) as traffic:
        product.await_that(first["id"], lambda seen: size(product, seen) == (names[0], MOST))
        (measured,) = autoscaler(product, first)["status"]["currentMetrics"]
        assert measured["containerResource"]["current"]["averageUtilization"] > RANGE["cpu"]
        publish(service, "1.1.0")
        let_work(service)
        seen = product.await_end(product.ask({**request, "config": {"greeting": "hej"}}))
        assert (seen["phase"], seen["revision"]["release"]) == ("succeeded", f"{service.name}@1.1.0"), seen["operation"]
        assert len(step(seen, "roll_out")["result"]["pods"]) == MOST
        assert size(product, first)[0] == names[1]
    product.await_that(first["id"], lambda seen: size(product, seen) == (names[1], FEWEST))
    assert [one for one in traffic.answers if one.failed] == []
