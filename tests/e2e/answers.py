"""What a plugin answers on its own route: the release that it reports, or in words what came instead."""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from tests.e2e.api import Product
from tests.e2e.browser import open_page

Seen: TypeAlias = Mapping[str, Any]
LOADED = "document.body.dataset.state !== undefined"


def ask_backend(product: Product, seen: Seen) -> str:
    """The proxy plugin forwards to the address in the request's config: an answer from there means that it works."""
    said = product.call(seen, "/api/proxy/self/readiness")
    return said.release if (said.status, said.text) == (200, '{"status":"ok"}') else f"{said.status} {said.text}"


def ask_service(product: Product, seen: Seen) -> str:
    """The greeting names the release."""
    said = product.call(seen, "/hello")
    if said.status != 200:
        return f"{said.status} {said.text}"
    told = json.loads(said.text)
    return f"{told['id']}@{told['version']}"


def ask_frontend(product: Product, seen: Seen) -> str:
    """Chromium runs the bundle and renders what it exports: the plugin's id and its release."""
    with open_page() as page:
        page.goto(seen["revision"]["url"])
        if page.locator("#plugin-id").count() == 0:
            return f"no page of a plugin: {page.inner_text('body')}"
        page.wait_for_function(LOADED)
        state, plugin = page.evaluate("document.body.dataset.state"), page.inner_text("#plugin-id")
        said = page.inner_text("#plugin-release")
    return said if (state, plugin) == ("loaded", "catalog") else f"{state}: {plugin}, {said}"


ASK: Mapping[str, Callable[[Product, Seen], str]] = {"backend": ask_backend, "frontend": ask_frontend, "service": ask_service}
