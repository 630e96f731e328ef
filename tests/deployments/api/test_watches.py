"""Watches, as a client of the API meets them."""

from typing import Any
from uuid import UUID

import pytest

from blocks.domain.watch import Discovered, Done
from deployments.api.examples import CHANGE_EXAMPLES, WATCH_EXAMPLES
from tests.deployments.builders import Desk, bearer, make_body

WATCHES = "/api/v1/watches"
NAME = "@backstage/plugin-catalog"
OPERATION = UUID(int=9)


@pytest.fixture
def desk() -> Desk:
    """The API on an empty record in memory."""
    return Desk()


def said(**changes: Any) -> dict[str, Any]:
    """A watch that is only to say so."""
    return {"plugin": NAME, "reason": "fixes"} | changes


async def post(desk: Desk, **changes: Any) -> dict[str, Any]:
    """The watch that was set."""
    async with desk.client() as client:
        answer = await client.post(WATCHES, json=said(**changes))
    assert answer.status_code == 201, answer.text
    shown: dict[str, Any] = answer.json()
    assert answer.headers["location"] == shown["links"]["self"] == f"{WATCHES}/{shown['id']}"
    return shown


async def serve(desk: Desk) -> None:
    """The plugin serves."""
    async with desk.client() as client:
        accepted = (await client.post("/api/v1/plugins/install", json=make_body())).json()
    desk.record.succeed(UUID(accepted["operation"]))


async def test_a_watch_is_set_and_shown_whole(desk: Desk) -> None:
    made = await post(desk, version="^2", prereleases=True)
    terms = {
        name: made[name] for name in ("tenant", "environment", "plugin", "action", "version", "prereleases", "enabled", "source")
    }
    assert terms == {
        "tenant": "default",
        "environment": "dev",
        "plugin": NAME,
        "action": "record",
        "version": "^2",
        "prereleases": True,
        "enabled": True,
        "source": None,
    }
    assert (made["actor"], made["reason"], made["lookedAt"], made["problem"], made["found"]) == ("ann", "fixes", None, None, "")


async def test_the_same_again_is_no_second_watch_and_another_is_a_conflict(desk: Desk) -> None:
    made = await post(desk)
    async with desk.client() as client:
        again = await client.post(WATCHES, json=said())
        other = await client.post(WATCHES, json=said(version="^2"))
    assert (again.status_code, again.json()) == (200, made)
    assert (other.status_code, other.json()["type"].rpartition(":")[2]) == (409, "already-watched")


@pytest.mark.parametrize("action", ["plan", "update"])
async def test_acting_needs_something_that_serves(desk: Desk, action: str) -> None:
    async with desk.client() as client:
        refused = await client.post(WATCHES, json=said(action=action))
    assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (409, "not-installed")
    assert "set the action record" in refused.json()["hint"]
    await serve(desk)
    assert (await post(desk, action=action))["action"] == action


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        pytest.param({"version": "newest"}, "version", id="a range that is none"),
        pytest.param({"plugin": "No Name"}, "plugin", id="a name that is none"),
        pytest.param({"reason": ""}, "reason", id="no reason"),
        pytest.param({"action": "install"}, "action", id="an action there is not"),
        pytest.param({"source": {"type": "npm", "registry": "ftp://x"}}, "source.registry", id="a registry that is none"),
        pytest.param({"prerelease": True}, "prerelease", id="a field that is misspelt"),
        pytest.param({"environment": "qa"}, "environment", id="an environment there is not"),
    ],
)
async def test_a_watch_is_refused_with(desk: Desk, wrong: dict[str, Any], field: str) -> None:
    async with desk.client() as client:
        answer = await client.post(WATCHES, json=said(**wrong))
    assert (answer.status_code, [one["field"] for one in answer.json()["errors"]]) == (422, [field])
    assert desk.record.watched == {}


async def test_a_misspelt_field_is_guessed(desk: Desk) -> None:
    async with desk.client() as client:
        answer = await client.post(WATCHES, json=said(prerelease=True))
    assert answer.json()["errors"][0]["hint"] == "did you mean prereleases?"


