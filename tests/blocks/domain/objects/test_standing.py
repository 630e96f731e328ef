"""What the next phase can build on."""

from typing import Any

import pytest

from blocks.domain.errors import RolloutFailed
from blocks.domain.objects.standing import has_standing, stands

YES = {"status": "True", "observedGeneration": 2}


def route(*conditions: dict[str, Any], parents: int = 1) -> dict[str, Any]:
    said = [{"conditions": [*conditions]}] if conditions else []
    return {
        "kind": "HTTPRoute",
        "metadata": {"generation": 2},
        "spec": {"parentRefs": [{}] * parents},
        "status": {"parents": said},
    }


def quota(**used: str) -> dict[str, Any]:
    return {"kind": "ResourceQuota", "spec": {"hard": {"pods": "1"}}, "status": {"used": used}}


@pytest.mark.parametrize(
    ("live", "standing"),
    [
        pytest.param({"kind": "ConfigMap"}, True, id="what is no more than written stands"),
        pytest.param({"kind": "Namespace", "status": {"phase": "Active"}}, True, id="an active namespace stands"),
        pytest.param({"kind": "Namespace", "status": {"phase": "Terminating"}}, False, id="one that goes does not"),
        pytest.param({"kind": "Namespace"}, False, id="one that is not yet active does not"),
        pytest.param(quota(pods="0"), True, id="a counted quota stands"),
        pytest.param(quota(), False, id="one that is not counted refuses everything"),
        pytest.param(route({"type": "Accepted"} | YES, {"type": "ResolvedRefs"} | YES), True, id="an accepted route stands"),
        pytest.param(route({"type": "Accepted"} | YES), False, id="one whose Service was not found yet does not"),
        pytest.param(
            route({"type": "Accepted"} | YES | {"observedGeneration": 1}, {"type": "ResolvedRefs"} | YES),
            False,
            id="one that was accepted as it was before does not",
        ),
        pytest.param(route(), False, id="one that nobody saw does not"),
        pytest.param(
            route({"type": "Accepted"} | YES, {"type": "ResolvedRefs"} | YES, parents=2), False, id="every gateway must take it"
        ),
        pytest.param(
            route({"type": "Accepted"} | YES, {"type": "ResolvedRefs", "status": "False", "reason": "BackendNotFound"}),
            False,
            id="a Service may be seen after the route",
        ),
    ],
)
def test_standing(live: dict[str, Any], *, standing: bool) -> None:
    assert stands(live) is standing


def test_a_route_that_is_turned_down_fails_with_the_gateways_words() -> None:
    with pytest.raises(RolloutFailed, match="no such listener"):
        stands(route({"type": "Accepted", "status": "False", "reason": "NoMatchingParent", "message": "no such listener"}))


def test_only_some_kinds_have_to_be_waited_for() -> None:
    assert has_standing("HTTPRoute")
    assert not has_standing("ConfigMap")
