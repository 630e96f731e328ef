"""Three real plugins answer on their own routes through Envoy, with the release that was locked; without the plugin they do not."""

import pytest

from tests.e2e.answers import ASK
from tests.e2e.api import Product, locked, step
from tests.e2e.conftest import Tenant
from tests.e2e.variant import image_without_plugin, put_in_place

pytestmark = pytest.mark.world
# What comes instead of a release where everything but the plugin is in the image.
WITHOUT = {"backend": "404 ", "frontend": "failed: The plugin could not be loaded", "service": "404 {}"}
every_plugin = pytest.mark.parametrize("name", ASK)


@every_plugin
def test_plugin_reports_on_its_own_route_the_release_that_was_locked(product: Product, tenant: Tenant, name: str) -> None:
    seen = tenant.plugin(name)
    assert ASK[name](product, seen) == locked(seen) == seen["revision"]["release"]


@every_plugin
def test_the_same_question_fails_without_the_plugin_in_the_image(product: Product, own_tenant: Tenant, name: str) -> None:
    seen = own_tenant.plugin(name)
    assert ASK[name](product, seen) == locked(seen)
    with image_without_plugin(product, seen, name) as image:
        put_in_place(product, seen, image)
        said = ASK[name](product, seen)
    assert said.startswith(WITHOUT[name]), said


@every_plugin
def test_only_the_digest_of_the_built_image_is_run(product: Product, tenant: Tenant, name: str) -> None:
    seen = tenant.plugin(name)
    built = step(seen, "build")["result"]
    (container,) = [
        one["spec"]["containers"][0]
        for one in product.objects("pods", seen["namespace"])
        if one["metadata"]["labels"]["app.kubernetes.io/name"] == seen["slug"]
    ]
    assert container["image"] == f"{built['repository']}@{built['digest']}" == seen["revision"]["image"]
