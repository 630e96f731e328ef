"""What a namespace is before a plugin runs in it."""

import pytest

from blocks.domain.objects import tenancy
from blocks.domain.quantities import amount
from tests.blocks.domain.objects.blueprints import make_blueprint


def test_restricted_is_enforced_audited_and_warned_of() -> None:
    said = tenancy.namespace(make_blueprint())["metadata"]["labels"]
    assert {said[f"pod-security.kubernetes.io/{level}"] for level in ("enforce", "audit", "warn")} == {"restricted"}


def test_two_plugins_want_the_same_namespace() -> None:
    def without_stamp(runtime: str) -> list[object]:
        made = (tenancy.namespace, tenancy.quota, tenancy.limit_range)
        return [make(make_blueprint(runtime)) for make in made]

    assert without_stamp("backend") == without_stamp("frontend")


@pytest.mark.parametrize("environment", sorted(tenancy.LIMITS))
def test_one_container_never_takes_all_of_the_namespace(environment: str) -> None:
    limits = tenancy.LIMITS[environment]
    assert amount(limits.container_cpu) < amount(limits.cpu)
    assert amount(limits.container_memory) < amount(limits.memory)


def test_doors_past_the_gateway_and_disks_are_not_to_be_had() -> None:
    hard = tenancy.quota(make_blueprint())["spec"]["hard"]
    assert {hard[what] for what in ("services.nodeports", "services.loadbalancers", "persistentvolumeclaims")} == {"0"}


def test_the_plugin_gets_no_token_and_may_read_its_own_configuration_only() -> None:
    blueprint = make_blueprint(revision=4)
    assert tenancy.service_account(blueprint)["automountServiceAccountToken"] is False
    assert tenancy.role(blueprint)["rules"] == [
        {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": [blueprint.name], "verbs": ["get"]}
    ]
    bound = tenancy.role_binding(blueprint)
    assert (bound["roleRef"]["name"], bound["subjects"][0]["name"]) == (blueprint.slug, blueprint.slug)
