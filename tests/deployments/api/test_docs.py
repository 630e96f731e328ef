"""The description of the API."""

import re

from deployments.api.docs import render_docs
from deployments.api.examples import INSTALL_EXAMPLES
from tests.deployments.builders import Desk, make_body


async def test_the_page_needs_nothing_from_elsewhere() -> None:
    async with Desk().client({}) as client:
        answer = await client.get("/api/docs")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert not re.findall(r'<script|src=|href="(?!/api/openapi.json|#)', answer.text)


async def test_the_page_tells_every_route_and_shape() -> None:
    desk = Desk()
    page, described = render_docs(desk.app().openapi()), desk.app().openapi()
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            assert f"{method.upper()} {path}" in page
            assert operation["description"]
            assert "401" in operation["responses"]
    for name in described["components"]["schemas"]:
        assert f'id="{name}"' in page


def test_what_is_described_is_escaped() -> None:
    shape = {"description": "<script>1</script>", "properties": {"<b>": {"type": "string", "description": "<i>"}}}
    page = render_docs(
        {"info": {"title": "<t>", "version": "1", "description": "<d>"}, "paths": {}, "components": {"schemas": {"<s>": shape}}}
    )
    assert not re.findall("<(script|b|i|t|d|s)>", page)


async def test_every_example_is_accepted() -> None:
    for example in INSTALL_EXAMPLES.values():
        async with Desk().client() as client:
            answer = await client.post("/api/v1/plugins/install", json=example["value"])
        assert answer.status_code == 202, answer.text


async def test_the_answers_are_as_described() -> None:
    desk = Desk()
    async with desk.client() as client:
        accepted = await client.post("/api/v1/plugins/install", json=make_body())
        shown = await client.get(accepted.json()["links"]["self"])
    shapes = desk.app().openapi()["components"]["schemas"]
    assert set(accepted.json()) == set(shapes["Accepted"]["properties"])
    assert set(shown.json()) == set(shapes["InstallationShown"]["properties"])