async def test_a_change_leaves_what_it_does_not_name(desk: Desk) -> None:
    made = await post(desk, version="^2")
    async with desk.client(bearer(sub="bob")) as client:
        answer = await client.patch(made["links"]["self"], json={"enabled": False, "reason": "release freeze"})
        silent = await client.patch(made["links"]["self"], json={"enabled": True})
    shown = answer.json()
    assert (answer.status_code, shown["enabled"], shown["version"]) == (200, False, "^2")
    assert (shown["actor"], shown["reason"]) == ("bob", "release freeze")
    assert (silent.status_code, silent.json()["errors"][0]["field"]) == (422, "reason")


async def test_what_was_found_is_shown_with_what_was_done(desk: Desk) -> None:
    made = await post(desk)
    kept = Discovered(f"{NAME}@2.1.0", 1_700_000_000_000, Done.QUARANTINED, "it was rolled back here: slow", OPERATION)
    desk.record.see(UUID(made["id"]), kept)
    async with desk.client() as client:
        (one,) = (await client.get(made["links"]["self"])).json()["discovered"]
        (listed,) = (await client.get(WATCHES)).json()["items"]
    assert (one["release"], one["done"], one["why"]) == (f"{NAME}@2.1.0", "quarantined", "it was rolled back here: slow")
    assert (one["operation"], one["firstSeen"]) == (str(OPERATION), "2023-11-14T22:13:20Z")
    assert listed["discovered"] == []


async def test_a_watch_that_was_removed_is_not_there(desk: Desk) -> None:
    made = await post(desk)
    async with desk.client() as client:
        answers = [await client.request(method, made["links"]["self"]) for method in ("DELETE", "GET", "DELETE")]
    assert [answer.status_code for answer in answers] == [204, 404, 404]


async def test_watches_go_page_by_page(desk: Desk) -> None:
    made = [await post(desk, tenant=tenant) for tenant in ("a", "b", "c")]
    seen: list[str] = []
    after: str | None = None
    async with desk.client() as client:
        while True:
            page = (await client.get(WATCHES, params={"limit": 2} | ({"after": after} if after else {}))).json()
            seen, after = seen + [one["id"] for one in page["items"]], page["next"]
            if after is None:
                break
    assert seen == sorted(one["id"] for one in made)


@pytest.mark.parametrize(
    ("claims", "statuses"),
    [
        pytest.param({"tenants": ["acme"], "roles": ["developer"]}, [200, 200, 201], id="a developer may change"),
        pytest.param({"tenants": ["acme"], "roles": ["viewer"]}, [200, 403, 403], id="a viewer may look"),
        pytest.param({"tenants": ["acme"], "roles": ["approver", "security"]}, [200, 403, 403], id="others may look too"),
        pytest.param({"tenants": ["other"], "roles": ["developer"]}, [404, 404, 403], id="another tenant sees nothing"),
    ],
)
async def test_of_a_tenants_watches(desk: Desk, claims: dict[str, Any], statuses: list[int]) -> None:
    made = await post(desk, tenant="acme")
    async with desk.client(bearer(**claims)) as client:
        looked = await client.get(made["links"]["self"])
        changed = await client.patch(made["links"]["self"], json={"version": "^1", "reason": "r"})
        added = await client.post(WATCHES, json=said(tenant="acme", plugin="hello"))
        listed = (await client.get(WATCHES)).json()["items"]
        there = (await client.get(WATCHES, params={"tenant": "acme"})).json()["items"]
        removed = await client.delete(made["links"]["self"])
    assert [looked.status_code, changed.status_code, added.status_code] == statuses
    assert removed.status_code == (204 if statuses[1] == 200 else statuses[1])
    seen = {one["tenant"] for one in [*listed, *there]}
    assert seen == (set() if statuses[0] == 404 else {"acme"})


@pytest.mark.parametrize("name", WATCH_EXAMPLES)
async def test_every_example_is_accepted(desk: Desk, name: str) -> None:
    await serve(desk)
    async with desk.client() as client:
        made = await client.post(WATCHES, json=WATCH_EXAMPLES[name]["value"])
        answers = [await client.patch(made.headers["location"], json=one["value"]) for one in CHANGE_EXAMPLES.values()]
    assert [made.status_code, *(answer.status_code for answer in answers)] == [201, 200], made.text
