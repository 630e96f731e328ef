"""Which plugins are known."""

from uuid import UUID

from blocks.catalog.requests import Asked
from tests.builders import make_request
from tests.deployments.builders import Desk, bearer, make_body

INSTALL = "/api/v1/plugins/install"


async def test_plugins_are_listed_with_what_serves_and_where() -> None:
    desk = Desk()
    backend = {"name": "a-backend", "runtime": {"type": "backend"}}
    async with desk.client() as client:
        first = (await client.post(INSTALL, json=make_body(tenant="acme"))).json()
        await client.post(INSTALL, json=make_body(tenant="other"))
        await client.post(INSTALL, json=make_body(plugin=backend))
        desk.record.succeed(UUID(first["operation"]))
        found = (await client.get("/api/v1/plugins")).json()["items"]
    assert [one["name"] for one in found] == ["@backstage/plugin-catalog", "a-backend"]
    assert found[0]["releases"] == ["@backstage/plugin-catalog@2.0.8"]
    assert {(one["tenant"], one["release"]) for one in found[0]["installations"]} == {
        ("acme", "@backstage/plugin-catalog@2.0.8"),
        ("other", None),
    }


async def test_plugins_of_other_tenants_are_not_counted() -> None:
    desk = Desk()
    async with desk.client() as client:
        await client.post(INSTALL, json=make_body(tenant="acme"))
        await client.post(INSTALL, json=make_body(tenant="other"))
    async with desk.client(bearer(tenants=["acme"], roles=["viewer"])) as client:
        (found,) = (await client.get("/api/v1/plugins")).json()["items"]
    assert [one["tenant"] for one in found["installations"]] == ["acme"]


async def test_more_plugins_than_fit_a_page_are_all_listed() -> None:
    desk = Desk()
    async with desk.client() as client:
        for number in range(510):
            await desk.record.request_install(make_request(plugin={"name": f"p{number}"}), Asked("ann"))
        found = (await client.get("/api/v1/plugins")).json()["items"]
    assert len(found) == 510
