"""Sets of plugins, as a client of the API meets them; the record is real, on SQLite."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from blocks.catalog.database import open_database
from blocks.catalog.migrate import migrate
from blocks.catalog.seals import FolderSeals
from blocks.domain.journal import Fact, Kind
from blocks.domain.plugin_sets import hash_together
from deployments.api.examples import SET_EXAMPLES
from tests.deployments.builders import bearer
from tests.deployments.real import RealDesk

SETS = "/api/v1/plugin-sets"
BOTH: Any = SET_EXAMPLES["pair"]["value"]
BACKEND, FRONTEND = "@backstage/plugin-search-backend", "@backstage/plugin-search"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[RealDesk]:
    """The API on an empty record."""
    engine = open_database(f"sqlite+aiosqlite:///{tmp_path}/record.db")
    await migrate(engine)
    yield RealDesk(engine, FolderSeals(tmp_path / "seals", tmp_path / "seals.key"))
    await engine.dispose()


async def ask(desk: RealDesk, **changes: Any) -> dict[str, Any]:
    """The set of the page's example, as it is shown."""
    async with desk.client() as client:
        answer = await client.post(SETS, json=BOTH | changes)
        assert answer.status_code == 202, answer.text
        assert answer.json()["created"]
        shown: dict[str, Any] = (await client.get(answer.headers["location"])).json()
    return shown


def operations(shown: dict[str, Any]) -> list[UUID]:
    """The operations of the set, in order."""
    return [UUID(one["operation"]) for one in shown["members"]]


async def test_the_example_of_the_page_is_a_set_in_order_and_one_run_is_started(desk: RealDesk) -> None:
    shown = await ask(desk)
    assert [(one["plugin"], one["verb"], one["phase"]) for one in shown["members"]] == [
        (BACKEND, "install", "requested"),
        (FRONTEND, "install", "requested"),
    ]
    assert (shown["name"], shown["tenant"], shown["phase"], shown["bad"], shown["hash"]) == (
        "search",
        "acme",
        "requested",
        None,
        None,
    )
    assert desk.started == operations(shown)[:1]


async def test_the_same_key_is_the_same_set_and_another_body_is_not(desk: RealDesk) -> None:
    async with desk.client() as client:
        first, again = [await client.post(SETS, json=BOTH, headers={"Idempotency-Key": "k"}) for _ in range(2)]
        other = await client.post(SETS, json=BOTH | {"name": "other"}, headers={"Idempotency-Key": "k"})
    assert (first.json()["id"], first.json()["created"], again.json()["created"]) == (again.json()["id"], True, False)
    assert (other.status_code, other.json()["type"].rpartition(":")[2]) == (422, "idempotency-key-reused")


REFUSED = [
    pytest.param({"plugins": BOTH["plugins"][:1]}, 409, "needed", id="a dependency is nowhere"),
    pytest.param({"plugins": []}, 422, "invalid-request", id="no plugins"),
    pytest.param({"plugins": [BOTH["plugins"][1]] * 2}, 422, "invalid-request", id="twice the same"),
    pytest.param({"nmae": "x"}, 422, "invalid-request", id="an unknown field"),
]


@pytest.mark.parametrize(("changes", "status", "code"), REFUSED)
async def test_what_is_refused_begins_nothing(desk: RealDesk, changes: dict[str, Any], status: int, code: str) -> None:
    body = BOTH | changes
    if len(body["plugins"]) == 1:
        body["plugins"] = [*body["plugins"], BOTH["plugins"][0] | {"plugin": BOTH["plugins"][0]["plugin"] | {"name": "other"}}]
    async with desk.client() as client:
        answer = await client.post(SETS, json=body)
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (status, code), answer.text
    assert desk.started == []


async def test_what_is_busy_is_named(desk: RealDesk) -> None:
    await ask(desk)
    async with desk.client() as client:
        answer = await client.post(SETS, json=BOTH)
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (409, "busy")
    assert BACKEND in answer.json()["detail"]


async def test_one_yes_is_for_exactly_these_plans_and_for_all_of_them(desk: RealDesk) -> None:
    shown = await ask(desk)
    made, approve = operations(shown), shown["links"]["approve"]
    async with desk.client(bearer(sub="bob")) as client:
        wanted = {"hash": hash_together(["sha256:0", "sha256:1"]), "comment": "read both"}
        early = await client.post(approve, json=wanted)
        await desk.make_plans(made)
        assert (await client.get(shown["links"]["self"])).json()["hash"] == wanted["hash"]
        wrong = await client.post(approve, json=wanted | {"hash": hash_together(["sha256:0"])})
        async with desk.client() as requester:
            own = await requester.post(approve, json=wanted)
        agreed = await client.post(approve, json=wanted)
        again = await client.post(approve, json=wanted)
    codes = [one.json()["type"].rpartition(":")[2] for one in (early, wrong, own, again)]
    assert codes == ["too-late", "wrong-plan", "forbidden", "too-late"]
    assert (agreed.status_code, agreed.json()["status"]) == (202, "applying"), agreed.text
    assert desk.started[1:] == made


async def test_a_cancelled_set_is_taken_back_and_says_which_one_is_to_blame(desk: RealDesk) -> None:
    shown = await ask(desk)
    await desk.make_plans(operations(shown))
    async with desk.client() as client:
        assert (await client.post(shown["links"]["cancel"], json={"reason": "not today"})).json()["status"] == "undoing"
        seen = (await client.get(shown["links"]["self"])).json()
    assert [one["phase"] for one in seen["members"]] == ["undoing"] * 2
    assert (seen["bad"], seen["reason"]["code"]) == (BACKEND, "cancelled")
    for one in operations(shown):
        await desk.live.tell(one, Fact("operation", Kind.WITHDRAWN, "worker"))
    async with desk.client() as client:
        late = await client.post(shown["links"]["cancel"], json={"reason": "again"})
        assert (late.status_code, (await client.get(shown["links"]["self"])).json()["phase"]) == (409, "withdrawn")


async def test_who_may_not_see_a_set_is_told_that_there_is_none(desk: RealDesk) -> None:
    shown = await ask(desk)
    stranger = bearer(sub="eve", tenants=["other"], roles=["developer"])
    viewer = bearer(sub="vic", tenants=["acme"], roles=["viewer"])
    async with desk.client(stranger) as client:
        assert (await client.get(shown["links"]["self"])).status_code == 404
        assert (await client.post(SETS, json=BOTH)).status_code == 403
        assert (await client.get(f"{SETS}/{uuid4()}")).status_code == 404
    async with desk.client(viewer) as client:
        assert (await client.get(shown["links"]["self"])).status_code == 200
        assert (await client.post(shown["links"]["cancel"], json={"reason": "no"})).status_code == 403
