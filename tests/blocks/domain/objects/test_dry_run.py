"""Where objects are tried is bounded like a tenant's namespace, and belongs to nobody."""

import pytest

from blocks.domain.objects import labels, tenancy
from blocks.domain.objects.dry_run import stand_in, stand_in_objects
from tests.blocks.domain.objects.blueprints import make_blueprint


@pytest.mark.parametrize("environment", sorted(tenancy.LIMITS))
def test_it_is_bounded_like_the_real_ones(environment: str) -> None:
    namespace, quota, limits, policy = stand_in_objects(environment)
    real = make_blueprint(environment=environment)
    security = {key: value for key, value in tenancy.namespace(real)["metadata"]["labels"].items() if "pod-security" in key}
    assert namespace["metadata"]["name"] == stand_in(environment) == f"plugin-pipeline-dry-run-{environment}"
    assert security.items() <= namespace["metadata"]["labels"].items()
    assert (quota["spec"], limits["spec"]) == (tenancy.quota(real)["spec"], tenancy.limit_range(real)["spec"])
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]


def test_it_is_ours_and_nobodys() -> None:
    for one in stand_in_objects("dev"):
        assert labels.stamp_of(one, labels.MANAGED_BY) == labels.MANAGER
        assert {labels.stamp_of(one, key) for key in (labels.INSTALLATION, labels.OPERATION, labels.REVISION)} == {""}
